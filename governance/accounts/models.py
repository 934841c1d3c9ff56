"""People, roles and devices: the one place that ties a name to a subject key.

Everything else in the house knows a person by `subject_key` alone. Drop the row here and destroy
the key, and no ledger can be tied to a name again.
"""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from governance.accounts.roles import PERSON_ROLES, Role

LANGUAGES = ("en", "de", "fr")


class Person(AbstractBaseUser):
    """An employee. No flag here gives a right; rights come from the active role alone.

    There is no `last_login`: a clear column must not tell when somebody works (decisions 25).
    """

    username = models.CharField(max_length=64, unique=True)
    display_name = models.CharField(max_length=120)
    subject_key = models.CharField(max_length=36, unique=True)
    # Empty until the person chooses one; until then the browser says which.
    language = models.CharField(max_length=8, blank=True, default="")
    unit = models.CharField(max_length=120, blank=True, default="")
    manager = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="reports"
    )
    is_active = models.BooleanField(default=True)
    # How the personnel directory and the single sign-on name this person.
    external_id = models.CharField(max_length=128, unique=True, null=True, blank=True)
    # Rises with each change that the directory makes; its ETag.
    revision = models.PositiveIntegerField(default=1)
    # The directory removed this person; the row stays until what it is needed for is over.
    is_gone = models.BooleanField(default=False)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    last_login = None  # The inherited column is left out on purpose.
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = BaseUserManager["Person"]()

    class Meta:
        db_table = "accounts_person"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(language__in=("", *LANGUAGES)), name="accounts_person_language"
            ),
            models.CheckConstraint(
                condition=Q(manager__isnull=True) | ~Q(manager=models.F("id")),
                name="accounts_person_is_not_own_manager",
            ),
            # However it is written, a name is one person's; and it is looked up like that.
            models.UniqueConstraint(Upper("username"), name="accounts_person_name"),
        ]

    def __str__(self) -> str:
        return self.subject_key


class RoleAssignment(models.Model):
    """A role somebody holds, from one entry to another. At most one office is held at a time."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="assignments")
    role = models.CharField(max_length=32)
    assigned_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    ended_entry = models.ForeignKey(
        "audit.Entry", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        db_table = "accounts_role_assignment"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(role__in=[role.value for role in PERSON_ROLES]),
                name="accounts_role_is_a_persons",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_entry__isnull=True)
                | Q(ended_at__isnull=False, ended_entry__isnull=False),
                name="accounts_role_ends_with_entry",
            ),
            models.UniqueConstraint(
                fields=["person", "role"],
                condition=Q(ended_at__isnull=True),
                name="accounts_role_held_once",
            ),
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(ended_at__isnull=True) & ~Q(role=Role.EMPLOYEE.value),
                name="accounts_one_office_a_person",
            ),
        ]

    def __str__(self) -> str:
        return self.role


class Device(models.Model):
    """An enrolled capture agent: a public key that speaks for one person's computer."""

    id = models.UUIDField(primary_key=True, editable=False)
    subject = models.CharField(max_length=36, db_index=True)
    label = models.CharField(max_length=80)
    platform = models.CharField(max_length=40)
    public_key = models.BinaryField(max_length=32, unique=True)
    enrolled_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    # Rounded down to the hour, so that the row says "alive", not "at her desk at 8:03".
    last_seen = models.DateTimeField(null=True)
    # The epochs the device said it obeys; its person sees whether a withdrawal has arrived there.
    policy_epoch = models.PositiveBigIntegerField(null=True)
    consent_epoch = models.PositiveBigIntegerField(null=True)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    revoked_entry = models.ForeignKey(
        "audit.Entry", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        db_table = "accounts_device"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_entry__isnull=True)
                | Q(revoked_at__isnull=False, revoked_entry__isnull=False),
                name="accounts_device_revoked_with_entry",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class EnrolmentCode(models.Model):
    """A one-time code, kept only as a MAC. It is a credential in waiting, not a governed fact."""

    code_mac = models.BinaryField(max_length=32, unique=True)
    subject = models.CharField(max_length=36, db_index=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_enrolment_code"

    def __str__(self) -> str:
        return str(self.pk)


class DirectoryToken(models.Model):
    """What the personnel directory shows us, as a keyed hash; it opens that one door."""

    name = models.CharField(max_length=40)
    mac = models.BinaryField(max_length=32, unique=True)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    ended_entry = models.ForeignKey(
        "audit.Entry", on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        db_table = "accounts_directory_token"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(ended_entry__isnull=True),
                name="accounts_directory_token_named_once",
            )
        ]

    def __str__(self) -> str:
        return self.name


class HeldSession(models.Model):
    """A session of somebody, so that they see it and end it: kind of browser and day, no more."""

    id = models.UUIDField(primary_key=True, editable=False)
    session_key = models.CharField(max_length=40, unique=True)
    subject = models.CharField(max_length=36, db_index=True)
    computer = models.BinaryField(max_length=16)
    label = models.CharField(max_length=40)
    way = models.CharField(max_length=16)
    since = models.DateField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "accounts_session"

    def __str__(self) -> str:
        return str(self.id)


class SignInAttempt(models.Model):
    """One failed try, under keyed digests of the account and of where it came from."""

    bucket = models.BinaryField(max_length=16)
    at = models.DateTimeField()

    class Meta:
        db_table = "accounts_sign_in_attempt"
        indexes: ClassVar = [models.Index(fields=["bucket", "at"], name="accounts_attempt_bucket")]

    def __str__(self) -> str:
        return str(self.pk)
