"""A house with policies in force, and mira, whose device may record."""

import time
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import pytest

from audit.actors import Actor
from consent import selectors as consents
from consent.selectors import Cell
from consent.services import DecisionAct
from consent.status import ConsentStatus
from governance.capture import gate, intake
from governance.jobs import services as jobs
from governance.rights import services
from tests import make

FORM = sha256(b"test form").hexdigest()
POINTER = Cell(make.TRAIN, make.DESK, "pointer")
CLICK = Cell(make.TRAIN, make.DESK, "click")
POINTER_ELSEWHERE = Cell(make.IMPROVE, make.DESK, "pointer")


@dataclass(slots=True)
class Someone:
    """A person who decides, records and uses rights, as the portal lets them."""

    house: make.House
    name: str
    device: make.Endpoint | None = None

    @property
    def subject(self) -> str:
        return self.house.subject(self.name)

    @property
    def actor(self) -> Actor:
        return self.house.actor(self.name)

    def choose(self, status: ConsentStatus, *cells: Cell) -> DecisionAct:
        return services.choose(
            person_subject=self.subject,
            choices=[services.Answer(*cell, status, self.notice(cell.purpose)) for cell in cells],
            actor=self.actor,
            language="en",
            form_digest=FORM,
        )

    def allow(self, *cells: Cell) -> DecisionAct:
        return self.choose(ConsentStatus.GIVEN, *cells)

    def withdraw(self, *cells: Cell) -> DecisionAct:
        return self.choose(ConsentStatus.WITHDRAWN, *cells)

    def notice(self, purpose: str) -> str:
        notice = consents.current_notice(purpose=purpose, language="en")
        assert notice is not None
        return notice.reference

    def record(self, *categories: str) -> list[UUID]:
        """Upload one event of each category, let the worker run, return what is stored."""
        if self.device is None:
            self.device = make.endpoint(self.house, self.name)
        leaves: dict[str, dict[str, object]] = {
            "pointer": {"type": "mouse.move", "x": 1, "y": 2},
            "click": {"type": "mouse.down", "x": 1, "y": 2, "button": "left"},
        }
        lines = [
            event | {"seq": self.device.next_seq + number}
            for number, event in enumerate(
                make.events(
                    time.time_ns(),
                    *({"app": make.DESK, **leaves[category]} for category in categories),
                )
            )
        ]
        header, wire = make.sealed(
            self.device, lines, {(make.DESK, category): 1 for category in categories}
        )
        intake.accept_batch(
            uploader=intake.Uploader(self.device.device.id, self.subject),
            idempotency_key=str(header["batch_id"]),
            wire=wire,
        )
        jobs.run_due()
        return [frame.id for frame in self.frames()]

    def frames(self) -> list[gate.FrameInfo]:
        return gate.list_frames(
            actor=self.actor,
            purpose="own-access",
            filters=gate.FrameFilter(subject=self.subject),
        )

    def read(self, *frames: UUID) -> list[dict[str, object]]:
        with gate.open_records(actor=self.actor, purpose="own-access", frames=frames) as records:
            return [event for record in records for event in record.events]


@pytest.fixture
def mira(nordhafen: make.House) -> Someone:
    return Someone(nordhafen, "mira")


@pytest.fixture
def carla(nordhafen: make.House) -> Someone:
    return Someone(nordhafen, "carla")
