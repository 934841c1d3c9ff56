"""Builds what tests need with the services themselves, so that no row exists that could not."""

import hashlib
import json
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.actors import Actor
from audit.ids import uuid7
from consent import selectors as consents
from consent import services as consent
from consent.status import ConsentStatus
from governance.accounts import services as accounts
from governance.accounts.models import Device, Person
from governance.accounts.roles import Role
from governance.capture import agent_policy, content
from governance.policies import selectors as policies
from governance.policies import services as policy_services
from governance.policies.categories import WITHOUT_PICTURES, Category
from governance.rights import campaigns
from governance.rights.states import Limit
from tests import groundwork

TRAIN = "train-computer-use-agents"
IMPROVE = "improve-redaction"
PURPOSES = (TRAIN, IMPROVE)
DESK = "freight-desk"
TERMINAL = "warehouse-terminal"
APPLICATIONS = {DESK: "web", TERMINAL: "desktop"}
DAYS = 90
SYSTEM = Actor.system("setup")


@dataclass(frozen=True, slots=True)
class House:
    """The people of Nordhafen by user name, and who acts as what."""

    people: Mapping[str, Person]

    def subject(self, name: str) -> str:
        return self.people[name].subject_key

    def actor(self, name: str, role: Role = Role.EMPLOYEE) -> Actor:
        return Actor(self.subject(name), role.value)

    @property
    def ines(self) -> Actor:
        return self.actor("ines", Role.PRIVACY_OFFICER)

    @property
    def lea(self) -> Actor:
        return self.actor("lea", Role.POLICY_APPROVER)

    @property
    def wanda(self) -> Actor:
        return self.actor("wanda", Role.AUDITOR)

    @property
    def jonas(self) -> Actor:
        return self.actor("jonas", Role.DATA_REQUESTER)


STAFF: Mapping[str, Role | None] = {
    "petra": None,
    "mira": None,
    "tariq": None,
    "carla": None,
    "ines": Role.PRIVACY_OFFICER,
    "lea": Role.POLICY_APPROVER,
    "jonas": Role.DATA_REQUESTER,
    "wanda": Role.AUDITOR,
    "adam": Role.SERVICE_ADMIN,
}


def house(*, more: int = 0) -> House:
    """Make people, purposes, applications, notices, retention and active policies."""
    people: dict[str, Person] = {}
    for name, office in STAFF.items():
        manager = people["petra"].subject_key if name in {"mira", "tariq", "carla"} else None
        people[name] = accounts.create_person(
            username=name,
            display_name=f"{name.capitalize()} Sample",
            password="demo",
            actor=SYSTEM,
            manager=manager,
        )
        if office:
            accounts.assign_role(subject=people[name].subject_key, role=office, actor=SYSTEM)
    for number in range(more):
        name = f"employee{number:02d}"
        people[name] = accounts.create_person(
            username=name, display_name=f"Employee {number}", actor=SYSTEM
        )
    made = House(people)
    for purpose in PURPOSES:
        policy_services.register_purpose(
            key=purpose,
            name=purpose.replace("-", " "),
            description="Training of models that operate the named application. Nothing else.",
            broader="CommercialResearch",
            actor=made.ines,
        )
    for key, kind in APPLICATIONS.items():
        policy_services.register_application(
            key=key, name=key.replace("-", " ").title(), kind=kind, actor=made.ines
        )
        policy_services.set_retention(
            application=key, days=dict.fromkeys(WITHOUT_PICTURES, DAYS), actor=made.ines
        )
    for purpose in PURPOSES:
        consent.publish_notice(
            purpose=purpose,
            texts={language: notice(purpose) for language in ("en", "de", "fr")},
            actor=made.ines,
        )
    for key in APPLICATIONS:
        activate(made, policy_content(key))
    return made


def activate(made: House, body: Mapping[str, object]) -> None:
    """Draft as ines, approve as lea, activate."""
    version = policy_services.draft_policy(content=body, actor=made.ines)
    key, number = str(body["application"]), version.number
    groundwork.lay(
        application=key, number=number, officer=made.ines, approver=made.lea, council=made.wanda
    )
    policy_services.submit(application=key, number=number, actor=made.ines)
    policy_services.approve(
        application=key,
        number=number,
        content_digest=version.content_digest,
        actor=made.lea,
    )
    policy_services.activate(application=key, number=number, actor=made.ines)


def policy_content(
    application: str, categories: Iterable[Category] = tuple(WITHOUT_PICTURES)
) -> dict[str, object]:
    """Return a policy of one application that allows these categories for both purposes."""
    web = APPLICATIONS[application] == "web"
    return {
        "application": application,
        "kind": APPLICATIONS[application],
        "purposes": list(PURPOSES),
        "categories": [category.value for category in categories],
        "matchers": [
            {"kind": "origin", "pattern": "http://127.0.0.1:38749", "id": "form"}
            if web
            else {"kind": "window-title", "pattern": "Expense claim - Demo Corp", "id": "claim"}
        ],
        "titles": [{"id": "claim", "pattern": "Expense claim*"}],
        "urls": [{"id": "form", "pattern": "http://127.0.0.1:38749/form.html"}],
        "fields": [],
        "masks": [],
        "labels": ["Germany", "France", "Meals"],
        "rules": {},
        "places": [groundwork.PLACE],
    }


def notice(purpose: str, categories: Iterable[Category] = WITHOUT_PICTURES) -> dict[str, object]:
    """Return a notice that says all that Art. 13 asks for."""
    told = tuple(categories)
    party = {
        "name": "Nordhafen GmbH",
        "address": "Am Kai 1, 20457 Hamburg, DE",
        "contact": "mailto:privacy@nordhafen.example",
    }
    return {
        "title": purpose.replace("-", " ").capitalize(),
        "introduction": "You decide. If you do nothing, the answer is no.",
        "controller": party,
        "data_protection_officer": party,
        "purpose": {
            "title": purpose,
            "description": "Training of models that operate the named application.",
            "broader": ["dpv:CommercialResearch"],
        },
        "lawful_basis": "eu-gdpr:A6-1-a-explicit-consent",
        "recipients": [party],
        "transfers": "None.",
        "locations": ["loc:DE"],
        "retention": [
            {"application": application, "category": category.value, "days": DAYS}
            for application in APPLICATIONS
            for category in told
        ],
        "rights": "You may see, export, correct, restrict and erase it.",
        "withdrawal": "At any time, in the portal, without giving a reason.",
        "authority": party,
        "complaint": "You may complain to the authority.",
        "obligation": "You need not agree. Nothing happens if you do not.",
        "automated_decisions": "None.",
        "applications": {key: key.replace("-", " ").title() for key in APPLICATIONS},
        "categories": {category.value: category.value for category in told},
    }


def ask(made: House, *names: str) -> None:
    """Let people have worked here for long, and the privacy office ask for consent."""
    for name in names:
        window = campaigns.Window(
            Limit.EMPLOYMENT_BEGAN, date(2020, 1, 1), date(2020, 1, 1), made.subject(name)
        )
        campaigns.limit(window=window, actor=made.ines)
    campaigns.send(purpose=TRAIN, incentive="none", actor=made.ines)


def decide(
    made: House,
    name: str,
    cells: Iterable[tuple[str, str, str]],
    status: ConsentStatus = ConsentStatus.GIVEN,
    now: datetime | None = None,
) -> consent.DecisionAct:
    """Let a person decide (purpose, application, category) cells."""
    return decide_each(made, name, dict.fromkeys(cells, status), now=now)


def decide_each(
    made: House,
    name: str,
    answers: Mapping[tuple[str, str, str], ConsentStatus],
    now: datetime | None = None,
) -> consent.DecisionAct:
    """Let a person answer several cells in one act, each in its own way."""
    offered = {
        (cell.purpose, cell.application, cell.category): cell for cell in policies.offered_cells()
    }
    choices = []
    for (purpose, application, category), status in answers.items():
        shown = consents.current_notice(purpose=purpose, language="en")
        assert shown is not None
        choices.append(
            consent.Choice(
                purpose,
                application,
                category,
                status,
                f"{purpose}@{shown.number}",
                offered[(purpose, application, Category(category))].scope_digest,
            )
        )
    return consent.decide(
        subject=made.subject(name),
        choices=choices,
        actor=made.actor(name),
        language="en",
        form_digest="0" * 64,
        now=now,
    )


@dataclass(slots=True)
class Endpoint:
    """An enrolled device with its key and its place in the session."""

    device: Device
    key: Ed25519PrivateKey
    session_id: UUID = field(default_factory=uuid4)
    next_seq: int = 0
    last_digest: str | None = None

    @property
    def subject(self) -> str:
        return str(self.device.subject)


def endpoint(made: House, name: str) -> Endpoint:
    """Enrol a device for a person."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    code = accounts.make_enrolment_code(subject=made.subject(name))
    device = accounts.enrol_device(code=code, public_key=public, label="NH-L-0412", platform="test")
    return Endpoint(device, key)


def events(start_ns: int, *lines: Mapping[str, object]) -> list[dict[str, object]]:
    """Return events one millisecond apart, numbered from 0; each line gives type, app, leaves."""
    return [
        {"seq": number, "t_ns": start_ns + number * 1_000_000, **line}
        for number, line in enumerate(lines)
    ]


def sealed(
    agent: Endpoint,
    lines: Sequence[Mapping[str, object]],
    cells: Mapping[tuple[str, str], int] | None = None,
    *,
    plaintext: bytes | None = None,
    **changes: object,
) -> tuple[dict[str, object], bytes]:
    """Return (header, wire bytes) of a batch as an agent seals it.

    `cells` are the declared (application, category) counts; `changes` override header fields.
    """
    policy = agent_policy.current(device_id=agent.device.id, subject=agent.subject)
    document = json.loads(_payload(policy.envelope))
    key = document["seal_keys"][0]
    times = [int(str(line["t_ns"])) for line in lines] or [time.time_ns()]
    header: dict[str, object] = {
        "schema": "sealed-batch/1",
        "batch_id": str(uuid7()),
        "device_id": str(agent.device.id),
        "session_id": str(agent.session_id),
        "frames": [
            {
                "application": application,
                "category": category,
                "count": count,
                "t_min": min(times),
                "t_max": max(times),
            }
            for (application, category), count in (cells or {}).items()
        ],
        "seq_from": agent.next_seq,
        "seq_to": agent.next_seq + max(0, len(lines) - 1),
        "policy_digest": hashlib.sha256(_payload(policy.envelope)).hexdigest(),
        "policy_epoch": policy.policy_epoch,
        "consent_epoch": policy.consent_epoch,
        "prev_batch_digest": agent.last_digest,
        "key_id": key["key_id"],
        "created_ns": time.time_ns(),
        **changes,
    }
    body = plaintext
    if body is None:
        body = content.pack(json.dumps(line).encode() for line in lines)
    wire = wrap(header, seal(header, body, key))
    agent.next_seq += len(lines)
    agent.last_digest = hashlib.sha256(wire).hexdigest()
    return header, wire


def header_bytes(header: Mapping[str, object]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def wrap(header: Mapping[str, object], box: bytes) -> bytes:
    clear = header_bytes(header)
    return struct.pack(">I", len(clear)) + clear + box


def seal(header: Mapping[str, object], body: bytes, key: Mapping[str, str]) -> bytes:
    """HPKE-seal as an agent does; independent of the service's own code."""
    import base64

    public = base64.b64decode(key["public"])
    info = b"remit sealed-batch v1\x00" + hashlib.sha256(header_bytes(header)).digest()
    if key["alg"] == "X25519":
        suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
        return suite.encrypt(body, X25519PublicKey.from_public_bytes(public), info)
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    hybrid = MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(public[:1184]),
        X25519PublicKey.from_public_bytes(public[1184:]),
    )
    return suite.encrypt(body, hybrid, info)


def _payload(envelope: bytes) -> bytes:
    import base64

    return base64.b64decode(json.loads(envelope)["payload"])


def moment() -> datetime:
    return datetime.now(tz=UTC)
