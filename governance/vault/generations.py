"""Which generation of a cell's key seals now: raised each month and at every partial deletion.

The number only grows, so a destroyed generation is never sealed to again. Numbers say nothing
about what was captured: they are raised by the calendar and by deletions alone.
"""

from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from audit import sql
from governance.vault import epochs, ledger
from governance.vault.errors import KeyShreddedError
from governance.vault.models import CellGeneration
from governance.vault.router import KEY_STORE

_OF_CELL: Final = """
    SELECT number, month FROM vault_cellgeneration WHERE subject = %s AND scope = %s
"""


def current(*, subject: str, scope: str, now: datetime | None = None) -> int:
    """Return the generation to seal to, opening the month's when it has begun."""
    month = _month(now)
    found = sql.row(_OF_CELL, [subject, scope], using=KEY_STORE)
    if found is not None and is_open(found[1], now):
        return int(found[0])
    with transaction.atomic(using=KEY_STORE):
        epochs.current()
        if ledger.find("subject", subject) is not None:
            raise KeyShreddedError("This person's keys were destroyed for good.")
        _cell(subject, scope, month)
        # Whoever comes second finds the month opened already.
        older = CellGeneration.objects.filter(subject=subject, scope=scope, month__lt=month)
        older.update(number=F("number") + 1, month=month)
        return CellGeneration.objects.get(subject=subject, scope=scope).number


def raised(*, subject: str, scope: str, past: int | None = None) -> tuple[int, int]:
    """Raise a cell's generation and return (old, new). The caller holds the epoch alone.

    With `past`, only a generation up to that number is raised.
    """
    row = _cell(subject, scope, _month(None))
    if past is not None and row.number > past:
        return row.number, row.number
    CellGeneration.objects.filter(pk=row.pk).update(number=F("number") + 1)
    return row.number, row.number + 1


def is_open(month: date | str, now: datetime | None = None) -> bool:
    """Tell whether what was opened in this month, as read from its column, is sealed to still."""
    opened = date.fromisoformat(month) if isinstance(month, str) else month  # SQLite keeps text.
    return opened >= _month(now)


def _cell(subject: str, scope: str, month: date) -> CellGeneration:
    row, _ = CellGeneration.objects.get_or_create(
        subject=subject, scope=scope, defaults={"month": month}
    )
    return row


def _month(now: datetime | None) -> date:
    return (now or timezone.now()).date().replace(day=1)
