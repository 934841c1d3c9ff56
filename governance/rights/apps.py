from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "governance.rights"
    label = "rights"

    def ready(self) -> None:
        from governance.rights import tasks  # noqa: F401, PLC0415 - registers the handlers.
