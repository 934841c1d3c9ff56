"""Refuses to start when the database holds what may never be there (standards.md R28)."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.core import checks
from django.db import DatabaseError, connection

from governance.policies.models import Purpose
from governance.policies.purposes import RESERVED, is_prohibited


def forced_purposes() -> list[str]:
    """Return the keys of purposes that no door of the service would have let in."""
    try:
        if Purpose._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001
            return []
        rows = list(Purpose.objects.order_by("key").values_list("key", "broader"))
    except DatabaseError:  # No database yet: then there is nothing in it.
        return []
    return [key for key, broader in rows if key in RESERVED or is_prohibited(key, broader)]


@checks.register()
def no_prohibited_purpose(
    app_configs: Sequence[AppConfig] | None, **_: object
) -> list[checks.CheckMessage]:
    """Stop every command, and so the start, while a prohibited purpose stands in the database."""
    del app_configs
    return [
        checks.Error(
            f"The prohibited purpose {key!r} stands in the database.",
            hint="It was put there past the service. Find out by whom, then restore a clean state.",
            id="policies.E001",
        )
        for key in forced_purposes()
    ]
