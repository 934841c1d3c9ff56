"""Captured work as rows: what arrived, what is kept, what ended and why.

Batches, frames and their states are append-only (triggers in migration 0002) and, on PostgreSQL,
partitioned by the month in their UUIDv7; nothing points into them by foreign key. Ciphertext
stands apart in rows or objects that can be deleted. Clear times go down to the hour only, so that
no column tells a person's working rhythm (`decisions.md` 25).
"""

from typing import ClassVar

from django.db import models


class CaptureBatch(models.Model):
    """One accepted upload; the id is the agent's own, so a repeat finds its first answer."""

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    subject = models.TextField()
    device_id = models.UUIDField()
    session_id = models.UUIDField()
    wire_digest = models.TextField()
    key_id = models.TextField()
    policy_digest = models.TextField()
    received_hour = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject"], name="capture_batch_subject")]


class SealedBatch(models.Model):
    """The sealed original exactly as it came: gone as soon as its batch reached an end."""

    batch_id = models.UUIDField(primary_key=True)
    subject = models.TextField(db_index=True)
    wire = models.BinaryField()
    received_at = models.DateTimeField()


class CaptureSession(models.Model):
    """How far one agent session got, and how many of its events never came on the way.

    Its number of events and the time in its id tell how somebody works: an erasure deletes it.
    """

    id = models.UUIDField(primary_key=True)
    device_id = models.UUIDField()
    subject = models.TextField(db_index=True)
    next_seq = models.BigIntegerField()
    last_digest = models.TextField()
    # Numbers that were skipped for good: their events were lost, or refused with their batch.
    missing = models.BigIntegerField(db_default=0)


class BatchOutcome(models.Model):
    """How a batch ended: counts by reason and by type, never content."""

    class State(models.TextChoices):
        DONE = "done"
        REFUSED = "refused"
        QUARANTINED = "quarantined"

    batch_id = models.UUIDField(primary_key=True)
    subject = models.TextField(db_index=True)
    state = models.TextField(choices=State)
    accepted = models.PositiveIntegerField()
    refused = models.JSONField()
    redacted = models.JSONField()
    provenance = models.JSONField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class Frame(models.Model):
    """The unit of consent, key, retention, release and recall: one cell of one batch."""

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    batch_id = models.UUIDField()
    subject = models.TextField()
    application = models.TextField()
    category = models.TextField()
    generation = models.PositiveIntegerField()
    policy_version = models.TextField()
    schedule_version = models.TextField()
    # The consent event of every purpose that covered the frame when it was stored.
    consent_events = models.JSONField()
    first_hour = models.DateTimeField()
    last_hour = models.DateTimeField()
    event_count = models.PositiveIntegerField()
    store = models.TextField()
    object_key = models.TextField()
    offset = models.PositiveBigIntegerField()
    length = models.PositiveBigIntegerField()
    ciphertext_digest = models.TextField()
    retain_until = models.DateTimeField()
    redaction = models.JSONField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject"], name="capture_frame_subject")]


class FrameState(models.Model):
    """A frame's life as rows; the latest one counts."""

    class State(models.TextChoices):
        STORED = "stored"
        SUPERSEDED = "superseded"
        DELETED = "deleted"
        EXPIRED = "expired"
        ERASED = "erased"

    id = models.UUIDField(primary_key=True)
    frame_id = models.UUIDField(db_index=True)
    subject = models.TextField()
    state = models.TextField(choices=State)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class LiveFrame(models.Model):
    """The projection that is asked: a row stands here exactly while its frame may be read."""

    frame_id = models.UUIDField(primary_key=True)
    subject = models.TextField()
    application = models.TextField()
    category = models.TextField()
    generation = models.PositiveIntegerField()
    first_hour = models.DateTimeField()
    last_hour = models.DateTimeField()
    retain_until = models.DateTimeField(db_index=True)
    # By what it was redacted, so that what is left to do when that changes is counted at a glance.
    recipe = models.TextField(default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["subject", "application", "category", "first_hour"],
                name="capture_live_cell",
            ),
            models.Index(fields=["category", "recipe"], name="capture_live_recipe"),
        ]


class FrameBlob(models.Model):
    """Small ciphertext kept beside its row; larger ciphertext is an object (see blobs)."""

    key = models.UUIDField(primary_key=True)
    ciphertext = models.BinaryField()


class Rereading(models.Model):
    """Why stored work is redacted again: the recipe changed, or a person reported a miss.

    `sealed` is what was missed, under a key that dies with the person's others or with the job. The
    row is an act of theirs, like a consent: an erasure leaves it, under the key that names nobody.
    """

    class Cause(models.TextChoices):
        RECIPE = "recipe"
        MISS = "miss"

    id = models.UUIDField(primary_key=True)
    cause = models.TextField(choices=Cause)
    recipe = models.TextField()
    subject = models.TextField(blank=True, default="")
    sealed = models.BinaryField(null=True)
    asked_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class ForgottenSpan(models.Model):
    """A span a person asked to forget: what arrives from it later is refused too."""

    id = models.UUIDField(primary_key=True)
    subject = models.TextField(db_index=True)
    start = models.DateTimeField()
    end = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class NeverCapture(models.Model):
    """Somebody who is never to be captured, as a mark that only the key store can make."""

    id = models.UUIDField(primary_key=True)
    mark = models.TextField(db_index=True)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class BystanderMark(models.Model):
    """One identifier that a stored frame showed, as a mark; the row goes with the frame."""

    id = models.BigAutoField(primary_key=True)
    frame_id = models.UUIDField(db_index=True)
    mark = models.TextField(db_index=True)


class RefusalTally(models.Model):
    """How many events of an application were refused for a reason; of whom, nobody counted."""

    application = models.TextField()
    reason = models.TextField()
    events = models.PositiveBigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "reason"], name="capture_refusaltally_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} {self.reason}"


class DispositionRecord(models.Model):
    """That and why one object ended (R71); it says nothing of what the object held."""

    id = models.UUIDField(primary_key=True)
    frame_id = models.UUIDField()
    object_digest = models.TextField()
    application = models.TextField()
    category = models.TextField()
    schedule_version = models.TextField()
    clock = models.TextField()
    method = models.TextField()
    disposed_at = models.DateTimeField()
    disposed_by = models.TextField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class IssuedPolicy(models.Model):
    """Each policy handed to a device: uploads must name one of theirs.

    `offline_until` is how long a device without the service may go on under it; `octets_per_day`
    is what it may send a day.
    """

    digest = models.TextField(primary_key=True)
    device_id = models.UUIDField()
    policy_epoch = models.BigIntegerField()
    consent_epoch = models.BigIntegerField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    offline_until = models.DateTimeField(null=True)
    octets_per_day = models.BigIntegerField(db_default=200 << 20)
    etag = models.TextField()
    envelope = models.BinaryField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["device_id", "-issued_at"], name="capture_policy_latest")
        ]


class PolicyChange(models.Model):
    """Whose policy may be another one now; triggers alone write it, on the tables that say so.

    Each web process reads on from where it stood, and it goes within hours: it says of nobody when
    they decided. `position` is PostgreSQL's number of the transaction.
    """

    id = models.BigAutoField(primary_key=True)
    subject = models.TextField()
    position = models.BigIntegerField(db_index=True)
    # When the tidying up saw it: it is removed by a later one, after every process has read it.
    noticed_at = models.DateTimeField(null=True)


class SeenNonce(models.Model):
    """Signed requests that may not be repeated (RFC 9421 `nonce`), until they expire."""

    id = models.BigAutoField(primary_key=True)
    key_id = models.TextField()
    nonce = models.TextField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key_id", "nonce"], name="capture_nonce_once")
        ]


class DeviceUse(models.Model):
    """What one device sent in one hour; the budget check, dropped after two days."""

    id = models.BigAutoField(primary_key=True)
    device_id = models.UUIDField()
    hour = models.DateTimeField()
    requests = models.PositiveIntegerField(default=0)
    octets = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device_id", "hour"], name="capture_use_once")
        ]
