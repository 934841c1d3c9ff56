"""Impact assessments, works agreements and lawful bases. Rows are added and never changed.

Triggers refuse UPDATE and DELETE on every table here, on both databases, and a decision whose
author or digest is not its version's.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from governance.compliance.jurisdictions import CONSENT_BASIS, INTERESTS_BASIS
from governance.compliance.states import AssessmentState


class Assessment(models.Model):
    """An impact assessment under one key, in all its versions."""

    key = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=24)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_assessment"

    def __str__(self) -> str:
        return self.key


class AssessmentVersion(models.Model):
    """What an assessment says, as canonical JSON bytes; `author` is a subject key."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.BinaryField()
    content_digest = models.CharField(max_length=64)
    author = models.CharField(max_length=64)
    drafted_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_assessment_version"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["assessment", "number"], name="compliance_assessment_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.assessment_id}@{self.number}"


class AssessmentStep(models.Model):
    """One step in the life of a version. The latest one is its state."""

    version = models.ForeignKey(AssessmentVersion, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=24)
    actor = models.CharField(max_length=64)
    reason = models.CharField(max_length=2000, blank=True, default="")
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_assessment_step"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "number"], name="compliance_step_number"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in AssessmentState]),
                name="compliance_step_state",
            ),
        ]

    def __str__(self) -> str:
        return self.state


class AssessmentDecision(models.Model):
    """A second person's word on exactly these bytes; author and digest repeat the version's."""

    version = models.ForeignKey(
        AssessmentVersion, on_delete=models.PROTECT, related_name="decisions"
    )
    content_digest = models.CharField(max_length=64)
    author = models.CharField(max_length=64)
    decider = models.CharField(max_length=64)
    decision = models.CharField(max_length=24)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_assessment_decision"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(decider=F("author")), name="compliance_decision_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return self.decision


class Consultation(models.Model):
    """What the supervisory authority answered before processing began (GDPR 36)."""

    version = models.ForeignKey(
        AssessmentVersion, on_delete=models.PROTECT, related_name="consultations"
    )
    authority = models.CharField(max_length=200)
    reference = models.CharField(max_length=200)
    answer = models.CharField(max_length=2000)
    answered_on = models.DateField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_consultation"

    def __str__(self) -> str:
        return self.reference


class LawfulBasis(models.Model):
    """The one lawful basis of a purpose, with what it stands on; the newest row holds."""

    purpose = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    basis = models.CharField(max_length=32)
    evidence = models.CharField(max_length=500)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_lawful_basis"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purpose", "number"], name="compliance_basis_number"),
            models.CheckConstraint(
                condition=Q(basis__in=[CONSENT_BASIS, INTERESTS_BASIS]),
                name="compliance_basis_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.basis}"


class WorksAgreement(models.Model):
    """What employer and representatives signed: over exactly which scope, from when to when.

    The signed file stays with the parties; its digest here says which one it was.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    application = models.CharField(max_length=64)
    kind = models.CharField(max_length=16)
    reference = models.CharField(max_length=200)
    parties = models.JSONField()
    places = models.JSONField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    scope_digest = models.CharField(max_length=64)
    document_digest = models.CharField(max_length=64)
    recorder = models.CharField(max_length=64)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_works_agreement"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["agreement", "consultation"]),
                name="compliance_agreement_kind",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="compliance_agreement_has_a_span",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class AgreementStep(models.Model):
    """A second person confirmed an agreement, or somebody ended it."""

    agreement = models.ForeignKey(WorksAgreement, on_delete=models.PROTECT, related_name="steps")
    state = models.CharField(max_length=16)
    recorder = models.CharField(max_length=64)
    actor = models.CharField(max_length=64)
    reason = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_agreement_step"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agreement", "state"], name="compliance_agreement_step_once"
            ),
            models.CheckConstraint(
                condition=Q(state="ended") | Q(state="confirmed") & ~Q(actor=F("recorder")),
                name="compliance_agreement_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return self.state


class WorkPlace(models.Model):
    """Where somebody works (ISO 3166); the newest row holds."""

    subject = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    place = models.CharField(max_length=6)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_work_place"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject", "number"], name="compliance_place_number"),
        ]

    def __str__(self) -> str:
        return self.place


class MonitoringNotice(models.Model):
    """What the law of a place wants people to be told; `code` is the profile's."""

    code = models.CharField(max_length=8)
    number = models.PositiveIntegerField()
    texts = models.JSONField()
    digest = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_monitoring_notice"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "number"], name="compliance_notice_number"),
        ]

    def __str__(self) -> str:
        return f"{self.code}@{self.number}"


class MonitoringPosting(models.Model):
    """Where a notice hangs for everybody to see."""

    notice = models.ForeignKey(MonitoringNotice, on_delete=models.PROTECT, related_name="postings")
    where = models.CharField(max_length=300)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_monitoring_posting"

    def __str__(self) -> str:
        return self.where


class Acknowledgement(models.Model):
    """Somebody confirmed to have read a monitoring notice. It consents to nothing (R104)."""

    notice = models.ForeignKey(
        MonitoringNotice, on_delete=models.PROTECT, related_name="acknowledgements"
    )
    subject = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "compliance_acknowledgement"

    def __str__(self) -> str:
        return str(self.pk)
