"""Whether the key store is the one that was: nothing is opened from one that was put back.

Promise: while the ledger's file knows of an erasure that the database does not, no key is used;
`replay` destroys again what the file names, and only then is the store in order. A person's keys
are used only under a consent epoch that is no older than the last one at which the person ended
something, whatever an older copy of the data says.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from django.db import transaction

from governance.vault import epochs, ledger, ledger_file, wrapping
from governance.vault.errors import ConsentEndedError, KeyStoreBehindError, LedgerBrokenError
from governance.vault.ledger import Tokens
from governance.vault.ledger_file import Line
from governance.vault.models import CellGeneration, Epoch, KeyKind, StoredKey
from governance.vault.router import KEY_STORE

_CHUNK: Final = 500


def require(*, owner: str, consent_epoch: int) -> None:
    """Raise KeyStoreBehindError or ConsentEndedError where this owner's keys may not be used."""
    # The file first: it is written after the table, so of an honest pair it never tells more.
    kept = ledger_file.count()
    known, ended = ledger.standing("consent", owner)
    if kept > known:
        raise KeyStoreBehindError("The key store is older than its ledger.")
    if consent_epoch < ended:
        raise ConsentEndedError("The person ended a consent since this was decided.")


def end_consent(*, subject: str, consent_epoch: int) -> None:
    """Refuse this person's keys from now on to whoever relies on an earlier consent epoch."""
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        ledger.raise_to("consent", subject, value=consent_epoch)


def end_consents(epochs_of: Iterable[tuple[str, int]]) -> None:
    """Do as `end_consent` does for many people at once."""
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        known, tokens = ledger.highest(), Tokens()
        for subject, consent_epoch in epochs_of:
            if known.get(tokens.of("consent", subject), 0) < consent_epoch:
                ledger.raise_to("consent", subject, value=consent_epoch)


def opens_nothing() -> bool:
    """Say whether keys are wrapped by an epoch whose key is gone: an old copy, of no more use."""
    there = set(wrapping.chosen().epochs())
    needed = set(StoredKey.objects.values_list("epoch", flat=True).distinct())
    needed |= set(Epoch.objects.order_by("-number").values_list("number", flat=True)[:1])
    return not needed <= there


def lines_kept() -> int:
    """Return how many lines the ledger's file holds."""
    return ledger_file.count()


def missing() -> list[Line]:
    """Return the file's lines that the table does not have. LedgerBrokenError when they differ.

    A file that is shorter than the table is brought up to it.
    """
    newest, kept = ledger.newest(), ledger_file.read()
    known = ledger.count()
    if len(kept) < known:
        ledger.write_file()
        return []
    if newest is not None and kept[known - 1] != newest:
        raise LedgerBrokenError("The ledger's file and its table tell different stories.")
    return kept[known:]


def replay() -> int:
    """Destroy again whatever the ledger names; return how many keys that met. Safe to repeat."""
    with transaction.atomic(using=KEY_STORE, durable=True):
        epochs.current(alone=True)
        ledger.take_in(missing())
        dead = _Dead()
        ids = [key.id for key in StoredKey.objects.defer("nonce", "wrapped") if dead.has(key)]
        for start in range(0, len(ids), _CHUNK):
            StoredKey.objects.filter(pk__in=ids[start : start + _CHUNK]).delete()
        for cell in CellGeneration.objects.all():
            _raise(cell, dead)
    return len(ids)


def _raise(cell: CellGeneration, dead: "_Dead") -> None:
    """Let a cell go on past its dead generations; a destroyed person's does not."""
    if dead.has_person(cell.subject):
        cell.delete()
        return
    last = dead.last_generation(cell.subject, cell.scope)
    while cell.number <= last or dead.has_generation(cell.subject, cell.scope, cell.number):
        cell.number = max(cell.number, last) + 1
    cell.save(update_fields=["number"])


class _Dead:
    """What the ledger says must not exist."""

    def __init__(self) -> None:
        self._highest = ledger.highest()
        self._tokens = Tokens()

    def has(self, key: StoredKey) -> bool:
        return any(self._says(key))

    def _says(self, key: StoredKey) -> Iterator[bool]:
        if key.owner:
            yield self.has_person(key.owner)
        if key.kind == KeyKind.OBJECT:
            yield self._has("object", key.scope)
        if key.kind == KeyKind.CELL:
            yield key.generation <= self.last_generation(key.owner, key.scope)
            yield self.has_generation(key.owner, key.scope, key.generation)

    def has_person(self, subject: str) -> bool:
        return self._has("subject", subject)

    def last_generation(self, subject: str, scope: str) -> int:
        return self._highest.get(self._tokens.of("cell", subject, scope), 0)

    def has_generation(self, subject: str, scope: str, generation: int) -> bool:
        return self._has("generation", subject, scope, str(generation))

    def _has(self, *parts: str) -> bool:
        return self._tokens.of(*parts) in self._highest
