"""Finds and makes the keys of people, cells and objects.

Promise: a key is random, made once per place, and never made for a place the erasure ledger
knows. There is no cache: a key destroyed by one process is gone for all of them at once.
"""

import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from secrets import token_bytes
from typing import Final
from uuid import UUID

from django.db import transaction

from audit import sql
from audit.ids import uuid7
from governance.vault import epochs, generations, ledger
from governance.vault.errors import KeyFileError, KeyShreddedError
from governance.vault.models import CellGeneration, KeyKind, StoredKey
from governance.vault.rewrap import Wrapped, wrapped
from governance.vault.router import KEY_STORE

# By hand and past Django's cursors, which take longer over it than the key store does.
_OF_KEY: Final = "key.id, kind, owner, key.scope, generation, epoch, nonce, wrapped"
_KEY: Final = f"SELECT {_OF_KEY} FROM vault_storedkey AS key"  # noqa: S608 - a constant.
_AT_PLACE: Final = f"{_KEY} WHERE kind = %s AND owner = %s AND scope = %s AND generation = %s"
_OF_OBJECT: Final = f"{_KEY} WHERE kind = %s AND scope = %s"
_OF_CELL_NOW: Final = f"""
    SELECT number, month, {_OF_KEY}
    FROM vault_cellgeneration AS cell JOIN vault_storedkey AS key
    ON kind = 'cell' AND owner = subject AND key.scope = cell.scope AND generation = number
    WHERE subject = %s AND cell.scope = %s
"""  # noqa: S608 - constants.


Read = Callable[[], Wrapped | None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key belongs. `owner` is empty for an object that is nobody's alone."""

    kind: KeyKind
    owner: str
    scope: str = ""
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """A key in hand. It must not outlive the call that asked for it."""

    id: UUID
    owner: str
    secret: bytes


def cell_scope(*, application: str, category: str) -> str:
    """Return the scope of a cell; the parts are keys without a slash, so it is unambiguous."""
    return _join(application, category)


def object_scope(*, kind: str, ref: str) -> str:
    """Return the scope of an object."""
    return _join(kind, ref)


def _join(first: str, second: str) -> str:
    if not first or not second or "/" in first:
        raise ValueError("A scope has two parts, and no slash in the first.")
    return f"{first}/{second}"


def find(place: Place) -> Key | None:
    """Return the key of a place, or None when there is none."""
    return _in_hand(_at(place))


def of_cell_now(*, subject: str, scope: str, now: datetime | None = None) -> tuple[int, Key] | None:
    """Return the generation that a cell seals to now, and its key; None while one is to be made."""
    held: list[int] = []

    def read() -> Wrapped | None:
        found = sql.row(_OF_CELL_NOW, [subject, scope], using=KEY_STORE)
        if found is None or not generations.is_open(found[1], now):
            return None
        held[:] = [int(found[0])]
        return wrapped(found[2:])

    key = _in_hand(read)
    return (held[0], key) if key else None


def find_object(*, kind: str, ref: str) -> Key | None:
    """Return the key of an object, whoever it belongs to, or None when there is none."""
    return _in_hand(
        partial(_row, _OF_OBJECT, [KeyKind.OBJECT.value, object_scope(kind=kind, ref=ref)])
    )


def _at(place: Place) -> Read:
    """Return what reads a place's row, each time anew."""
    parameters = (str(place.kind), place.owner, place.scope, place.generation)
    return partial(_row, _AT_PLACE, parameters)


def _in_hand(read: Read) -> Key | None:
    row = read()
    try:
        return None if row is None else _key(row)
    except KeyFileError:
        # A rotation may have ended between the two reads; then the row tells of a newer epoch.
        newer = read()
        if newer == row:
            raise
        return None if newer is None else _key(newer)


def _row(statement: str, parameters: Sequence[str | int]) -> Wrapped | None:
    found = sql.row(statement, parameters, using=KEY_STORE)
    return None if found is None else wrapped(found)


def _key(row: Wrapped) -> Key:
    return Key(id=UUID(row.id), owner=row.owner, secret=epochs.unwrap(row))


def obtain(place: Place) -> Key:
    """Return the key of a place, making it when missing; KeyShreddedError for the destroyed."""
    return find(place) or _make(place)


def people(owners: Collection[str]) -> dict[str, bytes]:
    """Return every owner's secret in one read, making what is missing; no word of the destroyed.

    For whoever writes an entry: the secrets are for that entry alone.
    """
    found = known_people(owners)
    for owner in owners:
        if owner not in found:
            with contextlib.suppress(KeyShreddedError):
                found[owner] = _make(Place(KeyKind.PERSON, owner)).secret
    return found


def known_people(owners: Collection[str]) -> dict[str, bytes]:
    """Return the secret of each owner that has one, in one read."""
    rows = _rows(owners)
    try:
        secrets = epochs.unwrap_all(rows)
    except KeyFileError:
        # As in `_in_hand`: after a rotation the rows tell of a newer epoch.
        rows = _rows(owners)
        secrets = epochs.unwrap_all(rows)
    return {row.owner: secret for row, secret in zip(rows, secrets, strict=True)}


def _rows(owners: Collection[str]) -> list[Wrapped]:
    marks = ", ".join(["%s"] * len(owners))
    statement = f"{_KEY} WHERE kind = %s AND scope = '' AND generation = 0 AND owner IN ({marks})"
    return list(map(wrapped, sql.rows(statement, [KeyKind.PERSON.value, *owners], using=KEY_STORE)))


def _make(place: Place) -> Key:
    with transaction.atomic(using=KEY_STORE):
        epoch = epochs.current()
        if is_buried(place):
            raise KeyShreddedError("These keys were destroyed and are never made again.")
        if place.kind is KeyKind.CELL and not _is_current(place):
            raise KeyShreddedError("This generation was closed; the cell goes on with a later one.")
        row = StoredKey(
            id=uuid7(),
            kind=place.kind,
            owner=place.owner,
            scope=place.scope,
            generation=place.generation,
        )
        epochs.wrap(row, token_bytes(epochs.KEY_BYTES), epoch=epoch)
        # Two processes may meet here: the first row stands and both read it back.
        StoredKey.objects.bulk_create([row], ignore_conflicts=True)
    key = find(place)
    if key is None:
        raise KeyShreddedError("This key was destroyed while it was being made.")
    return key


def _is_current(place: Place) -> bool:
    """Say whether a cell seals to this generation now; an older one is never made again."""
    cell = CellGeneration.objects.filter(subject=place.owner, scope=place.scope)
    return cell.filter(number=place.generation).exists()


def is_buried(place: Place) -> bool:
    """Say whether the erasure ledger knows the owner or the object of a place."""
    if place.owner and ledger.find("subject", place.owner) is not None:
        return True
    return place.kind is KeyKind.OBJECT and ledger.find("object", place.scope) is not None
