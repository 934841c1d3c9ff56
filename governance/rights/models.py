"""What people asked for and what came of it.

Requests, orders, their steps and certificates are append-only by trigger; where they stand is
their latest step. Exports are the one table with rows that change: what they hold is meant to go.
"""

from typing import ClassVar

from django.db import models

from governance.rights.states import (
    EndingReason,
    ErasureState,
    ExportState,
    Kind,
    Limit,
    RequestStatus,
)


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


class Campaign(models.Model):
    """The privacy office asks, once, for one purpose. Append-only; it carries no incentive."""

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    purpose = models.TextField()
    incentive = models.TextField(default="none")
    sender = models.TextField()
    sent_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(incentive="none"), name="rights_campaign_without_incentive"
            )
        ]


class CampaignEnd(models.Model):
    """The privacy office stopped asking before the request lapsed. Append-only."""

    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="end")
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "rights_campaign_end"


class Asked(models.Model):
    """One person was asked by a campaign, and may have said "later". Append-only.

    Who is not asked because of an earlier answer, an exemption or a window leaves no row.
    """

    id = models.UUIDField(primary_key=True)
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="asked")
    subject = models.TextField()
    is_deferral = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["campaign", "subject", "is_deferral"], name="rights_asked_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["subject", "at"], name="rights_asked_subject")]


class AskingLimit(models.Model):
    """When nobody, or one person, may be asked. Append-only; `ends_on` is the last such day."""

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    kind = models.TextField(choices=[(kind.value, kind.value) for kind in Limit])
    # Empty for everybody.
    subject = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class PressureReport(models.Model):
    """Somebody, unnamed, says that people were pressed. Append-only; the day, not the moment."""

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    words = models.TextField()
    reported_on = models.DateField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class PressureFinding(models.Model):
    """What the representatives found: below whom consents to a purpose were not free."""

    report = models.OneToOneField(PressureReport, on_delete=models.PROTECT, related_name="finding")
    is_confirmed = models.BooleanField()
    purpose = models.TextField(blank=True)
    below = models.TextField(blank=True)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class ConsentEnding(models.Model):
    """An officer proposes to end consents of everybody, or of one person. Append-only.

    Empty fields mean all applications, all kinds of data, everybody.
    """

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    reason = models.TextField(choices=[(each.value, each.value) for each in EndingReason])
    words = models.TextField()
    purpose = models.TextField()
    application = models.TextField(blank=True)
    category = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    author = models.TextField()
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class EndingDecision(models.Model):
    """A second officer's word on it; the author is repeated from it. Append-only."""

    ending = models.OneToOneField(
        ConsentEnding, primary_key=True, on_delete=models.PROTECT, related_name="decision"
    )
    is_approved = models.BooleanField()
    author = models.TextField()
    actor = models.TextField()
    role = models.TextField()
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~models.Q(actor=models.F("author")), name="rights_ending_four_eyes"
            )
        ]


class EndingReach(models.Model):
    """It reached a person, whether there was a consent to end or not. Append-only."""

    id = models.UUIDField(primary_key=True)
    ending = models.ForeignKey(ConsentEnding, on_delete=models.PROTECT, related_name="reached")
    subject = models.TextField(db_index=True)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ending", "subject"], name="rights_ending_reach_once")
        ]


class BystanderMail(models.Model):
    """One link mailed within the last day, so that nobody's mailbox is filled; rows go after it."""

    id = models.BigAutoField(primary_key=True)
    mark = models.TextField(db_index=True)
    at = models.DateTimeField(db_index=True)


class BystanderRequest(models.Model):
    """A request of somebody without an account, who read mail of the address. Append-only.

    `sealed` is the address, under a key that dies with the answer; `link` a mark of the mailed
    link. The request's subject is a key made for it alone.
    """

    request = models.OneToOneField(
        RightsRequest, primary_key=True, on_delete=models.PROTECT, related_name="bystander"
    )
    link = models.TextField(unique=True)
    sealed = models.BinaryField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class BystanderAnswer(models.Model):
    """What the office decided on such a request. Append-only."""

    request = models.OneToOneField(
        BystanderRequest, primary_key=True, on_delete=models.PROTECT, related_name="answer"
    )
    is_granted = models.BooleanField()
    words = models.TextField(blank=True)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")


class Participation(models.Model):
    """One month's figure about one purpose. Append-only; `agreed` is the rule's own memory."""

    id = models.UUIDField(primary_key=True)
    organisation = models.TextField(default="default")
    purpose = models.TextField()
    month = models.DateField()
    band = models.TextField(blank=True)
    agreed = models.PositiveIntegerField()
    since = models.DateTimeField()
    # The people it is about stay the same for a quarter.
    population = models.JSONField(default=list)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purpose", "month"], name="rights_participation_once")
        ]
