"""A person as SCIM 2.0 writes one: the few attributes that are kept, and nothing else.

What a directory sends beyond them (addresses, telephone numbers, photographs) is read over and
never stored; the published schema says what is.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final

from django.conf import settings
from pydantic import Field
from scim2_models import (
    URN,
    AnyExtension,
    CaseExact,
    ComplexAttribute,
    Extension,
    Meta,
    Reference,
    Required,
    Resource,
    ScimPolicy,
    Uniqueness,
)

from governance.accounts.directory import Described
from governance.accounts.errors import ManagerError

if TYPE_CHECKING:
    from governance.accounts.models import Person

BASE: Final = "/api/v1/scim/v2"
READING: Final = ScimPolicy(unknown=ScimPolicy.Unknown.ignore)
_LONGEST_NUMBER: Final = 18


class Manager(ComplexAttribute):
    """Who a person reports to, by id."""

    value: Annotated[str | None, CaseExact.true] = None
    ref: Reference["User"] | None = Field(  # type: ignore[type-arg]  # By name: User stands below.
        None, serialization_alias="$ref", validation_alias="$ref"
    )


class Enterprise(Extension):
    """The part of the organisation."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    department: str | None = None
    manager: Manager | None = None


class User(Resource[AnyExtension]):
    """A person."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    display_name: Annotated[str | None, Required.true] = None
    active: bool | None = None


Member = User[Enterprise]
MANAGER_PATH: Final = f"{Enterprise.__schema__}:manager"


def location(number: int) -> str:
    """Return the address of a person."""
    return f"{settings.REMIT_EXTERNAL_ORIGIN}{BASE}/Users/{number}"


def version(person: "Person") -> str:
    """Return the entity tag of a person."""
    return f'W/"{person.revision}"'


def written(person: "Person") -> Any:  # noqa: ANN401 - the library composes the class.
    """Return a person as the directory reads them."""
    made = Member(
        id=str(person.pk),
        external_id=person.external_id,
        user_name=person.username,
        display_name=person.display_name,
        active=person.is_active,
        meta=Meta(resource_type="User", location=location(person.pk), version=version(person)),
    )
    if person.unit or person.manager_id:
        made[Enterprise] = Enterprise(
            department=person.unit or None,
            manager=_above(person.manager_id),
        )
    return made


def _above(number: int | None) -> Manager | None:
    if number is None:
        return None
    return Manager.model_validate({"value": str(number), "$ref": location(number)})


def described(resource: Any) -> Described:  # noqa: ANN401 - as above.
    """Return what a written person says. ManagerError for an id that cannot be one."""
    more = resource[Enterprise]
    manager = more.manager.value if more and more.manager else None
    return Described(
        username=resource.user_name or "",
        display_name=resource.display_name or "",
        external_id=resource.external_id or "",
        unit=(more.department or "") if more else "",
        manager=number(manager) if manager else None,
    )


def number(text: str) -> int:
    """Return the number behind an id. ManagerError."""
    if not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise ManagerError("The manager is none of the directory's people.")
    return int(text)


_LIMITS: Final = {"user_name": 64, "display_name": 120, "external_id": 128}
_NEEDED: Final = frozenset({"user_name", "display_name"})
_UNIT: Final = 120


def too_long(resource: Any) -> str:  # noqa: ANN401 - as above.
    """Name the first attribute that does not fit or is empty where it must not be, or nothing."""
    for name, most in _LIMITS.items():
        value = getattr(resource, name) or ""
        if len(value) > most or (name in _NEEDED and not value.strip()):
            return name
    more = resource[Enterprise]
    return "department" if more and len(more.department or "") > _UNIT else ""
