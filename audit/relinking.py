"""Finding again whom entries concern when only their leaves are left.

A restored database has lost the index by which people find their entries, but the tags in the
leaves still answer to the people's own keys. Without it a person's numbering would go on as if the
lost entries had never been, and hide them. Who has keys is known above; `use` wires it at start.
"""

import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from django.db import connection

from audit import leaf, ports
from audit.leaf import Json
from audit.models import Entry, SubjectIndex

Owners = Callable[[], Iterable[str]]

_COUNT: Final = (
    "INSERT INTO audit_subjectcounter (token, last) VALUES (%s, %s) "
    "ON CONFLICT (token) DO UPDATE SET last = audit_subjectcounter.last + excluded.last "
    "RETURNING last"
)
_wired: list[Owners] = []


def use(owners: Owners) -> None:
    """Wire whoever can list the owners of keys; the last one wired serves."""
    _wired[:] = [owners]


def relink(entries: Sequence[Entry]) -> int:
    """Give entries, in this order, the next numbers of whom they concern; return how many."""
    marked = [(entry, *_mark(leaf.parse(bytes(entry.leaf)))) for entry in entries]
    linked = 0
    for owner in sorted(_wired[0]()) if _wired and marked else ():
        key = ports.keys().tag_key(owner=owner)
        own = [
            entry
            for entry, nonce, tag in marked
            if hmac.digest(key, nonce, "sha256")[: leaf.TAG_BYTES] == tag
        ]
        if own:
            _number(ports.keys().token(owner=owner), own)
            linked += len(own)
    return linked


def _mark(body: dict[str, Json]) -> tuple[bytes, bytes]:
    match body:
        case {"tag": {"x": str(nonce), "s": [str(tag)]}}:
            return leaf.b64url_bytes(nonce), leaf.b64url_bytes(tag)
        case _:
            return b"", b""


def _number(token: str, entries: Sequence[Entry]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [token, len(entries)])
        (last,) = cursor.fetchone()
    first = int(last) - len(entries) + 1
    SubjectIndex.objects.bulk_create(
        SubjectIndex(token=token, seq=first + at, entry=entry) for at, entry in enumerate(entries)
    )
