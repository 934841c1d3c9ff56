"""Writes what became of opened batches: frames, outcomes and entries, and no original any more.

Promises: all of it is one transaction with the ends of the jobs; what was judged is stored only if
everything it was judged by is true still, while the person's consent is held. Batches of one
person's one device may share the transaction.
Leaves to others: opening and judging (governance.capture.runs).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import transaction

import consent.selectors
from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from governance.capture import (
    blobs,
    bystander_index,
    cells,
    content,
    frames,
    gate,
    never_capture,
    tallies,
)
from governance.decisions import Reason
from governance.jobs import services as jobs
from governance.jobs.errors import PostponeError
from governance.policies import selectors as policies
from governance.redaction import identifiers
from governance.vault import sealing

if TYPE_CHECKING:
    from audit.models import Entry

REDACTOR = Actor.system("redactor")


@dataclass(frozen=True, slots=True)
class Kept:
    """The events of one cell that may stay, in order, redacted, and their true span."""

    application: str
    category: str
    lines: list[bytes]
    redaction: Mapping[str, object]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything known of a batch once it was opened."""

    kept: list[Kept]
    refused: Mapping[str, int]
    redacted: Mapping[str, int]
    provenance: Mapping[str, object]
    person: cells.PersonCells | None = None
    application: str = ""
    # Whom each cell that stays showed, and the same as marks (R56).
    forms: identifiers.Forms = field(default_factory=dict)
    marks: Mapping[identifiers.Cell, list[str]] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """How many events stay."""
        return sum(len(kept.lines) for kept in self.kept)


class Run(NamedTuple):
    """A batch, what was made of it, and the right to write that."""

    batch: gate.Waiting
    judged: Judged
    fence: jobs.Fence


class _Frame(NamedTuple):
    """A cell of a batch, sealed, on its way into the store."""

    id: UUID
    kept: Kept
    retention: policies.Retention
    sealed: sealing.SealedFrame


def facts(batch: gate.Waiting, *, epoch: int, now: datetime) -> cells.PersonCells:
    """Return what is true of the person now; their consent is locked."""
    return cells.locked_cells_of(
        subject=batch.subject, epoch=epoch, device_id=batch.device_id, now=now
    )


def store(runs: Sequence[Run], opened: gate.OpenBatches | None) -> None:
    """Write what became of batches of one device, in one transaction."""
    first = runs[0].batch
    retention = cache(policies.retention)
    retained = [
        [retention(kept.application, kept.category) for kept in run.judged.kept] for run in runs
    ]
    with transaction.atomic():
        epoch = consent.selectors.lock(subject=first.subject, exclusive=False)
        # The jobs' rows are held by it until all of this is committed.
        now = jobs.finish_all([run.fence for run in runs])
        person = facts(first, epoch=epoch, now=now)
        _assert_true_still(runs, person)
        rows: list[blobs.Insert] = []
        marks: list[tuple[UUID, list[str]]] = []
        entries = _append(runs, opened, epoch)
        sealed = _sealed(runs, retained, person)
        for run, entry, stored in zip(runs, entries, sealed, strict=True):
            rows += [row for frame in stored for row in _rows_of_frame(run, frame, person, entry)]
            rows.append(_outcome(run, stored, entry))
            marks += [(frame.id, _marks(run, frame)) for frame in stored]
        frames.write(rows, _destroying_originals([run.batch.id for run in runs]))
        for frame_id, of_frame in marks:
            bystander_index.store(frame_id, of_frame)
        for run in runs:
            tallies.refuse(run.judged.refused, application=run.judged.application)
    if opened is not None:
        opened.is_closed = True


def _assert_true_still(runs: Sequence[Run], person: cells.PersonCells) -> None:
    """Have all judged anew where something came in between that they were judged by."""
    for run in runs:
        # A choice, a pause, a policy or a forgotten span.
        if run.judged.person is not None and run.judged.person != person:
            raise PostponeError(0)
        # Somebody whom it shows was entered in the register of those nobody may capture.
        if never_capture.met_at_last(run.judged.forms):
            raise PostponeError(0)


def _append(runs: Sequence[Run], opened: gate.OpenBatches | None, epoch: int) -> "Sequence[Entry]":
    """Write that each batch is stored, and with it how their opening ended."""
    acts: list[tuple[Action, journal.Facts]] = [
        (Action.CAPTURE_REDACTED, _stored(run, epoch)) for run in runs
    ]
    if opened is not None:
        is_whole = all(run.judged.person is not None for run in runs)
        acts.insert(0, opened.closing("completed" if is_whole else "failed"))
    return journal.append_each(acts)[-len(runs) :]


def _stored(run: Run, epoch: int) -> journal.Facts:
    said = {"accepted": run.judged.accepted, "epoch": epoch}
    return {
        "actor": REDACTOR,
        "subject": run.batch.subject,
        "purpose": "redaction",
        "act": "store",
        "private": {"batch": str(run.batch.id), **said},
    }


def _sealed(
    runs: Sequence[Run],
    retained: Sequence[Sequence[policies.Retention]],
    person: cells.PersonCells,
) -> list[list[_Frame]]:
    """Seal what may stay, the frames of each run by themselves."""
    plain: list[sealing.PlainFrame] = []
    of: list[tuple[int, Kept, policies.Retention]] = []
    for number, (run, lasting) in enumerate(zip(runs, retained, strict=True)):
        for kept, retention in zip(run.judged.kept, lasting, strict=True):
            # Else consent ended while the batch was being redacted.
            if person.events.get((kept.application, kept.category)):
                of.append((number, kept, retention))
                plain.append(_plain(kept, person))
    found: list[list[_Frame]] = [[] for _ in runs]
    sealed = sealing.seal_frames(subject=runs[0].batch.subject, frames=plain)
    for (number, kept, retention), frame, one in zip(of, plain, sealed, strict=True):
        found[number].append(_Frame(frame.frame_id, kept, retention, one))
    return found


def _plain(kept: Kept, person: cells.PersonCells) -> sealing.PlainFrame:
    version = person.policies[kept.application].version
    packed = content.pack(kept.lines)
    return sealing.PlainFrame(uuid7(), kept.application, kept.category, version, packed)


def _outcome(run: Run, stored: Sequence[_Frame], entry: "Entry") -> blobs.Insert:
    accepted = sum(len(frame.kept.lines) for frame in stored)
    refused = Counter(run.judged.refused)
    if accepted < run.judged.accepted:
        refused[Reason.CONSENT_MISSING.value] += run.judged.accepted - accepted
    return frames.outcome_of(
        batch_id=run.batch.id,
        subject=run.batch.subject,
        accepted=accepted,
        refused=refused,
        redacted=run.judged.redacted,
        provenance=run.judged.provenance,
        entry=entry,
    )


def _marks(run: Run, frame: _Frame) -> list[str]:
    return run.judged.marks.get((frame.kept.application, frame.kept.category), [])


def _destroying_originals(batches: Sequence[UUID]) -> list[frames.Statement]:
    marks = ", ".join(["%s"] * len(batches))
    return [(f"DELETE FROM capture_sealedbatch WHERE batch_id IN ({marks})", batches)]  # noqa: S608 - marks.


def _rows_of_frame(
    run: Run, frame: _Frame, person: cells.PersonCells, entry: "Entry"
) -> list[blobs.Insert]:
    kept, policy = frame.kept, person.policies[frame.kept.application]
    first_hour, last_hour = hour(kept.first), hour(kept.last)
    row = frames.NewFrame(
        id=frame.id,
        batch_id=run.batch.id,
        subject=run.batch.subject,
        application=kept.application,
        category=kept.category,
        policy_version=policy.version,
        schedule_version=frame.retention.schedule,
        consent_events=person.events[(kept.application, kept.category)],
        first_hour=first_hour,
        last_hour=last_hour,
        event_count=len(kept.lines),
        redaction={**kept.redaction, "policy_digest": policy.digest},
        retain_until=first_hour + timedelta(days=frame.retention.days),
    )
    return frames.rows_of(row, frame.sealed, entry)


def moment(nanoseconds: int) -> datetime:
    """Return int64 nanoseconds UTC as a time, to the microsecond."""
    return datetime.fromtimestamp(nanoseconds // 1000 / 1_000_000, tz=UTC)


def hour(at: datetime) -> datetime:
    """Return the clear form of a time: its hour."""
    return at.replace(minute=0, second=0, microsecond=0)
