"""What the key store's own journal says about the log, for the log's check and its recovery.

Promise: every release of a key names an entry that allowed an access and has its place in the log,
or waits for it; a release under anything else is a finding. The journal is kept apart from the
database it is held against, so that who edits one does not edit the other.
"""

from collections.abc import Iterator

from audit import selectors as audit
from governance.vault.models import KeyKind, KeyRelease, StoredKey

_CHUNK = 2000


def owners() -> Iterator[str]:
    """Return whoever has a key of their own: people and devices that were not erased."""
    people = StoredKey.objects.filter(kind=KeyKind.PERSON).exclude(owner="")
    yield from people.values_list("owner", flat=True).distinct().iterator()


def unallowed_releases() -> Iterator[str]:
    """Return a line for each entry under which a key was released and that did not allow it."""
    entries = KeyRelease.objects.order_by("entry").values_list("entry", flat=True).distinct()
    part = []
    for entry in entries.iterator(chunk_size=_CHUNK):
        part.append(entry)
        if len(part) == _CHUNK:
            yield from map(_line, sorted(audit.not_allowing(part)))
            part.clear()
    yield from map(_line, sorted(audit.not_allowing(part)))


def _line(entry: object) -> str:
    return f"entry {entry}: a key was released under it, and the log holds no such permission"
