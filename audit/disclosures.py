"""The personal half of an entry: salted disclosures, sealed per owner, deletable.

Promises: erasing a person's keys, or the rows, leaves every leaf, index and proof as it was, and
the digests unopenable. The sealed size says only which step of padding it is, so that "yes" and
"no" weigh the same.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from audit import leaf, ports
from audit.errors import LeafError
from audit.models import Entry
from audit.ports import OwnerKeys
from audit.rows import Half

Keys = Mapping[str, OwnerKeys]

_CONTEXT: Final = b"remit audit disclosure v1\x00"
_PADDING_STEP: Final = 1024
_SHY_PADDING_STEP: Final = 4096
_encode = json.JSONEncoder(separators=(",", ":")).encode


def seal(
    uuid: UUID, *, slot: str, owner: str, keys: Keys, disclosures: Sequence[str], shy: bool
) -> Half:
    """Seal disclosures of the entry `uuid` under their owner's key."""
    step = _SHY_PADDING_STEP if shy else _PADDING_STEP
    plain = _encode(disclosures).encode("ascii")
    plain += b" " * (-len(plain) % step)
    return Half(
        slot=slot,
        owner=_seal_owner(uuid, slot, owner, keys),
        sealed=keys[owner].seal(context=_context(uuid, slot), plaintext=plain),
    )


def opened(entry: Entry) -> list[str]:
    """Return every disclosure of the entry that can still be opened, in the order they were made.

    Each is checked against the digests in the leaf: a forged one is an error, not an answer.
    """
    halves = [
        Half(row.slot, bytes(row.owner), bytes(row.sealed)) for row in entry.disclosures.all()
    ]
    return _opened(entry.uuid, bytes(entry.leaf), halves)


def _opened(uuid: UUID, body: bytes, halves: Sequence[Half], *about: str) -> list[str]:
    committed = leaf.parse(body).get("_sd")
    found: list[str] = []
    keys = ports.keys().known(ports.ORGANISATION, *about)
    for half in sorted(halves):
        found += _open(uuid, half, keys)
    for disclosure in found:
        if not isinstance(committed, list) or leaf.digest(disclosure) not in committed:
            raise LeafError(f"A disclosure of entry {uuid} is not the committed one.")
    return found


def details(entry: Entry) -> dict[str, leaf.Json]:
    """Return name and value of every disclosure that can still be opened."""
    return dict(map(leaf.reveal, opened(entry)))


def details_of(
    uuid: UUID, body: bytes, halves: Sequence[tuple[str, bytes, bytes]], *, about: str = ""
) -> dict[str, leaf.Json]:
    """Return the details of the entry with this uuid, leaf and disclosures, without its row.

    The key of whom it should be `about` is read together with the organisation's.
    """
    read = [Half(slot, bytes(owner), bytes(sealed)) for slot, owner, sealed in halves]
    return dict(map(leaf.reveal, _opened(uuid, body, read, *filter(None, [about]))))


def _seal_owner(uuid: UUID, slot: str, owner: str, keys: Keys) -> bytes:
    """Return the owner's key sealed for the organisation; nothing when it is its own."""
    if owner == ports.ORGANISATION:
        return b""
    return keys[ports.ORGANISATION].seal(
        context=_context(uuid, f"owner of {slot}"), plaintext=owner.encode("utf-8")
    )


def _owner(uuid: UUID, row: Half, keys: Keys) -> str | None:
    if not row.owner:
        return ports.ORGANISATION
    context = _context(uuid, f"owner of {row.slot}")
    owner = _unsealed(ports.ORGANISATION, context, row.owner, keys)
    return None if owner is None else owner.decode("utf-8")


def _unsealed(owner: str, context: bytes, sealed: bytes, keys: Keys) -> bytes | None:
    """Open with the keys in hand, or with what is read for it."""
    if owner in keys:
        return keys[owner].open(context=context, sealed=sealed)
    return ports.keys().open(owner=owner, context=context, sealed=sealed)


def _open(uuid: UUID, row: Half, keys: Keys) -> list[str]:
    owner = _owner(uuid, row, keys)
    if owner is None:
        return []
    plain = _unsealed(owner, _context(uuid, row.slot), row.sealed, keys)
    if plain is None:
        return []
    parts = json.loads(plain)
    if not (isinstance(parts, list) and all(isinstance(part, str) for part in parts)):
        raise LeafError(f"The disclosures of entry {uuid} cannot be read.")
    return parts


def _context(uuid: UUID, slot: str) -> bytes:
    return _CONTEXT + uuid.bytes + slot.encode("ascii")
