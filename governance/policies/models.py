"""Purposes, applications, capture policies and retention. Versions are rows and never change.

Triggers of the first migration refuse UPDATE and DELETE on every version, transition, approval and
rule, on both databases. Only `PolicyGeneration` counts up in place.
"""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import F, Q

from governance.policies.categories import Category
from governance.policies.purposes import PROHIBITED_KEYS, PROHIBITED_TERMS
from governance.policies.states import PolicyState


class Purpose(models.Model):
    """Why data is captured. The database itself refuses what is prohibited."""

    key = models.CharField(max_length=64, primary_key=True)
    broader = models.CharField(max_length=64)
    registered_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_purpose"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(key__in=PROHIBITED_KEYS) & ~Q(broader__in=PROHIBITED_TERMS),
                name="policies_purpose_not_prohibited",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class PurposeVersion(models.Model):
    """The words of a purpose, as they were at one time."""

    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    description = models.TextField(max_length=2000)
    content_digest = models.CharField(max_length=64)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_purpose_version"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["purpose", "number"], name="policies_purpose_number")
        ]

    def __str__(self) -> str:
        return f"{self.purpose_id}@{self.number}"


class Application(models.Model):
    """A program or site people work in. Without an active policy nothing of it is captured."""

    key = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8)
    registered_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_application"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["web", "desktop"]), name="policies_application_kind"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class CapturePolicy(models.Model):
    """The policy of one application: the row that transitions lock."""

    application = models.OneToOneField(
        Application, on_delete=models.PROTECT, related_name="policy", primary_key=True
    )
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_capture_policy"

    def __str__(self) -> str:
        return str(self.pk)


class CapturePolicyVersion(models.Model):
    """What may be captured, as canonical JSON bytes; `author` is a subject key."""

    policy = models.ForeignKey(CapturePolicy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.BinaryField()
    content_digest = models.CharField(max_length=64)
    scope_digest = models.CharField(max_length=64)
    author = models.CharField(max_length=64)
    drafted_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_capture_policy_version"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy", "number"], name="policies_version_number")
        ]

    def __str__(self) -> str:
        return f"{self.policy_id}@{self.number}"


class PolicyTransition(models.Model):
    """One step in the life of a version. The latest one is its state."""

    version = models.ForeignKey(
        CapturePolicyVersion, on_delete=models.PROTECT, related_name="transitions"
    )
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=16)
    actor = models.CharField(max_length=64)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_transition"
        constraints: ClassVar = [
            # Two who act at once cannot both take the next step.
            models.UniqueConstraint(
                fields=["version", "number"], name="policies_transition_number"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in PolicyState]),
                name="policies_transition_state",
            ),
        ]

    def __str__(self) -> str:
        return self.state


class Approval(models.Model):
    """A second person's word on exactly these bytes.

    `author` and `content_digest` repeat the version's, so that the database can compare; a trigger
    refuses a row where they differ from it.
    """

    version = models.ForeignKey(
        CapturePolicyVersion, on_delete=models.PROTECT, related_name="approvals"
    )
    content_digest = models.CharField(max_length=64)
    author = models.CharField(max_length=64)
    approver = models.CharField(max_length=64)
    is_approved = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_approval"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(approver=F("author")), name="policies_approval_four_eyes"
            ),
            models.UniqueConstraint(fields=["version"], name="policies_approval_once"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class RetentionSchedule(models.Model):
    """How long each category of an application is kept, as one numbered set."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="schedules")
    number = models.PositiveIntegerField()
    set_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_retention_schedule"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "number"], name="policies_schedule_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application_id}@{self.number}"


class RetentionRule(models.Model):
    """The days one category is kept under one schedule; its entry is the schedule's."""

    schedule = models.ForeignKey(RetentionSchedule, on_delete=models.PROTECT, related_name="rules")
    category = models.CharField(max_length=32)
    days = models.PositiveIntegerField()

    class Meta:
        db_table = "policies_retention_rule"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["schedule", "category"], name="policies_rule_category_once"
            ),
            models.CheckConstraint(
                condition=Q(days__gte=1, days__lte=365), name="policies_rule_days"
            ),
            models.CheckConstraint(
                condition=Q(category__in=[category.value for category in Category]),
                name="policies_rule_category",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category}: {self.days}"


class Resumption(models.Model):
    """One of two people who want a suspended version back; the second one brings it."""

    suspension = models.ForeignKey(
        PolicyTransition, on_delete=models.PROTECT, related_name="resumptions"
    )
    actor = models.CharField(max_length=64)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_resumption"
        constraints: ClassVar = [
            # The same person twice is one person.
            models.UniqueConstraint(
                fields=["suspension", "actor"], name="policies_resumption_two_people"
            ),
        ]

    def __str__(self) -> str:
        return self.actor


class Stop(models.Model):
    """Capture ended everywhere at this moment; `epoch` is what agents confirm to obey it."""

    number = models.PositiveIntegerField(unique=True)
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=64)
    epoch = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_stop"

    def __str__(self) -> str:
        return str(self.number)


class StopLift(models.Model):
    """One of two people who want capture back; with the second one the stop is over."""

    stop = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="lifts")
    actor = models.CharField(max_length=64)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_stop_lift"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stop", "actor"], name="policies_stop_two_people"),
        ]

    def __str__(self) -> str:
        return self.actor


class CellScope(models.Model):
    """How far a cell reached from `at` on. A consent holds for the digest it was given under.

    A change that only narrows keeps the digest; one that widens, however slightly, gets a fresh
    one, and so finds no consent. An empty scope closes the cell.
    """

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="scopes")
    purpose = models.CharField(max_length=64)
    category = models.CharField(max_length=32)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    scope = models.BinaryField()
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "policies_cell_scope"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "purpose", "category", "number"],
                name="policies_scope_number",
            )
        ]

    def __str__(self) -> str:
        return self.digest


class PolicyGeneration(models.Model):
    """One row that counts changes: agents ask again as soon as it moves.

    `stamp` is drawn anew with every change. Unlike the count it never comes back after a rollback
    or a restored backup, so what was computed under one stamp may be kept.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.PositiveBigIntegerField(default=0)
    stamp = models.UUIDField(default=uuid4)

    class Meta:
        db_table = "policies_generation"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="policies_generation_single")
        ]

    def __str__(self) -> str:
        return str(self.epoch)
