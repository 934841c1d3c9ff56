"""Wires the parts together at start: the log's keys, the queue, checks and SQLite's guard."""

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "governance"
    label = "governance"

    def ready(self) -> None:
        from audit import ports  # noqa: PLC0415
        from governance import authorizer, celery, checks, dumps  # noqa: F401, PLC0415
        from governance.vault.port import SubjectKeys  # noqa: PLC0415

        dumps.forbid()
        ports.use(SubjectKeys())
        authorizer.guard()
