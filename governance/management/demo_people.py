"""The people of Nordhafen, a fictional forwarding company. Any likeness is chance."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from audit.actors import Actor
from governance.accounts import selectors, services
from governance.accounts.roles import Role
from governance.compliance import monitoring

PASSWORD: Final = "demo"  # noqa: S105 - Known to everybody; the demo is for one machine.
_SETUP: Final = Actor.system("setup")


@dataclass(frozen=True, slots=True)
class Character:
    """Somebody of the story. `part` is what the start prints about them; "" prints nothing."""

    username: str
    name: str
    unit: str
    language: str = ""
    office: Role | None = None
    manager: str | None = None
    part: str = ""


PERSONAS: Final = (
    Character("petra", "Petra Lindqvist", "Freight", part="leads Mira, Tariq and Carla"),
    Character(
        *("mira", "Mira Sørensen", "Freight"),
        manager="petra",
        part="opted in to two applications; her recordings are in",
    ),
    Character(
        *("tariq", "Tariq Haddad", "Freight"),
        manager="petra",
        part="was asked and has not answered",
    ),
    Character(
        *("carla", "Carla Brandt", "Freight", "de"),
        manager="petra",
        part="opted in and later withdrew",
    ),
    Character(
        *("ines", "Ines Duarte", "Data protection"),
        office=Role.PRIVACY_OFFICER,
        part="privacy officer",
    ),
    Character(
        *("lea", "Léa Moreau", "Data protection", "fr"),
        office=Role.POLICY_APPROVER,
        part="policy approver",
    ),
    Character(
        *("jonas", "Jonas Weber", "Agent training", "de"),
        office=Role.DATA_REQUESTER,
        part="asks for data to train agents",
    ),
    Character(
        *("wanda", "Wanda Kowalska", "Works council"),
        office=Role.AUDITOR,
        part="auditor for the works council",
    ),
    Character(
        *("adam", "Adam Petrov", "Operations"),
        office=Role.SERVICE_ADMIN,
        part="keeps the service running",
    ),
)

_COLLEAGUES: Final = (
    "Aino Virtanen, Bram de Vries, Celia Navarro, Dario Conti, Elif Yildiz, Finn Olsen, "
    "Greta Hoffmann, Hugo Lambert, Ilse Vermeer, Jakub Novak, Katja Richter, Luca Bianchi, "
    "Malin Bergström, Nils Petersen, Olga Ivanova, Pia Schneider, Quentin Roche, Rosa Almeida, "
    "Sven Carlsson, Tilda Nyberg, Uwe Krämer, Vera Popescu, Willem Jansen, Yara Mansour"
)
_UNITS: Final = ("Freight", "Warehouse", "Billing")
_LANGUAGES: Final = ("en", "de", "fr")

COLLEAGUES: Final = tuple(
    Character(
        username=name.split(" ", 1)[0].lower(),
        name=name,
        unit=_UNITS[number % len(_UNITS)],
        language=_LANGUAGES[number % len(_LANGUAGES)],
    )
    for number, name in enumerate(_COLLEAGUES.split(", "))
)
EVERYBODY: Final = PERSONAS + COLLEAGUES


def hire(*, report: Callable[[int], None]) -> int:
    """Create who is missing, through the services; return how many there are.

    Accounts cannot be made over HTTP: in a company they come from its directory.
    """
    for number, character in enumerate(EVERYBODY, start=1):
        _hire(character)
        report(number)
    return len(EVERYBODY)


def _hire(character: Character) -> None:
    person = selectors.person_by_username(character.username)
    if person is None:
        leader = selectors.person_by_username(character.manager) if character.manager else None
        person = services.create_person(
            username=character.username,
            display_name=character.name,
            password=PASSWORD,
            language=character.language,
            unit=character.unit,
            manager=leader.subject_key if leader else None,
            actor=_SETUP,
        )
    if not monitoring.place_of(person.subject_key)[0]:
        monitoring.record_place(subject=person.subject_key, place="DE", actor=_SETUP)
    office = character.office
    if office and not selectors.holds(subject=person.subject_key, role=office):
        services.assign_role(subject=person.subject_key, role=office, actor=_SETUP)
