"""What changes about people, roles and devices. Each change is an entry first, then the row."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.accounts import enrolment
from governance.accounts.errors import (
    DeviceKeyError,
    EnrolmentCodeError,
    RoleConflictError,
    RoleNotHeldError,
    UnknownDeviceError,
    UnknownPersonError,
    UsernameTakenError,
)
from governance.accounts.models import Device, EnrolmentCode, Person, RoleAssignment
from governance.accounts.roles import OFFICES, PERSON_ROLES, Role

CODE_MINUTES: Final = 10
ED25519_KEY_BYTES: Final = 32


@transaction.atomic
def create_person(  # noqa: PLR0913 - keyword-only, and each is a column.
    *,
    username: str,
    display_name: str,
    actor: Actor,
    password: str | None = None,
    language: str = "",
    unit: str = "",
    manager: str | None = None,
    now: datetime | None = None,
) -> Person:
    """Create an employee with a fresh subject key; `manager` is the subject key of theirs.

    Without a password the account cannot sign in by password. UsernameTakenError,
    UnknownPersonError (the manager).
    """
    now = now or timezone.now()
    if Person.objects.filter(username=username).exists():
        raise UsernameTakenError("Somebody has this user name already.")
    leader = _person(manager) if manager is not None else None
    subject = str(uuid4())
    entry = journal.append(Action.ACCOUNT_CREATED, actor=actor, subject=subject)
    person = Person(
        username=username,
        display_name=display_name,
        subject_key=subject,
        language=language,
        unit=unit,
        manager=leader,
        entry=entry,
    )
    person.set_password(password)
    person.save(force_insert=True)
    assign_role(subject=subject, role=Role.EMPLOYEE, actor=actor, now=now)
    return person


def choose_language(*, subject: str, language: str) -> None:
    """Remember in which language a person reads; a taste, so the log says nothing of it."""
    Person.objects.filter(subject_key=subject).update(language=language)


def _person(subject: str) -> Person:
    try:
        return Person.objects.get(subject_key=subject)
    except Person.DoesNotExist as error:
        raise UnknownPersonError("Nobody has this subject key.") from error


@transaction.atomic
def assign_role(
    *, subject: str, role: Role, actor: Actor, now: datetime | None = None
) -> RoleAssignment:
    """Give a role. Nobody gives one to themselves, and nobody holds two offices."""
    now = now or timezone.now()
    person = _person(subject)
    if role not in PERSON_ROLES:
        raise RoleConflictError("People do not hold this role.")
    if actor.key == subject:
        raise RoleConflictError("Nobody gives a role to themselves.")
    held = RoleAssignment.objects.filter(person=person, ended_at=None)
    if role in OFFICES and held.filter(role__in=OFFICES).exists():
        raise RoleConflictError("The person holds an office already; it ends first.")
    if held.filter(role=role).exists():
        raise RoleConflictError("The person holds this role already.")
    entry = journal.append(
        Action.ROLE_ASSIGNED, actor=actor, subject=subject, private={"held": role.value}
    )
    try:
        with transaction.atomic():
            return RoleAssignment.objects.create(
                person=person, role=role.value, assigned_at=now, entry=entry
            )
    except IntegrityError as error:  # Another assignment won between the look and the row.
        raise RoleConflictError("The person holds an office already; it ends first.") from error


@transaction.atomic
def end_role(*, subject: str, role: Role, actor: Actor, now: datetime | None = None) -> None:
    """Take a role away; sessions in it end with their next request. RoleNotHeldError."""
    now = now or timezone.now()
    held = (
        RoleAssignment.objects.select_for_update()
        .filter(person=_person(subject), role=role.value, ended_at=None)
        .first()
    )
    if held is None:
        raise RoleNotHeldError("The person does not hold this role.")
    held.ended_entry = journal.append(
        Action.ROLE_ASSIGNED, actor=actor, subject=subject, private={"ended": role.value}
    )
    held.ended_at = now
    held.save(update_fields=["ended_at", "ended_entry"])


@transaction.atomic
def make_enrolment_code(*, subject: str, now: datetime | None = None) -> str:
    """Return a one-time code for one device, valid ten minutes. Earlier open codes die."""
    now = now or timezone.now()
    _person(subject)
    EnrolmentCode.objects.filter(subject=subject, used_at=None).delete()
    EnrolmentCode.objects.filter(expires_at__lt=now).delete()
    code = enrolment.fresh_code()
    EnrolmentCode.objects.create(
        code_mac=enrolment.code_mac(code),
        subject=subject,
        expires_at=now + timedelta(minutes=CODE_MINUTES),
    )
    return code


@transaction.atomic
def enrol_device(
    *, code: str, public_key: bytes, label: str, platform: str, now: datetime | None = None
) -> Device:
    """Spend a code and enrol the device that holds the private half of `public_key`.

    The caller has verified a signature by that key. EnrolmentCodeError, DeviceKeyError.
    """
    now = now or timezone.now()
    if len(public_key) != ED25519_KEY_BYTES:
        raise DeviceKeyError("An Ed25519 public key has 32 bytes.")
    mac = enrolment.code_mac(code)
    live = EnrolmentCode.objects.filter(code_mac=mac, used_at=None, expires_at__gt=now)
    # One UPDATE decides who spends it, so that two devices cannot share a code.
    if live.update(used_at=now) != 1:
        raise EnrolmentCodeError("The code is not valid. Ask for a new one.")
    subject = EnrolmentCode.objects.values_list("subject", flat=True).get(code_mac=mac)
    if not Person.objects.filter(subject_key=subject, is_active=True).exists():
        raise EnrolmentCodeError("The code is not valid. Ask for a new one.")
    if Device.objects.filter(public_key=public_key).exists():
        raise DeviceKeyError("Another device has this key.")
    device = Device(
        # Offices read it: a UUIDv7 would tell the millisecond in which somebody sat there.
        id=uuid4(),
        subject=subject,
        label=label,
        platform=platform,
        public_key=public_key,
        enrolled_at=now,
    )
    device.entry = journal.append(
        Action.DEVICE_ENROLLED,
        actor=Actor(f"device:{device.id}", Role.CAPTURE_AGENT),
        subject=subject,
        private={"device": str(device.id), "label": label, "platform": platform},
    )
    device.save(force_insert=True)
    return device


@transaction.atomic
def revoke_device(
    *, device_id: UUID, actor: Actor, owner: str | None = None, now: datetime | None = None
) -> Device:
    """End a device at once; twice is once. With `owner`, only that person's device.

    UnknownDeviceError says the same of a device that is not there and of another's.
    """
    now = now or timezone.now()
    device = Device.objects.select_for_update().filter(pk=device_id).first()
    if device is None or (owner is not None and device.subject != owner):
        raise UnknownDeviceError("There is no such device.")
    if device.revoked_at is not None:
        return device
    device.revoked_entry = journal.append(
        Action.DEVICE_REVOKED,
        actor=actor,
        subject=device.subject,
        private={"device": str(device.id), "label": device.label},
    )
    device.revoked_at = now
    device.save(update_fields=["revoked_at", "revoked_entry"])
    return device


@transaction.atomic
def revoke_devices(*, subject: str, actor: Actor, now: datetime | None = None) -> int:
    """End every device of a person; return how many there were."""
    EnrolmentCode.objects.filter(subject=subject, used_at=None).delete()
    live = Device.objects.filter(subject=subject, revoked_at=None).values_list("pk", flat=True)
    found = list(live)
    for device_id in found:
        revoke_device(device_id=device_id, actor=actor, now=now)
    return len(found)


def record_heartbeat(
    *, device_id: UUID, policy_epoch: int, consent_epoch: int, now: datetime | None = None
) -> None:
    """Remember that a device reported in this hour and which epochs it obeys.

    The minute would tell working time, so it is not kept.
    """
    hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    seen = {"last_seen": hour, "policy_epoch": policy_epoch, "consent_epoch": consent_epoch}
    Device.objects.filter(pk=device_id).exclude(**seen).update(**seen)
