"""The enrolled computers as an office sees them: none of them has a person here.

Promise: nothing here follows from what a person decided. The epoch of their consents, a pause and
the hour of the last answer stay with the person; an office reads the day, because the hour would
tell working time, and the policy epoch, because it is the same for everybody.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q, QuerySet, Subquery

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from governance.accounts.errors import UnknownDeviceError
from governance.accounts.models import Device, Person, RoleAssignment
from governance.accounts.roles import OFFICES, Role

if TYPE_CHECKING:
    from audit.models import Entry

PURPOSE = "computer-support"
ACT = "name-computer"


@dataclass(frozen=True, slots=True)
class Computer:
    """One enrolled computer; `is_newest` is None while it never answered."""

    id: UUID
    platform: str
    enrolled_at: datetime
    last_seen: datetime | None
    is_newest: bool | None

    @property
    def number(self) -> str:
        """A short name for it that names nobody: the end of its id, which is random."""
        return self.id.hex[-8:]


@dataclass(frozen=True, slots=True)
class Owner:
    """A computer's person by name, what they call it, and the entry that says it was asked."""

    name: str
    label: str
    entry: "Entry"


@dataclass(frozen=True, slots=True)
class Office:
    """Somebody who holds an office, and since when."""

    name: str
    role: Role
    since: datetime


def computers(
    *, policy_epoch: int, now_behind: bool = False, before: UUID | None = None, limit: int
) -> list[Computer]:
    """Return enrolled computers, the newest first; with `now_behind` those not up to an epoch."""
    rows: QuerySet[Device] = Device.objects.filter(revoked_at=None).order_by("-enrolled_at", "-id")
    if now_behind:
        rows = rows.filter(Q(policy_epoch__lt=policy_epoch) | Q(policy_epoch=None))
    if before is not None:
        then = Subquery(Device.objects.filter(pk=before).values("enrolled_at"))
        rows = rows.filter(Q(enrolled_at__lt=then) | Q(enrolled_at=then, id__lt=before))
    return [
        Computer(
            id=row.id,
            platform=row.platform,
            enrolled_at=row.enrolled_at,
            last_seen=row.last_seen,
            is_newest=None if row.policy_epoch is None else row.policy_epoch >= policy_epoch,
        )
        for row in rows[:limit]
    ]


def offices() -> list[Office]:
    """Return who holds which office, in the order of the offices."""
    rows = RoleAssignment.objects.filter(
        ended_at=None, person__is_active=True, role__in=[role.value for role in OFFICES]
    )
    held = [
        Office(row.person.display_name, Role(row.role), row.assigned_at)
        for row in rows.select_related("person")
    ]
    return sorted(held, key=lambda each: (OFFICES.index(each.role), each.name))


def owner_of(*, device_id: UUID, actor: Actor) -> Owner:
    """Return whose computer it is; an entry about them first.

    They read in their list of accesses that this was looked up. UnknownDeviceError.
    """
    device = Device.objects.filter(pk=device_id, revoked_at=None).first()
    if device is None:
        raise UnknownDeviceError("There is no such device.")
    entry = journal.append_now(
        Action.ACCESS_ALLOWED,
        actor=actor,
        subject=device.subject,
        verdict=Verdict.ALLOW,
        purpose=PURPOSE,
        act=ACT,
        private={"device": str(device.id)},
    )
    person = Person.objects.filter(subject_key=device.subject).first()
    return Owner(person.display_name if person else "", device.label, entry)
