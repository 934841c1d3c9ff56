from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "governance.jobs"
    label = "jobs"

    def ready(self) -> None:
        from governance.jobs import doorbell, tasks  # noqa: PLC0415

        doorbell.hang(tasks.ring)
