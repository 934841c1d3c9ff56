"""What people asked for and what came of it.

Requests, orders, their steps and certificates are append-only by trigger; where they stand is
their latest step. Exports are the one table with rows that change: what they hold is meant to go.
"""

from typing import ClassVar

from django.db import models

from governance.rights.states import ErasureState, ExportState, Kind, RequestStatus


class RightsRequest(models.Model):
    """Something a person asked for under Art. 15 to 21, with its statutory date. Append-only."""

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    subject = models.TextField()
    kind = models.TextField(choices=[(kind.value, kind.value) for kind in Kind])
    words = models.TextField(blank=True)
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject", "id"], name="rights_request_subject")]


class RequestStep(models.Model):
    """One change of a request. Append-only."""

    id = models.UUIDField(primary_key=True)
    request = models.ForeignKey(RightsRequest, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveIntegerField()
    status = models.TextField(choices=[(status.value, status.value) for status in RequestStatus])
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "number"], name="rights_request_step_once")
        ]


class ErasureOrder(models.Model):
    """The order to erase a person, or (application and category set) one cell. Append-only.

    It is written in the transaction that ends the consent, so that no crash can lose it.
    """

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    subject = models.TextField()
    application = models.TextField(blank=True)
    category = models.TextField(blank=True)
    # The purposes that ended; empty for a whole person.
    purposes = models.JSONField(default=list)
    reason = models.TextField()
    request = models.OneToOneField(
        RightsRequest, null=True, on_delete=models.PROTECT, related_name="order"
    )
    ordered_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject", "id"], name="rights_order_subject")]
        constraints: ClassVar = [
            # A person is erased once.
            models.UniqueConstraint(
                fields=["subject"],
                condition=models.Q(application="", category=""),
                name="rights_order_subject_once",
            )
        ]

    @property
    def is_whole(self) -> bool:
        """Whether it is about the person and not about one cell."""
        return not self.application


class ErasureStep(models.Model):
    """One station reached, with its figures (counts, never names). Append-only."""

    id = models.UUIDField(primary_key=True)
    order = models.ForeignKey(ErasureOrder, on_delete=models.PROTECT, related_name="steps")
    state = models.TextField(choices=[(state.value, state.value) for state in ErasureState])
    at = models.DateTimeField()
    figures = models.JSONField(default=dict)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "state"], name="rights_erasure_step_once")
        ]


class ErasureCertificate(models.Model):
    """The signed certificate of a completed erasure. Append-only."""

    id = models.UUIDField(primary_key=True)
    order = models.OneToOneField(ErasureOrder, on_delete=models.PROTECT, related_name="certificate")
    subject = models.TextField(db_index=True)
    envelope = models.JSONField()
    issued_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class PortabilityExport(models.Model):
    """A copy of all that is stored about a person, sealed, for the person to take away."""

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    subject = models.TextField()
    state = models.TextField(choices=[(state.value, state.value) for state in ExportState])
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    object_key = models.TextField(blank=True)
    length = models.PositiveBigIntegerField(null=True)
    captures = models.PositiveIntegerField(null=True)
    request = models.OneToOneField(RightsRequest, on_delete=models.PROTECT, related_name="export")
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject", "id"], name="rights_export_subject")]
