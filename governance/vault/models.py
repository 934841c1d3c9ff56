"""The tables of the key store. They live in the database "keys" and in no backup of the data."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class KeyKind(models.TextChoices):
    """What a key opens."""

    CELL = "cell"
    OBJECT = "object"
    PERSON = "person"


class Epoch(models.Model):
    """A key-encryption key's lifetime. The key itself is a file outside every database."""

    number = models.PositiveBigIntegerField(primary_key=True)
    started_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "vault_epoch"


class StoredKey(models.Model):
    """A random 256-bit key, wrapped by its epoch's key and bound to its own place."""

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.TextField(choices=KeyKind)
    owner = models.TextField(help_text="Subject key, or a role of the house; empty for nobody's.")
    scope = models.TextField(help_text="application/category of a cell, kind/ref of an object.")
    generation = models.PositiveIntegerField(default=0)
    epoch = models.PositiveBigIntegerField()
    nonce = models.BinaryField()
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "vault_storedkey"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "owner", "scope", "generation"], name="vault_key_place"
            ),
            models.UniqueConstraint(
                fields=["scope"], condition=Q(kind=KeyKind.OBJECT), name="vault_key_object"
            ),
            models.CheckConstraint(condition=Q(kind__in=KeyKind.values), name="vault_key_kind"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner"], name="vault_key_owner"),
        ]


class CellGeneration(models.Model):
    """Which generation of a cell's key seals now. The number never goes back."""

    subject = models.TextField()
    scope = models.TextField()
    number = models.PositiveIntegerField(default=1)
    month = models.DateField(help_text="First day of the month this generation was opened in.")

    class Meta:
        db_table = "vault_cellgeneration"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "scope"], name="vault_generation_cell"),
        ]


class LedgerLine(models.Model):
    """One line of the erasure ledger: what must never exist again, as a keyed token."""

    number = models.PositiveBigIntegerField(primary_key=True)
    token = models.BinaryField(db_index=True, help_text="HMAC under the ledger's key file.")
    value = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    link = models.BinaryField(help_text="SHA-256 over the line before and this one.")

    class Meta:
        db_table = "vault_ledger"


class KeyRelease(models.Model):
    """A line of the vault's own journal (`unwraps`): this key was used under this audit entry."""

    id = models.BigAutoField(primary_key=True)
    entry = models.UUIDField(help_text="The audit entry that allowed it.")
    key = models.TextField(help_text="Id of the stored key, or of the sealing key.")
    released_at = models.DateTimeField(default=timezone.now)
    link = models.BinaryField(
        null=True, help_text="MAC over this line and the one before; none in a line older than it."
    )

    class Meta:
        db_table = "vault_keyrelease"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "key"], name="vault_release_once"),
        ]


class SealKey(models.Model):
    """The public half of a key that agents seal to; the private half is a worker's file."""

    key_id = models.TextField(primary_key=True)
    alg = models.TextField()
    public = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "vault_sealkey"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True) | Q(retired_at__isnull=False),
                name="vault_sealkey_retired_before_destroyed",
            ),
        ]
