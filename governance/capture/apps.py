from django.apps import AppConfig


class CaptureConfig(AppConfig):
    name = "governance.capture"
    label = "capture"

    def ready(self) -> None:
        from governance.capture import tasks  # noqa: F401, PLC0415 - registers the handlers.
