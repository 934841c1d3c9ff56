"""Which sessions an account has, so that its person sees them all and ends any of them.

Promise: a session that is ended here is gone from the server, whatever its browser keeps. A second
session on another computer is seen by the first (R32: no shared accounts). A row tells the kind of
browser and the day, never the hour, the address or the version.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.accounts.errors import UnknownSessionError
from governance.accounts.models import HeldSession

if TYPE_CHECKING:
    from audit.models import Entry

# An account with more has lost control of them; the oldest end first.
MOST_SESSIONS: Final = 20
_MARK_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Shown:
    """A session as its person sees it."""

    id: UUID
    label: str
    way: str
    since: date
    is_this: bool
    is_elsewhere: bool


def keep(
    *, subject: str, session_key: str, computer: str, label: str, way: str, entry: "Entry"
) -> None:
    """Write down a session that has just started, under the entry that says so."""
    _tidy(subject)
    HeldSession.objects.create(
        id=uuid4(),
        session_key=session_key,
        subject=subject,
        computer=_mark(computer),
        label=label,
        way=way,
        since=timezone.localdate(),
        entry=entry,
    )


def move(*, old_key: str, new_key: str) -> bool:
    """Follow a session whose key changed; False when it was never written down."""
    return HeldSession.objects.filter(session_key=old_key).update(session_key=new_key) == 1


def _tidy(subject: str) -> None:
    """Forget what ended by itself; end the oldest when there are too many."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    own = HeldSession.objects.filter(subject=subject)
    own.exclude(session_key__in=Session.objects.values("session_key")).delete()
    surplus = own.order_by("-entry_id").values_list("pk", flat=True)[MOST_SESSIONS - 1 :]
    for one in list(surplus):
        _drop(HeldSession.objects.get(pk=one))


def _alive(subject: str) -> list[HeldSession]:
    live = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    rows = HeldSession.objects.filter(subject=subject, session_key__in=live)
    return list(rows.order_by("-entry_id"))


def of(*, subject: str, session_key: str) -> list[Shown]:
    """Return the sessions an account has now, the newest first; `session_key` is the asker's."""
    rows = _alive(subject)
    here = {row.computer for row in rows if row.session_key == session_key}
    return [
        Shown(
            id=row.id,
            label=row.label,
            way=row.way,
            since=row.since,
            is_this=row.session_key == session_key,
            is_elsewhere=bool(here) and row.computer not in here,
        )
        for row in rows
    ]


def elsewhere(*, subject: str, session_key: str) -> int:
    """Return how many sessions of the account are on other computers than the asker's."""
    return sum(shown.is_elsewhere for shown in of(subject=subject, session_key=session_key))


@transaction.atomic
def end(*, session_id: UUID, owner: str, actor: Actor) -> None:
    """End one session of `owner`. UnknownSessionError says the same of none and of another's."""
    row = HeldSession.objects.select_for_update().filter(pk=session_id, subject=owner).first()
    if row is None:
        raise UnknownSessionError("There is no such session.")
    journal.append(Action.SESSION_ENDED, actor=actor, subject=owner, private={"which": "one"})
    _drop(row)


@transaction.atomic
def end_all(*, subject: str, actor: Actor, but: str = "") -> int:
    """End every session of an account, save the one whose key is `but`; return how many."""
    rows = HeldSession.objects.filter(subject=subject).exclude(session_key=but)
    found = list(rows.select_for_update())
    if found:
        journal.append(Action.SESSION_ENDED, actor=actor, subject=subject, private={"which": "all"})
    for row in found:
        _drop(row)
    return len(found)


def forget(*, session_key: str) -> None:
    """Forget a session that its own browser ended."""
    HeldSession.objects.filter(session_key=session_key).delete()


def _drop(row: HeldSession) -> None:
    Session.objects.filter(session_key=row.session_key).delete()
    row.delete()


def _mark(computer: str) -> bytes:
    mac = salted_hmac("remit.accounts.computer", computer, algorithm="sha256")
    return mac.digest()[:_MARK_BYTES]
