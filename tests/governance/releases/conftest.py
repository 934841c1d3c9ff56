"""A house where several people contribute, and jonas asks for their work."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit.actors import Actor
from consent import selectors as consents
from consent.selectors import Cell
from consent.status import ConsentStatus
from governance.capture import gate, intake
from governance.jobs import services as jobs
from governance.releases import selectors, services
from governance.releases.models import AccessRequest, DatasetRelease, ReleaseFile
from governance.rights import services as rights
from tests import make

LEAVES: Mapping[str, list[dict[str, object]]] = {
    "pointer": [{"type": "mouse.move", "x": 11, "y": 12}],
    "click": [
        {"type": "mouse.down", "x": 40, "y": 50, "button": "left", "element_role": "button"},
        {"type": "mouse.up", "x": 40, "y": 50, "button": "left"},
    ],
    "keystroke-text": [
        {"type": "key.down", "key_char": character, "field": "f1", "field_role": "textbox"}
        for character in "to jane.doe@example.com"
    ],
}
ALL = tuple(LEAVES)


@dataclass(slots=True)
class Office:
    """Nordhafen with contributors, and what an office does with a request."""

    house: make.House
    devices: dict[str, make.Endpoint] = field(default_factory=dict)

    def subject(self, name: str) -> str:
        return self.house.subject(name)

    def choose(self, name: str, status: ConsentStatus, *cells: Cell) -> None:
        notices = {}
        for cell in cells:
            notice = consents.current_notice(purpose=cell.purpose, language="en")
            assert notice is not None
            notices[cell] = notice.reference
        rights.choose(
            person_subject=self.subject(name),
            choices=[rights.Answer(*cell, status, notices[cell]) for cell in cells],
            actor=self.house.actor(name),
            language="en",
            form_digest="0" * 64,
        )

    def contribute(self, name: str, *categories: str) -> None:
        """Let someone allow categories of the freight desk and record a little of each."""
        kinds = categories or ALL
        self.choose(
            name, ConsentStatus.GIVEN, *(Cell(make.TRAIN, make.DESK, kind) for kind in kinds)
        )
        self.record(name, *kinds)

    def record(self, name: str, *categories: str) -> None:
        device = self.devices.get(name) or make.endpoint(self.house, name)
        self.devices[name] = device
        lines = [{"app": make.DESK, **leaf} for kind in categories for leaf in LEAVES[kind]]
        numbered = [
            event | {"seq": device.next_seq + number}
            for number, event in enumerate(make.events(time.time_ns(), *lines))
        ]
        cells = {(make.DESK, kind): len(LEAVES[kind]) for kind in categories}
        header, wire = make.sealed(device, numbered, cells)
        intake.accept_batch(
            uploader=intake.Uploader(device.device.id, device.subject),
            idempotency_key=str(header["batch_id"]),
            wire=wire,
        )
        jobs.run_due()

    def frames(self, name: str) -> list[UUID]:
        found = gate.list_frames(
            actor=self.house.actor(name),
            purpose="own-access",
            filters=gate.FrameFilter(subject=self.subject(name)),
        )
        return [frame.id for frame in found]

    def ask(self, purpose: str = make.TRAIN, actor: Actor | None = None) -> AccessRequest:
        return services.request_access(
            wish=services.Wish(purpose, [make.DESK], list(ALL), "To train the desk agent."),
            actor=actor or self.house.jonas,
        )

    def release(self, asked: AccessRequest | None = None) -> DatasetRelease:
        """Ask, approve twice, let the worker build."""
        asked = asked or self.ask()
        services.approve(request_id=asked.id, actor=self.house.ines)
        services.approve(request_id=asked.id, actor=self.house.lea)
        jobs.run_due()
        return DatasetRelease.objects.get(request=asked)

    def file_of(self, release: DatasetRelease, name: str) -> ReleaseFile:
        return ReleaseFile.objects.get(release=release, subject=self.subject(name))

    def fetch(self, release: DatasetRelease, file: ReleaseFile) -> bytes:
        with services.open_file(
            release_id=release.id, name=file.name, purpose=make.TRAIN, actor=self.house.jonas
        ) as opened:
            return opened.plaintext

    def view(self, release: DatasetRelease) -> selectors.ReleaseView:
        return selectors.release(release_id=release.id, reader=self.house.jonas)


CONTRIBUTORS = ("mira", "tariq", "carla")


@pytest.fixture
def office(nordhafen: make.House, settings: Settings) -> Office:
    settings.REMIT_MIN_CONTRIBUTORS = len(CONTRIBUTORS)
    return Office(nordhafen)


@pytest.fixture
def recalls_are_told(
    time_machine: Callable[[datetime], None], settings: Settings
) -> Callable[[], None]:
    """Let the time go by until what was called back is told."""
    return lambda: time_machine(timezone.now() + timedelta(seconds=settings.REMIT_RECALL_SECONDS))


@pytest.fixture
def contributed(office: Office) -> Office:
    for name in CONTRIBUTORS:
        office.contribute(name)
    return office
