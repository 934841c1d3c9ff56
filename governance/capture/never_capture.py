"""The register of people who are never to be captured: what shows them is dropped on arrival (R57).

Promises: an entry is a mark under a key in the key store, never an address or a number; nothing
lists the register, and entering somebody twice is answered like the first time; of an application
in which redaction finds somebody entered, a batch leaves nothing but a count, whoever recorded it,
under a reason that does not say whether it was this register; what is being stored while somebody
is entered is there before the entry, or not at all.
"""

from typing import Final
from uuid import uuid4

from django.db import connection, transaction

from audit import journal, sql
from audit.actions import Action
from audit.actors import Actor
from governance.capture.errors import IdentifierError
from governance.capture.models import NeverCapture
from governance.redaction import identifiers
from governance.vault import registers

LONGEST: Final = identifiers.LONGEST
_REGISTER: Final = "never-capture"
_IS_EMPTY: Final = "SELECT 1 FROM capture_nevercapture LIMIT 1"
# Any fixed number; it names this lock among the database's advisory locks.
_ADVISORY_KEY: Final = 1_447_118_153
_ENTERING: Final = "SELECT pg_advisory_xact_lock(%s)"
_STORING: Final = "SELECT pg_advisory_xact_lock_shared(%s)"


def enter(*, identifier: str, actor: Actor) -> NeverCapture:
    """Enter a mail address, a phone number or an account name for good.

    IdentifierError for what is none of these.
    """
    form = identifiers.form_of(identifier)
    if form is None:
        raise IdentifierError("Give one mail address, phone number or account name.")
    with transaction.atomic():
        (mark,) = registers.marks(_REGISTER, [form], is_new=True).values()
        _hold(_ENTERING)
        entry = journal.append(Action.RIGHTS_REQUESTED, actor=actor, act=_REGISTER)
        # No UUIDv7: it would tell the millisecond.
        return NeverCapture.objects.create(id=uuid4(), mark=mark, entry=entry)


def met_at_last(forms: identifiers.Forms) -> set[str]:
    """Return the same as `met`; nobody can be entered until the transaction ends."""
    if not any(forms.values()):
        return set()
    _hold(_STORING)
    return met(forms)


def met(forms: identifiers.Forms) -> set[str]:
    """Return the applications that show somebody entered; `forms` as identifiers.forms says."""
    every = {form for shown in forms.values() for form in shown}
    if not every or sql.row(_IS_EMPTY, []) is None:
        return set()
    marks = registers.marks(_REGISTER, every)
    entered = NeverCapture.objects.filter(mark__in=marks.values())
    found = set(entered.values_list("mark", flat=True))
    return {
        application
        for (application, _), shown in forms.items()
        if any(marks[form] in found for form in shown)
    }


def _hold(statement: str) -> None:
    # SQLite knows no such locks; there the IMMEDIATE transaction keeps every other writer out.
    if connection.vendor == "postgresql":
        sql.rows(statement, [_ADVISORY_KEY])
