"""A withdrawal and three who rely on the consent, let go at the same moment.

Threads with connections of their own wait at a barrier and then up to four milliseconds more. A
record escapes when it is stored, read or released although the withdrawal was committed before.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from django.db import connections

from audit import health
from audit.models import Entry
from consent.models import ConsentEvent
from consent.status import ConsentStatus
from governance.capture.errors import AccessDeniedError, CaptureError, RecordGoneError
from governance.capture.gate import open_records
from governance.capture.models import Frame, FrameState, LiveFrame
from governance.releases.building import BUILDER
from governance.releases.models import ReleaseFile
from tests import make
from tests.faults import operations
from tests.faults.crashpoints import ALIASES
from tests.faults.operations import World

_JITTER_SECONDS = 0.004
_CELL = "pointer"


@dataclass(slots=True)
class Tally:
    """How many races were run, how they ended, and what escaped."""

    races: int = 0
    # How often the one who relied on the consent was first.
    first: int = 0
    escaped: list[str] = field(default_factory=list)


def run(world: World, rounds: Iterable[int]) -> Tally:
    """Let upload, read and release race against one withdrawal, round after round."""
    tally = Tally()
    for number in rounds:
        _race(world, random.Random(number), tally)
    return tally


RIVALS = 3


def _race(world: World, source: random.Random, tally: Tally) -> None:
    operations.decide(world, "mira", ConsentStatus.GIVEN, _CELL)
    endpoint = world.endpoint("mira")
    operations.accept(endpoint, *operations.batch(endpoint))
    operations.recover()
    rivals = [prepare(world) for prepare in (_upload, _read, _release)]
    outcomes: list[bool] = []
    errors = _together(
        lambda: operations.decide(world, "mira", ConsentStatus.WITHDRAWN, _CELL),
        *(partial(_note, outcomes, rival) for rival in rivals),
        source=source,
    )
    health.forget()
    operations.recover()
    tally.races += RIVALS
    tally.first += sum(outcomes)
    tally.escaped += errors + _escaped(world)


def _note(outcomes: list[bool], rival: Callable[[], bool]) -> None:
    outcomes.append(rival())


def _together(*acts: Callable[[], object], source: random.Random) -> list[str]:
    """Let threads go at once; return what they failed with."""
    barrier = threading.Barrier(len(acts))
    errors: list[str] = []

    def run(act: Callable[[], object], pause: float) -> None:
        try:
            barrier.wait(30)
            time.sleep(pause)
            act()
        except Exception as error:  # noqa: BLE001 - Whatever a thread raises is a finding.
            errors.append(repr(error))
        finally:
            for alias in ALIASES:
                connections[alias].close()

    threads = [
        threading.Thread(target=run, args=(act, source.uniform(0, _JITTER_SECONDS))) for act in acts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def _upload(world: World) -> Callable[[], bool]:
    endpoint = world.endpoint("mira")
    sealed = operations.batch(endpoint)

    def upload() -> bool:
        try:
            operations.accept(endpoint, *sealed)
            operations.settle()
        except CaptureError:
            return False
        return True

    return upload


def _read(world: World) -> Callable[[], bool]:
    frames = list(
        LiveFrame.objects.filter(subject=world.subject("mira"), category=_CELL).values_list(
            "frame_id", flat=True
        )
    )
    assert frames

    def read() -> bool:
        try:
            with open_records(actor=BUILDER, purpose=make.TRAIN, frames=frames):
                return True
        except (AccessDeniedError, RecordGoneError):
            return False

    return read


def _release(world: World) -> Callable[[], bool]:
    operations.order_release(world)

    def build() -> bool:
        before = ReleaseFile.objects.filter(subject=world.subject("mira")).count()
        operations.settle()
        return ReleaseFile.objects.filter(subject=world.subject("mira")).count() > before

    return build


def _escaped(world: World) -> list[str]:
    subject = world.subject("mira")
    ended = ConsentEvent.objects.filter(subject=subject, record__category=_CELL).latest("entry_id")
    assert ended.status == ConsentStatus.WITHDRAWN
    later = {"entry_id__gt": ended.entry_id}
    mine = {"subject": subject, "category": _CELL}
    stored = Frame.objects.filter(**mine, **later)
    files = ReleaseFile.objects.filter(subject=subject, recall=None, items__category=_CELL)
    found = {
        "records live on": LiveFrame.objects.filter(**mine).count(),
        "records were stored later": FrameState.objects.filter(
            frame_id__in=stored.values("id"), state=FrameState.State.STORED
        ).count(),
        "files hold the person": files.distinct().count(),
        "reads were allowed later": _reads_of(mine, after=ended.entry_id),
    }
    return [f"{count} {words}" for words, count in found.items() if count]


def _reads_of(mine: dict[str, str], *, after: int) -> int:
    """Count what was opened about the person alone: every other read here is of all of them."""
    from audit.selectors import entries_about

    allowed = Entry.objects.filter(event="access:allowed", purpose=make.TRAIN, id__gt=after)
    later = {str(uuid) for uuid in allowed.values_list("uuid", flat=True)}
    if not later:
        return 0
    cell = f"{make.DESK}/{mine['category']}"
    return sum(
        str(entry.uuid) in later and cell in str(entry.details.get("cells"))
        for entry in entries_about(subject=mine["subject"], limit=16)
    )
