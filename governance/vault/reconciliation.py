"""What the key store's own journal says about the log, for the log's check and its recovery.

Promise: every release of a key names an entry that allowed an access and has its place in the log,
or waits for it; every access that the log calls completed released a key; and the journal is the
one that was written, as long as it was each night when the log took down its end. The journal is
kept apart from the database it is held against, so that who edits one does not edit the other.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final
from uuid import UUID

from audit import selectors as audit
from audit.actions import Action
from audit.leaf import Json
from governance.vault import ledger, unwraps
from governance.vault.models import KeyKind, KeyRelease, StoredKey

_CHUNK = 2000
# An access of these kinds opens something; others list.
OPENING: Final = ("read", "open", "download-")


def anchor() -> dict[str, Json]:
    """Return the journal's end and the ledger's length as they are now, for the nightly entry."""
    head = unwraps.head()
    return {
        "releases": head.number,
        "release_link": head.link.hex(),
        "ledger": ledger.count(),
    }


def ledger_anchors() -> Iterator[int]:
    """Return how many lines the erasure ledger held, each night that the log took it down."""
    for night in audit.told(Action.KEY_ROTATED):
        lines = night.details.get("ledger")
        if isinstance(lines, int):
            yield lines


def newest_release() -> UUID | None:
    """Return the entry under which a key was released last."""
    return KeyRelease.objects.order_by("-id").values_list("entry", flat=True).first()


def owners() -> Iterator[str]:
    """Return whoever has a key of their own: people and devices that were not erased."""
    people = StoredKey.objects.filter(kind=KeyKind.PERSON).exclude(owner="")
    yield from people.values_list("owner", flat=True).distinct().iterator()


def unallowed_releases() -> Iterator[str]:
    """Return a line for each entry under which a key was released and that did not allow it."""
    entries = KeyRelease.objects.order_by("entry").values_list("entry", flat=True).distinct()
    for part in _chunks(entries.iterator(chunk_size=_CHUNK)):
        for entry in sorted(audit.not_allowing(part)):
            text = "a key was released under it, and the log holds no such permission"
            yield f"entry {entry}: {text}"


def unjournalled_accesses() -> Iterator[str]:
    """Return a line for each access that was completed and for which no key was released."""
    for part in _chunks(_completed()):
        kept = KeyRelease.objects.filter(entry__in=part).values_list("entry", flat=True)
        for entry in sorted(set(part) - set(kept)):
            yield f"entry {entry}: it was completed, and the key store released no key under it"


def _completed() -> Iterator[UUID]:
    for closed in audit.told(Action.ACCESS_CLOSED):
        grant = closed.details.get("grant")
        opens = closed.act.startswith(OPENING)
        if opens and closed.details.get("outcome") == "completed" and isinstance(grant, str):
            yield UUID(grant)


def broken_journal() -> Iterator[str]:
    """Return a line for each fault of the journal in itself, and against each night's anchor."""
    yield from unwraps.faults()
    end = unwraps.head().number
    for night in audit.told(Action.KEY_ROTATED):
        number, link = night.details.get("releases"), night.details.get("release_link")
        if not isinstance(number, int) or not number:
            continue
        if number > end:
            yield f"entry {night.uuid}: {number} releases were journalled then, there are {end} now"
            continue
        row = KeyRelease.objects.filter(pk=number).first()
        if row is None or bytes(row.link or b"").hex() != link:
            yield f"entry {night.uuid}: release {number} is not the one that was journalled then"


def _chunks(entries: Iterable[UUID]) -> Iterator[list[UUID]]:
    rest = iter(entries)
    while part := list(islice(rest, _CHUNK)):
        yield part
