"""Destroys keys, which is how Remit deletes: at once, everywhere, whatever copies there are.

Promise: when a call returns, the keys are out of the live key store (SQLite overwrites the
pages, `secure_delete`) and no later call makes them again. Older copies of the key store open
until the epoch is rotated (`epochs.rotate`), which destroys what they were wrapped with. Every
function may be repeated. Writing the entry that a person can check is the caller's.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from governance.vault import epochs, generations, keyring, ledger
from governance.vault.models import CellGeneration, KeyKind, StoredKey
from governance.vault.router import KEY_STORE


@dataclass(frozen=True, slots=True)
class ShredReport:
    """How many keys a person had, and when they were destroyed."""

    keys: int
    at: datetime


def destroy_cell(*, subject: str, application: str, category: str) -> list[str]:
    """Destroy every key of a cell; return their ids. The next seal opens a fresh generation."""
    scope = keyring.cell_scope(application=application, category=category)
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        destroyed = _delete(StoredKey.objects.filter(kind=KeyKind.CELL, owner=subject, scope=scope))
        if destroyed:
            last, _ = generations.raised(subject=subject, scope=scope)
            ledger.raise_to("cell", subject, scope, value=last)
    return destroyed


def advance_generation(
    *, subject: str, application: str, category: str, past: int
) -> tuple[int, int]:
    """Raise a cell's generation for the survivors of a partial deletion; return (old, new).

    A generation beyond `past` is left as it is: whoever was here before has raised it.
    """
    scope = keyring.cell_scope(application=application, category=category)
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        return generations.raised(subject=subject, scope=scope, past=past)


def destroy_generation(*, subject: str, application: str, category: str, generation: int) -> None:
    """Destroy one generation's key; the cell goes on with a later one."""
    scope = keyring.cell_scope(application=application, category=category)
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        own = StoredKey.objects.filter(kind=KeyKind.CELL, owner=subject, scope=scope)
        _delete(own.filter(generation=generation))
        ledger.bury("generation", subject, scope, str(generation), keys=1, at=timezone.now())
        cell = CellGeneration.objects.filter(subject=subject, scope=scope, number=generation)
        if cell.exists():
            generations.raised(subject=subject, scope=scope)


def generation_stands(*, subject: str, application: str, category: str, generation: int) -> bool:
    """Say whether one generation of a cell still has its key."""
    scope = keyring.cell_scope(application=application, category=category)
    own = StoredKey.objects.filter(kind=KeyKind.CELL, owner=subject, scope=scope)
    return own.filter(generation=generation).exists()


def destroy_content(*, subject: str, now: datetime | None = None) -> None:
    """Destroy what a person's captured data needs, for good; `destroy_subject` ends the rest.

    In constant time, however much was captured. The log still finds the person's own entries.
    """
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        own = StoredKey.objects.filter(owner=subject)
        count = own.count()
        _delete(own.exclude(kind=KeyKind.PERSON))
        CellGeneration.objects.filter(subject=subject).delete()
        ledger.bury("subject", subject, keys=count, at=now or timezone.now())


def destroy_subject(*, subject: str, now: datetime | None = None) -> ShredReport:
    """Destroy every key of a person (cells, objects, disclosures, tags), for good."""
    at = now or timezone.now()
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        destroyed = _delete(StoredKey.objects.filter(owner=subject))
        CellGeneration.objects.filter(subject=subject).delete()
        line = ledger.bury("subject", subject, keys=len(destroyed), at=at)
    return ShredReport(keys=line.keys, at=line.at)


def destroy_object(*, kind: str, ref: str, now: datetime | None = None) -> None:
    """Destroy an object's key, for good."""
    scope = keyring.object_scope(kind=kind, ref=ref)
    with transaction.atomic(using=KEY_STORE):
        epochs.current(alone=True)
        destroyed = _delete(StoredKey.objects.filter(kind=KeyKind.OBJECT, scope=scope))
        ledger.bury("object", scope, keys=len(destroyed), at=now or timezone.now())


def is_destroyed(*, subject: str) -> bool:
    """Say whether a person's keys were destroyed for good."""
    return ledger.find("subject", subject) is not None


def object_is_destroyed(*, kind: str, ref: str) -> bool:
    """Say whether an object's key was destroyed for good."""
    return ledger.find("object", keyring.object_scope(kind=kind, ref=ref)) is not None


def _delete(keys: QuerySet[StoredKey]) -> list[str]:
    ids = [str(key_id) for key_id in keys.values_list("pk", flat=True)]
    keys.delete()
    return ids
