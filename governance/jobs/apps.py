import atexit

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "governance.jobs"
    label = "jobs"

    def ready(self) -> None:
        from governance.jobs import doorbell, tasks  # noqa: PLC0415

        bell = doorbell.Bell(tasks.ring)
        doorbell.hang(bell.ring)
        # A command that adds work and ends has rung before it is gone.
        atexit.register(bell.flush)
