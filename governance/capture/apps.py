from django.apps import AppConfig


class CaptureConfig(AppConfig):
    name = "governance.capture"
    label = "capture"

    def ready(self) -> None:
        from governance.jobs import services as jobs  # noqa: PLC0415
        from governance.vault.errors import KeyServiceError, StorageUnavailableError  # noqa: PLC0415

        jobs.excuse(KeyServiceError)
        jobs.excuse(StorageUnavailableError)
