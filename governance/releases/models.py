"""Requests for data, what two people said to them, and what left the house because of it.

Every table here is append-only (triggers in migration 0002): a step, an approval, a recall is a new
row. The database itself refuses that requester and approvers are the same person, and that one
person approves twice.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from governance.releases.states import ReleaseState, RequestState

APPROVING_ROLES = ("privacy_officer", "policy_approver")


class AccessRequest(models.Model):
    """Somebody asks for data for one registered purpose."""

    id = models.UUIDField(primary_key=True)
    requester = models.TextField()
    purpose = models.CharField(max_length=64)
    applications = models.JSONField()
    categories = models.JSONField()
    reason = models.TextField(max_length=2000)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "releases_access_request"
        indexes: ClassVar = [models.Index(fields=["requester"], name="releases_request_requester")]

    def __str__(self) -> str:
        return str(self.id)


class RequestStep(models.Model):
    """Where a request stood from some moment on."""

    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in RequestState])
    actor = models.TextField()
    note = models.TextField(max_length=2000, blank=True)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "releases_request_step"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "number"], name="releases_step_number")
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.state}"


class AccessApproval(models.Model):
    """One of the two approvals. `requester` repeats the request's, for the CHECK to compare."""

    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="approvals")
    requester = models.TextField()
    approver = models.TextField()
    role = models.CharField(max_length=32)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "releases_access_approval"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(approver=F("requester")), name="releases_approver_is_not_requester"
            ),
            models.CheckConstraint(
                condition=Q(role__in=APPROVING_ROLES), name="releases_approving_role"
            ),
            models.UniqueConstraint(fields=["request", "approver"], name="releases_approver_once"),
            models.UniqueConstraint(fields=["request", "role"], name="releases_role_once"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.role}"


class DatasetRelease(models.Model):
    """What an approved request yields: files of currently consented, redacted, unexpired data.

    `salt` makes each contributor's pseudonym: random per release, the same when a build is retried.
    """

    id = models.UUIDField(primary_key=True)
    request = models.OneToOneField(AccessRequest, on_delete=models.PROTECT, related_name="release")
    requester = models.TextField()
    purpose = models.CharField(max_length=64)
    salt = models.BinaryField()
    ordered_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "releases_release"

    def __str__(self) -> str:
        return str(self.id)


class ReleaseStep(models.Model):
    """Where a release stood from some moment on."""

    release = models.ForeignKey(DatasetRelease, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in ReleaseState])
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "releases_release_step"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["release", "number"], name="releases_release_step_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.release_id}: {self.state}"


class ReleaseManifest(models.Model):
    """The signed description of a release, as consumers verify it."""

    release = models.OneToOneField(
        DatasetRelease, primary_key=True, on_delete=models.PROTECT, related_name="manifest"
    )
    envelope = models.JSONField()
    digest = models.CharField(max_length=64)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "releases_manifest"

    def __str__(self) -> str:
        return str(self.release_id)


class ReleaseFile(models.Model):
    """One contributor's file: sealed under a key of its own that dies when it is recalled."""

    id = models.UUIDField(primary_key=True)
    release = models.ForeignKey(DatasetRelease, on_delete=models.PROTECT, related_name="files")
    name = models.CharField(max_length=80)
    subject = models.TextField()
    object_key = models.TextField()
    length = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    episodes = models.PositiveIntegerField()
    steps = models.PositiveIntegerField()
    retain_until = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "releases_file"
        indexes: ClassVar = [models.Index(fields=["subject"], name="releases_file_subject")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["release", "name"], name="releases_file_name"),
            models.UniqueConstraint(fields=["release", "subject"], name="releases_file_person"),
        ]

    def __str__(self) -> str:
        return self.name


class ReleaseItem(models.Model):
    """One frame that went into a file, so that what becomes of it can reach the file.

    `batch_id` with the cell stays true when a partial deletion gives the frame another id.
    """

    file = models.ForeignKey(ReleaseFile, on_delete=models.PROTECT, related_name="items")
    frame_id = models.UUIDField(db_index=True)
    batch_id = models.UUIDField(db_index=True)
    application = models.CharField(max_length=64)
    category = models.CharField(max_length=32)
    policy_version = models.TextField()
    consent_event = models.TextField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "releases_item"

    def __str__(self) -> str:
        return str(self.frame_id)


class ReleaseRecall(models.Model):
    """One file called back. `envelope` is the signed list of all recalls of the release so far."""

    id = models.UUIDField(primary_key=True)
    release = models.ForeignKey(DatasetRelease, on_delete=models.PROTECT, related_name="recalls")
    file = models.OneToOneField(ReleaseFile, on_delete=models.PROTECT, related_name="recall")
    number = models.PositiveIntegerField()
    reason = models.TextField()
    at = models.DateTimeField()
    envelope = models.JSONField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "releases_recall"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["release", "number"], name="releases_recall_number")
        ]

    def __str__(self) -> str:
        return f"{self.release_id} recall {self.number}"
