"""Notices, decisions, receipts and pauses.

People, purposes, applications and categories are text keys; the one foreign key out of this
package leads to the log entry. Notice versions, events, receipts and pauses are append-only by
trigger: the migration makes the database refuse an UPDATE or a DELETE from anybody. `State` and
`SubjectEpoch` are the only rows that change; both can be rebuilt from the events.
"""

from typing import ClassVar

from django.db import models

from consent.status import ConsentStatus

_KEY = 64


def _status_field() -> "models.CharField[str, str]":
    return models.CharField(max_length=32, choices=[(s.value, s.value) for s in ConsentStatus])


class Notice(models.Model):
    """What people are told about one purpose; `key` is the purpose's key."""

    key = models.SlugField(primary_key=True, max_length=_KEY)
    created_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "consent_notice"


class NoticeVersion(models.Model):
    """One published text in one language. Append-only."""

    id = models.UUIDField(primary_key=True)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    language = models.CharField(max_length=8)
    content = models.JSONField()
    content_digest = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "consent_notice_version"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["notice", "number", "language"], name="consent_notice_version_once"
            )
        ]

    @property
    def reference(self) -> str:
        """The name people and programs use: `purpose@number`."""
        return f"{self.notice_id}@{self.number}"


class ConsentRecord(models.Model):
    """The record of one cell in the sense of ISO/IEC TS 27560. Append-only.

    A cell has one, unless its consent was invalidated: that closes the record, and a later yes
    opens the next `number`.
    """

    id = models.UUIDField(primary_key=True)
    organisation = models.CharField(max_length=_KEY, default="default")
    subject = models.CharField(max_length=_KEY)
    purpose = models.CharField(max_length=_KEY)
    application = models.CharField(max_length=_KEY)
    category = models.CharField(max_length=_KEY)
    number = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "consent_record"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject", "purpose", "application", "category", "number"],
                name="consent_record_once",
            )
        ]


class ConsentEvent(models.Model):
    """One change of one record, with all that GDPR Art. 7(1) asks to be shown. Append-only."""

    id = models.UUIDField(primary_key=True)
    organisation = models.CharField(max_length=_KEY, default="default")
    subject = models.CharField(max_length=_KEY)
    record = models.ForeignKey(ConsentRecord, on_delete=models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()
    status = _status_field()
    occurred_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    notice_version = models.ForeignKey(NoticeVersion, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=8)
    form_digest = models.CharField(max_length=64)
    scope_digest = models.CharField(max_length=64)
    indicated_by = models.CharField(max_length=_KEY)
    decision_id = models.UUIDField()
    previous = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="next"
    )
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "consent_event"
        indexes: ClassVar = [
            models.Index(fields=["subject", "id"], name="consent_event_subject"),
            models.Index(fields=["decision_id"], name="consent_event_decision"),
        ]
        constraints: ClassVar = [
            # One order per record, also for what happens within a millisecond.
            models.UniqueConstraint(fields=["record", "number"], name="consent_event_once"),
            # A yes has an end, and nothing else has one.
            models.CheckConstraint(
                name="consent_event_yes_ends",
                condition=models.Q(status__in=["ConsentGiven", "RenewedConsentGiven"])
                & models.Q(valid_until__gt=models.F("occurred_at"))
                | ~models.Q(status__in=["ConsentGiven", "RenewedConsentGiven"])
                & models.Q(valid_until__isnull=True),
            ),
            # Only the subject says yes; the database itself refuses a proxy (Art. 4(11)).
            models.CheckConstraint(
                name="consent_event_no_proxy",
                condition=~models.Q(status__in=["ConsentGiven", "RenewedConsentGiven"])
                | models.Q(indicated_by=models.F("subject")),
            ),
        ]


class ConsentState(models.Model):
    """The latest event of each cell, so that the check is one row. A projection."""

    id = models.UUIDField(primary_key=True)
    organisation = models.CharField(max_length=_KEY, default="default")
    subject = models.CharField(max_length=_KEY)
    purpose = models.CharField(max_length=_KEY)
    application = models.CharField(max_length=_KEY)
    category = models.CharField(max_length=_KEY)
    status = _status_field()
    valid_from = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)
    scope_digest = models.CharField(max_length=64)
    event = models.OneToOneField(ConsentEvent, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "consent_state"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject", "purpose", "application", "category"],
                name="consent_state_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["valid_until"], name="consent_state_until"),
            models.Index(
                fields=["purpose", "application", "category", "subject"],
                name="consent_state_cell",
            ),
        ]


class SubjectEpoch(models.Model):
    """Counts a person's decisions; the row that intake shares and a decision takes alone."""

    subject = models.CharField(primary_key=True, max_length=_KEY)
    epoch = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "consent_epoch"


class CapturePause(models.Model):
    """A pause begun or ended, of one device or (device null) of all. Append-only."""

    id = models.UUIDField(primary_key=True)
    organisation = models.CharField(max_length=_KEY, default="default")
    subject = models.CharField(max_length=_KEY)
    number = models.PositiveIntegerField()
    device_id = models.UUIDField(null=True)
    is_paused = models.BooleanField()
    occurred_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "consent_pause"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "number"], name="consent_pause_once")
        ]


class ConsentReceipt(models.Model):
    """The signed receipt of one decision act. Append-only."""

    id = models.UUIDField(primary_key=True)
    organisation = models.CharField(max_length=_KEY, default="default")
    subject = models.CharField(max_length=_KEY)
    decision_id = models.UUIDField(unique=True)
    envelope = models.JSONField()
    document_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "consent_receipt"
        indexes: ClassVar = [models.Index(fields=["subject", "id"], name="consent_receipt_subject")]
