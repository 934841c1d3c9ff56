"""Questions about people, roles and devices. None of them changes anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import sql
from governance.accounts.models import Device, Person, RoleAssignment
from governance.accounts.roles import PERSON_ROLES, Role


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device that may speak for its person now."""

    id: UUID
    subject: str
    public_key: bytes


def person_by_subject(subject: str) -> Person | None:
    """Return the person behind a subject key, or None once the tie is cut."""
    return Person.objects.filter(subject_key=subject).first()


def person_by_username(username: str) -> Person | None:
    """Return the person who signs in under this name, or None."""
    return Person.objects.filter(username=username).first()


def person_by_external_id(external_id: str) -> Person | None:
    """Return the person whom the directory names so, or None."""
    return Person.objects.filter(external_id=external_id).first() if external_id else None


def names_of(subjects: Iterable[str]) -> dict[str, str]:
    """Return the display names of the people that are known; for pages that may show them."""
    return dict(
        Person.objects.filter(subject_key__in=set(subjects)).values_list(
            "subject_key", "display_name"
        )
    )


def roles_of(*, subject: str) -> list[Role]:
    """Return the roles somebody holds now, in the order of `PERSON_ROLES`; none when inactive."""
    held = set(
        RoleAssignment.objects.filter(
            person__subject_key=subject, person__is_active=True, ended_at=None
        ).values_list("role", flat=True)
    )
    return [role for role in PERSON_ROLES if role.value in held]


def holds(*, subject: str, role: Role) -> bool:
    """Return whether somebody active holds the role now."""
    return role in roles_of(subject=subject)


def is_consumer(subject: str) -> bool:
    """Return whether somebody asked for data in their office, now or ever, or sits beside one.

    Beside: in the same unit as somebody who holds that office now.
    """
    offices = RoleAssignment.objects.filter(role=Role.DATA_REQUESTER.value)
    if offices.filter(person__subject_key=subject).exists():
        return True
    unit = Person.objects.filter(subject_key=subject).values_list("unit", flat=True).first()
    return bool(unit) and offices.filter(ended_at=None, person__unit=unit).exists()


def device(device_id: UUID) -> Device | None:
    """Return a device, revoked or not, or None."""
    return Device.objects.filter(pk=device_id).first()


def enrolled(device_id: UUID) -> Enrolled | None:
    """Return what a signed request is checked against, or None unless the device is enrolled."""
    found = sql.row(
        "SELECT subject, public_key FROM accounts_device WHERE id = %s AND revoked_at IS NULL",
        [device_id],
    )
    return Enrolled(device_id, found[0], bytes(found[1])) if found else None


def enrolled_devices() -> int:
    """Return how many devices may ask."""
    found = sql.row("SELECT count(*) FROM accounts_device WHERE revoked_at IS NULL", [])
    return int(found[0]) if found else 0


def hold_enrolled(device_id: UUID) -> bool:
    """Say whether a device is enrolled, and keep that so until the transaction ends.

    On SQLite the IMMEDIATE transaction already keeps every other writer out.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise RuntimeError("A device is held by a transaction.")
    statement = "SELECT 1 FROM accounts_device WHERE id = %s AND revoked_at IS NULL"
    if connection.vendor == "postgresql":
        statement += " FOR SHARE"
    return sql.row(statement, [device_id]) is not None


def fleet(*, policy_epoch: int) -> tuple[int, int]:
    """Return how many devices are enrolled, and how many said that they obey this policy epoch."""
    enrolled_now = Device.objects.filter(revoked_at=None)
    return enrolled_now.count(), enrolled_now.filter(policy_epoch__gte=policy_epoch).count()


def devices_of(subject: str) -> list[Device]:
    """Return somebody's devices, newest first, the revoked ones among them."""
    return list(Device.objects.filter(subject=subject).order_by("-enrolled_at", "-id"))


def active_subjects() -> list[str]:
    """Return the subject keys of everybody who works here, in no telling order."""
    return list(
        Person.objects.filter(is_active=True)
        .order_by("subject_key")
        .values_list("subject_key", flat=True)
    )


def settled_before(at: datetime, *, began: set[str]) -> set[str]:
    """Return who has been known here since before a moment, or is in `began`."""
    known = Person.objects.filter(entry__occurred_at__lte=at)
    return set(known.values_list("subject_key", flat=True)) | began


def manages(*, manager: str, subject: str) -> bool:
    """Return whether `manager` stands anywhere above `subject` in the organisation."""
    return manager in chain_above(subject=subject)


def directory() -> list[tuple[str, str]]:
    """Return (name, user name) of everybody, those who left too, so that redaction knows them."""
    return sorted(sql.rows("SELECT display_name, username FROM accounts_person"))


def chain_above(*, subject: str) -> list[str]:
    """Return the subject keys of all managers above somebody, the nearest first."""
    chain: list[str] = []
    above = Person.objects.filter(subject_key=subject).values_list(
        "manager__subject_key", flat=True
    )
    while (nearest := above.first()) is not None and nearest not in chain:
        chain.append(nearest)
        above = Person.objects.filter(subject_key=nearest).values_list(
            "manager__subject_key", flat=True
        )
    return chain


def all_reports(*, manager: str) -> set[str]:
    """Return the subject keys of everybody below somebody, at any depth."""
    below: set[str] = set()
    layer = {manager}
    while layer:
        found = set(
            Person.objects.filter(manager__subject_key__in=layer).values_list(
                "subject_key", flat=True
            )
        )
        layer = found - below - {manager}
        below |= layer
    return below
