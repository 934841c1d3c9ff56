"""From a sealed batch to stored frames: open, judge every event, redact, seal, forget the original.

Promises: an event is kept only if it was declared, consent covered it at its own time and covers
it now, and the policy allows it; what is refused is counted by reason and never stored; the sealed
original is destroyed together with the frames' first row; done twice, it changes nothing. If
redaction fails, the job fails and nothing of the batch is stored.
Leaves to others: the lease (governance.jobs) and what a name looks like (governance.redaction).
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction

import consent.selectors
from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.errors import LogUnavailableError
from audit.ids import uuid7
from governance.capture import (
    blobs,
    bystander_index,
    cells,
    content,
    frames,
    gate,
    judging,
    never_capture,
    protecting,
    recipes,
    sealed_batch,
    tallies,
)
from governance.capture.errors import BatchMalformedError, RecordGoneError
from governance.capture.models import BatchOutcome, CaptureBatch
from governance.decisions import Reason
from governance.jobs import services as jobs
from governance.jobs.errors import PostponeError
from governance.policies import selectors as policies
from governance.redaction import events as wire
from governance.redaction import evidence, identifiers, pipeline
from governance.vault import sealing
from governance.vault.errors import (
    ConsentEndedError,
    KeyShreddedError,
    KeyStoreBehindError,
    UnsealError,
)

if TYPE_CHECKING:
    from audit.models import Entry

REDACTOR = Actor.system("redactor")
LOG_RETRY_SECONDS = 5


_seq: Final = attrgetter("seq")
_time: Final = attrgetter("t_ns")


@dataclass(frozen=True, slots=True)
class _Kept:
    """The events of one cell that may stay, in order, redacted, and their true span."""

    application: str
    category: str
    lines: list[bytes]
    redaction: Mapping[str, object]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class _Judged:
    """Everything known of a batch once it was opened."""

    kept: list[_Kept]
    refused: Mapping[str, int]
    redacted: Mapping[str, int]
    provenance: Mapping[str, object]
    person: cells.PersonCells | None = None
    application: str = ""
    # Whom each cell that stays showed, and the same as marks (R56).
    forms: identifiers.Forms = field(default_factory=dict)
    marks: Mapping[identifiers.Cell, list[str]] = field(default_factory=dict)


def redact_batch(ref: str, fence: jobs.Fence) -> None:
    """Bring the batch with id `ref` to its end; the handler of jobs of kind `capture:redact`."""
    opened: gate.OpenBatch | None = None
    seen: list[tuple[gate.Waiting, cells.PersonCells]] = []

    def look(waiting: gate.Waiting, epoch: int) -> None:
        seen.append((waiting, _facts(waiting, epoch=epoch, now=waiting.now)))

    with ExitStack() as stack:
        try:
            opened = stack.enter_context(
                gate.open_batch(actor=REDACTOR, batch_id=UUID(ref), look=look)
            )
            judged = _judge(opened, *seen[-1])
        except (LogUnavailableError, KeyStoreBehindError) as error:
            # Neither a stalled log nor a key store put back is a fault of the batch: wait, without
            # using up an attempt.
            raise PostponeError(LOG_RETRY_SECONDS) from error
        except ConsentEndedError:
            raise PostponeError(0) from None
        except RecordGoneError:
            _end_without(UUID(ref), fence)
            return
        except (UnsealError, KeyShreddedError, BatchMalformedError) as error:
            reason = "malformed" if isinstance(error, BatchMalformedError) else "bad_seal"
            judged = _Judged([], {reason: 1}, {}, {})
        _store(seen[-1][0], judged, fence, opened)


def _end_without(batch_id: UUID, fence: jobs.Fence) -> None:
    """End a job whose batch an earlier run, an erasure or a withdrawal has ended."""
    with transaction.atomic():
        CaptureBatch.objects.only("id").get(id=batch_id)
        jobs.finish(fence)


def _facts(batch: gate.Waiting, *, epoch: int, now: datetime) -> cells.PersonCells:
    """Return what is true of the person now; their consent is locked."""
    return cells.locked_cells_of(
        subject=batch.subject, epoch=epoch, device_id=batch.device_id, now=now
    )


def _judge(opened: gate.OpenBatch, batch: gate.Waiting, person: cells.PersonCells) -> _Judged:
    header = sealed_batch.parse(opened.wire).header
    labels = {key: policy.labels for key, policy in person.policies.items()}
    lines, pictures = content.split(content.decompress(opened.plaintext))
    parsed = wire.parse_lines(lines, labels=labels)
    judge = judging.Judge(header, person, received=opened.received_at, now=batch.now)
    redacted = pipeline.redact(
        judge.kept(parsed.events), context=recipes.context_of(str(batch.id)), blobs=pictures
    )
    forms = identifiers.forms(redacted.shown)
    kept, protected = protecting.kept(redacted, forms, person.policies)
    stays = {event.app for event in kept}
    forms = {cell: shown for cell, shown in forms.items() if cell[0] in stays}
    refused = Counter(parsed.refused) + judge.refused + Counter(redacted.refused) + protected
    return _Judged(
        _group(kept, redacted.provenance),
        dict(refused),
        redacted.counts if kept else {},
        redacted.provenance,
        person,
        min((frame.application for frame in header.frames), default=""),
        forms,
        bystander_index.marks(forms),
    )


def quarantine(ref: str) -> None:
    """Say that a batch was given up after five attempts; nothing of it was stored.

    Its sealed original ends with the 72 hours of every original (R54), unread.
    """
    batch = CaptureBatch.objects.get(id=UUID(ref))
    entry = journal.append(
        Action.CAPTURE_REFUSED,
        actor=REDACTOR,
        subject=batch.subject,
        private={"batch": ref, "reason": "quarantined"},
    )
    BatchOutcome.objects.create(
        batch_id=batch.id,
        subject=batch.subject,
        state=BatchOutcome.State.QUARANTINED,
        accepted=0,
        refused={"quarantined": 1},
        redacted={},
        provenance={},
        entry=entry,
    )


def _group(events: list[wire.Event], provenance: Mapping[str, object]) -> list[_Kept]:
    """Sort redacted events into cells. Session control rides with its application's first cell."""
    grouped: dict[tuple[str, str], list[wire.Event]] = {}
    control: list[wire.Event] = []
    for event in events:
        category = wire.category_of(event)
        if category is None:
            control.append(event)
        else:
            grouped.setdefault((event.app, category), []).append(event)
    for event in control:
        home = next((cell for cell in sorted(grouped) if cell[0] == event.app), None)
        if home:
            grouped[home].append(event)
    return [
        _Kept(
            application=application,
            category=category,
            lines=[wire.to_line(event) for event in sorted(kept, key=_seq)],
            redaction={**provenance, "removed": evidence.removed(kept)},
            first=moment(min(map(_time, kept))),
            last=moment(max(map(_time, kept))),
        )
        for (application, category), kept in sorted(grouped.items())
    ]


def _store(
    batch: gate.Waiting, judged: _Judged, fence: jobs.Fence, opened: gate.OpenBatch | None
) -> None:
    """Write frames, outcome and entries, and destroy the original, in one transaction."""
    sealed = [
        (kept, uuid7(), policies.retention(kept.application, kept.category)) for kept in judged.kept
    ]
    with transaction.atomic():
        epoch = consent.selectors.lock(subject=batch.subject, exclusive=False)
        # The job's row is held by it until all of this is committed.
        now = jobs.finish(fence)
        person = _facts(batch, epoch=epoch, now=now)
        if judged.person is not None and judged.person != person:
            # A choice, a pause, a policy or a forgotten span came in between: judge anew.
            raise PostponeError(0)
        if never_capture.met_at_last(judged.forms):
            # Somebody whom it shows was entered in between: judge anew.
            raise PostponeError(0)
        accepted = sum(len(kept.lines) for kept in judged.kept)
        refused = Counter(judged.refused)
        entry = _append(batch, judged, opened, {"accepted": accepted, "epoch": epoch})
        rows: list[blobs.Insert] = []
        marks: list[tuple[UUID, list[str]]] = []
        for kept, frame_id, retention in sealed:
            purposes = person.events.get((kept.application, kept.category), {})
            if not purposes or retention is None:
                # Consent or schedule ended while the batch was being redacted.
                refused[Reason.CONSENT_MISSING.value] += len(kept.lines)
                accepted -= len(kept.lines)
                continue
            rows += _rows_of_frame(batch, kept, frame_id, retention, person, entry)
            marks.append((frame_id, judged.marks.get((kept.application, kept.category), [])))
        rows.append(
            frames.outcome_of(
                batch_id=batch.id,
                subject=batch.subject,
                accepted=accepted,
                refused=refused,
                redacted=judged.redacted,
                provenance=judged.provenance,
                entry=entry,
            )
        )
        frames.write(rows, _destroying_original(batch.id))
        for frame_id, of_frame in marks:
            bystander_index.store(frame_id, of_frame)
        tallies.refuse(refused, application=judged.application)
    if opened is not None:
        opened.is_closed = True


def _append(
    batch: gate.Waiting, judged: _Judged, opened: gate.OpenBatch | None, said: Mapping[str, int]
) -> "Entry":
    """Write that the batch is stored, and with it how its opening ended."""
    stored: journal.Facts = {
        "actor": REDACTOR,
        "subject": batch.subject,
        "purpose": "redaction",
        "act": "store",
        "private": {"batch": str(batch.id), **said},
    }
    acts = [(Action.CAPTURE_REDACTED, stored)]
    if opened is not None:
        acts.insert(0, opened.closing("failed" if judged.person is None else "completed"))
    return journal.append_each(acts)[-1]


def _destroying_original(batch_id: UUID) -> list[frames.Statement]:
    return [("DELETE FROM capture_sealedbatch WHERE batch_id = %s", [batch_id])]


def _rows_of_frame(
    batch: gate.Waiting,
    kept: _Kept,
    frame_id: UUID,
    retention: policies.Retention,
    person: cells.PersonCells,
    entry: "Entry",
) -> list[blobs.Insert]:
    policy = person.policies[kept.application]
    sealed = sealing.seal_frame(
        subject=batch.subject,
        application=kept.application,
        category=kept.category,
        frame_id=frame_id,
        policy_version=policy.version,
        plaintext=content.pack(kept.lines),
    )
    first_hour, last_hour = hour(kept.first), hour(kept.last)
    frame = frames.NewFrame(
        id=frame_id,
        batch_id=batch.id,
        subject=batch.subject,
        application=kept.application,
        category=kept.category,
        policy_version=policy.version,
        schedule_version=retention.schedule,
        consent_events=person.events[(kept.application, kept.category)],
        first_hour=first_hour,
        last_hour=last_hour,
        event_count=len(kept.lines),
        redaction={**kept.redaction, "policy_digest": policy.digest},
        retain_until=first_hour + timedelta(days=retention.days),
    )
    return frames.rows_of(frame, sealed, entry)


def moment(nanoseconds: int) -> datetime:
    """Return int64 nanoseconds UTC as a time, to the microsecond."""
    return datetime.fromtimestamp(nanoseconds // 1000 / 1_000_000, tz=UTC)


def hour(at: datetime) -> datetime:
    """Return the clear form of a time: its hour."""
    return at.replace(minute=0, second=0, microsecond=0)
