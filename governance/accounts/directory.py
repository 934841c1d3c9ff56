"""What the personnel directory says about people: who works here, under whom, until when.

Each change is an entry first, then the row, and raises the person's revision. The directory sees
names, units and managers; what anybody chose is not here and cannot be asked for.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import Q, Value
from django.db.models.functions import Upper
from django.db.models.lookups import Exact
from django.utils.crypto import get_random_string, salted_hmac

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.accounts import services
from governance.accounts.errors import (
    ManagerError,
    RevisionError,
    UnknownPersonError,
    UsernameTakenError,
)
from governance.accounts.models import DirectoryToken, Person, RoleAssignment
from governance.accounts.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

DIRECTORY: Final = Actor.system("directory")
_TOKEN_LENGTH: Final = 43


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A person as the directory describes them; `manager` is the key of another of its people."""

    username: str
    display_name: str
    external_id: str = ""
    unit: str = ""
    manager: int | None = None


def people() -> "QuerySet[Person]":
    """Return everybody the directory may see: those it removed are gone for it."""
    return Person.objects.filter(is_gone=False).order_by("pk")


def person(number: int) -> Person:
    """Return one of them. UnknownPersonError."""
    found = people().filter(pk=number).select_related("manager").first()
    if found is None:
        raise UnknownPersonError("The directory knows nobody under this id.")
    return found


def named(username: str) -> Q:
    """Return what finds whoever has a user name, however it is written: by index."""
    return Q(Exact(Upper("username"), Upper(Value(username))))


@transaction.atomic
def add(described: Described) -> Person:
    """Create an employee without a password. UsernameTakenError, ManagerError."""
    _check_free(described, but=None)
    leader = _leader(described.manager)
    made = services.create_person(
        username=described.username,
        display_name=described.display_name,
        actor=DIRECTORY,
        unit=described.unit,
        manager=leader.subject_key if leader else None,
    )
    made.external_id = described.external_id or None
    made.save(update_fields=["external_id"])
    return made


@transaction.atomic
def change(number: int, described: Described, *, revision: int | None = None) -> Person:
    """Let a person be as described. Nothing is written when they are so already.

    With `revision`, only when nobody changed them since: RevisionError. UnknownPersonError,
    UsernameTakenError, ManagerError.
    """
    found = _hold(number, revision)
    _check_free(described, but=found)
    leader = _leader(described.manager)
    _check_line(found, leader)
    wanted: Mapping[str, object] = {
        "username": described.username,
        "display_name": described.display_name,
        "external_id": described.external_id or None,
        "unit": described.unit,
        "manager_id": leader.pk if leader else None,
    }
    changed = sorted(name for name, value in wanted.items() if getattr(found, name) != value)
    if not changed:
        return found
    journal.append(
        Action.ACCOUNT_CHANGED,
        actor=DIRECTORY,
        subject=found.subject_key,
        private={"what": ",".join(changed)},
    )
    for name in changed:
        setattr(found, name, wanted[name])
    return _save(found, changed)


@transaction.atomic
def begin_again(number: int, *, revision: int | None = None) -> Person:
    """Let somebody who left work here again: as an employee, with no consent of before."""
    found = _hold(number, revision)
    if found.is_active:
        return found
    journal.append(
        Action.ACCOUNT_CHANGED,
        actor=DIRECTORY,
        subject=found.subject_key,
        private={"what": "returned"},
    )
    found.is_active = True
    _save(found, ["is_active"])
    services.assign_role(subject=found.subject_key, role=Role.EMPLOYEE, actor=DIRECTORY)
    return found


@transaction.atomic
def end(number: int, *, remove: bool = False, revision: int | None = None) -> Person:
    """Close the account: no sign-in, no role, no device. With `remove`, the directory forgets it.

    The name stays until the data is gone: redaction and the log of accesses need it.
    """
    found = _hold(number, revision)
    changed = []
    if found.is_active:
        journal.append(Action.ACCOUNT_ENDED, actor=DIRECTORY, subject=found.subject_key, private={})
        for held in RoleAssignment.objects.filter(person=found, ended_at=None):
            services.end_role(subject=found.subject_key, role=Role(held.role), actor=DIRECTORY)
        services.revoke_devices(subject=found.subject_key, actor=DIRECTORY)
        found.is_active = False
        found.set_unusable_password()
        changed += ["is_active", "password"]
    if remove:
        found.is_gone = True
        found.username = f"left-{uuid4().hex}"
        found.external_id = None
        changed += ["is_gone", "username", "external_id"]
    return _save(found, changed) if changed else found


def _hold(number: int, revision: int | None) -> Person:
    found = people().select_for_update(of=("self",)).filter(pk=number).first()
    if found is None:
        raise UnknownPersonError("The directory knows nobody under this id.")
    if revision is not None and found.revision != revision:
        raise RevisionError("Somebody changed this person in the meantime.")
    return found


def _save(found: Person, changed: list[str]) -> Person:
    found.revision += 1
    found.save(update_fields=[*changed, "revision"])
    return found


def _check_free(described: Described, *, but: Person | None) -> None:
    others = Person.objects.exclude(pk=but.pk) if but else Person.objects.all()
    if others.filter(named(described.username)).exists():
        raise UsernameTakenError("Somebody has this user name already.")
    taken = described.external_id and others.filter(external_id=described.external_id).exists()
    if taken:
        raise UsernameTakenError("Somebody has this externalId already.")


def _leader(number: int | None) -> Person | None:
    if number is None:
        return None
    found = people().filter(pk=number).first()
    if found is None:
        raise ManagerError("The manager is none of the directory's people.")
    return found


def _check_line(found: Person, leader: Person | None) -> None:
    """Refuse a reporting line that comes back to where it began (R24 walks it upwards)."""
    seen: set[int] = set()
    while leader is not None and leader.pk not in seen:
        if leader.pk == found.pk:
            raise ManagerError("Nobody stands above themselves.")
        seen.add(leader.pk)
        leader = leader.manager


@transaction.atomic
def issue_token(*, name: str) -> str:
    """Return a new token for the directory, shown once: the database keeps a keyed hash."""
    token = get_random_string(_TOKEN_LENGTH)
    entry = journal.append(
        Action.CREDENTIAL_ADDED,
        actor=Actor.system("operator"),
        private={"way": "directory-token", "name": name},
    )
    DirectoryToken.objects.create(name=name, mac=_mac(token), entry=entry)
    return token


def has_token(*, name: str) -> bool:
    """Say whether a token of this name has not ended."""
    return DirectoryToken.objects.filter(name=name, ended_entry=None).exists()


@transaction.atomic
def revoke_token(*, name: str) -> bool:
    """End a token at once; False when there is none of that name."""
    held = DirectoryToken.objects.filter(name=name, ended_entry=None).first()
    if held is None:
        return False
    held.ended_entry = journal.append(
        Action.CREDENTIAL_REMOVED,
        actor=Actor.system("operator"),
        private={"way": "directory-token", "name": name},
    )
    held.save(update_fields=["ended_entry"])
    return True


def is_token(token: str) -> bool:
    """Say whether this is a token of the directory that has not ended."""
    return DirectoryToken.objects.filter(mac=_mac(token), ended_entry=None).exists()


def _mac(token: str) -> bytes:
    return salted_hmac("remit.accounts.directory", token, algorithm="sha256").digest()
