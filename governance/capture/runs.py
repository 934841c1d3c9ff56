"""From a sealed batch to stored frames: open, judge every event, redact, seal, forget the original.

Promises: an event is kept only if it was declared, consent covered it at its own time and covers
it now, and the policy allows it; what is refused is counted by reason and never stored; the sealed
original is destroyed together with the frames' first row; done twice, it changes nothing. If
redaction fails, the job fails and nothing of the batch is stored.
Leaves to others: the lease (governance.jobs) and what a name looks like (governance.redaction).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

import consent.selectors
from audit import health, journal
from audit.actions import Action
from audit.actors import Actor
from audit.errors import LogUnavailableError
from audit.ids import uuid7
from governance.accounts import selectors as accounts
from governance.capture import blobs, cells, content, gate, sealed_batch
from governance.capture.errors import BatchMalformedError, RecordGoneError
from governance.capture.models import (
    BatchOutcome,
    CaptureBatch,
    Frame,
    FrameState,
    LiveFrame,
    SealedBatch,
)
from governance.decisions import CellFacts, Deny, Reason, decide_cell
from governance.jobs import services as jobs
from governance.jobs.errors import PostponeError
from governance.policies import selectors as policies
from governance.redaction import events as wire
from governance.redaction import pipeline
from governance.redaction.directory import Employee
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """The events of one cell that may stay, in order, redacted, and their true span."""

    application: str
    category: str
    lines: list[bytes]
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


def redact_batch(ref: str, fence: jobs.Fence) -> None:
    """Bring the batch with id `ref` to its end; the handler of jobs of kind `capture:redact`."""
    batch = CaptureBatch.objects.get(id=UUID(ref))
    sealed = SealedBatch.objects.filter(batch_id=batch.id).first()
    if sealed is None:  # Ended by an earlier run, an erasure or a withdrawal.
        with transaction.atomic():
            jobs.finish(fence)
        return
    try:
        health.require_open()
        judged = _open_and_judge(batch, sealed)
    except (LogUnavailableError, KeyStoreBehindError) as error:
        # Neither a stalled log nor a key store put back is a fault of the batch: wait, without
        # using up an attempt.
        raise PostponeError(LOG_RETRY_SECONDS) from error
    except (RecordGoneError, ConsentEndedError):
        raise PostponeError(0) from None
    except (UnsealError, KeyShreddedError, BatchMalformedError) as error:
        reason = "malformed" if isinstance(error, BatchMalformedError) else "bad_seal"
        judged = _Judged([], {reason: 1}, {}, {})
    _store(batch, judged, fence)


def _open_and_judge(batch: CaptureBatch, sealed: SealedBatch) -> _Judged:
    header = sealed_batch.parse(bytes(sealed.wire)).header
    now = timezone.now()
    with transaction.atomic():
        epoch = consent.selectors.lock(subject=batch.subject, exclusive=False)
        person = cells.cells_of(
            subject=batch.subject, epoch=epoch, device_id=batch.device_id, now=now
        )
    with gate.open_batch(actor=REDACTOR, batch_id=batch.id) as plaintext:
        labels = {key: policy.labels for key, policy in person.policies.items()}
        parsed = wire.parse_lines(content.decompress(plaintext), labels=labels)
        judge = _Judge(header, person, received=sealed.received_at, now=now)
        events = [event for event in parsed.events if judge.keeps(event)]
        redacted = pipeline.redact(events, context=_context())
    refused = Counter(parsed.refused) + judge.refused
    return _Judged(
        _group(redacted.events), dict(refused), redacted.counts, redacted.provenance, person
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


class _Judge:
    """Says of each event whether it stays, and counts why not."""

    def __init__(
        self,
        header: sealed_batch.Header,
        person: cells.PersonCells,
        *,
        received: datetime,
        now: datetime,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._declared = {
            (frame.application, frame.category): (frame.t_min, frame.t_max)
            for frame in header.frames
        }
        self._applications = {frame.application for frame in header.frames}
        self._sequence = range(header.seq_from, header.seq_to + 1)
        self._seen: set[int] = set()
        self._person = person
        self._facts: dict[tuple[str, str], CellFacts] = {}
        self._received = received
        self._now = now

    def keeps(self, event: wire.Event) -> bool:
        reason = self._refusal(event)
        if reason is None:
            return True
        self.refused[reason] += 1
        return False

    def _refusal(self, event: wire.Event) -> str | None:
        if event.seq not in self._sequence or event.seq in self._seen:
            return Reason.NOT_DECLARED.value
        self._seen.add(event.seq)
        category = next(iter(wire.categories_of(event)), None)
        if category is None:
            return None if event.app in self._applications else Reason.NOT_DECLARED.value
        declared = self._declared.get((event.app, category))
        if declared is None:
            return Reason.NOT_DECLARED.value
        if not declared[0] <= event.t_ns <= declared[1]:
            return Reason.OUTSIDE_DECLARED_TIME.value
        verdict = decide_cell(
            self._facts_of((event.app, category)),
            # Agent time is bounded by receipt time.
            at=min(moment(event.t_ns), self._received),
            now=self._now,
        )
        if isinstance(verdict, Deny):
            return verdict.reason.value
        return self._unlisted(event)

    def _facts_of(self, cell: tuple[str, str]) -> CellFacts:
        if cell not in self._facts:
            self._facts[cell] = self._person.facts(*cell)
        return self._facts[cell]

    def _unlisted(self, event: wire.Event) -> str | None:
        """Refuse pattern ids that the active policy does not list."""
        content = self._person.policies[event.app].content
        for leaf, patterns in (("title_pattern", content.titles), ("url_pattern", content.urls)):
            value = getattr(event, leaf, None)
            if value is not None and value not in {pattern.id for pattern in patterns}:
                return Reason.PATTERN_NOT_LISTED.value
        return None


def _group(events: list[wire.Event]) -> list[_Kept]:
    """Sort redacted events into cells. Session control rides with its application's first cell."""
    grouped: dict[tuple[str, str], list[wire.Event]] = {}
    control: list[wire.Event] = []
    for event in events:
        category = next(iter(wire.categories_of(event)), None)
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
            lines=[wire.to_line(event) for event in sorted(kept, key=lambda one: one.seq)],
            first=moment(min(event.t_ns for event in kept)),
            last=moment(max(event.t_ns for event in kept)),
        )
        for (application, category), kept in sorted(grouped.items())
    ]


def _store(batch: CaptureBatch, judged: _Judged, fence: jobs.Fence) -> None:
    """Write frames, outcome and entry, and destroy the original, in one transaction."""
    sealed = [
        (kept, uuid7(), policies.retention(kept.application, kept.category)) for kept in judged.kept
    ]
    with transaction.atomic():
        epoch = consent.selectors.lock(subject=batch.subject, exclusive=False)
        fence.assert_held()
        now = timezone.now()
        person = cells.cells_of(
            subject=batch.subject, epoch=epoch, device_id=batch.device_id, now=now
        )
        if judged.person is not None and judged.person != person:
            # A choice, a pause, a policy or a forgotten span came in between: judge anew.
            raise PostponeError(0)
        accepted = sum(len(kept.lines) for kept in judged.kept)
        refused = Counter(judged.refused)
        entry = journal.append(
            Action.CAPTURE_REDACTED,
            actor=REDACTOR,
            subject=batch.subject,
            purpose="redaction",
            act="store",
            private={"batch": str(batch.id), "accepted": accepted, "epoch": epoch},
        )
        for kept, frame_id, retention in sealed:
            purposes = person.events.get((kept.application, kept.category), {})
            if not purposes or retention is None:
                # Consent or schedule ended while the batch was being redacted.
                refused[Reason.CONSENT_MISSING.value] += len(kept.lines)
                accepted -= len(kept.lines)
                continue
            _store_frame(batch, kept, frame_id, retention, person, entry)
        BatchOutcome.objects.create(
            batch_id=batch.id,
            subject=batch.subject,
            state=BatchOutcome.State.DONE if accepted else BatchOutcome.State.REFUSED,
            accepted=accepted,
            refused=dict(sorted(refused.items())),
            redacted=dict(sorted(judged.redacted.items())),
            provenance=dict(judged.provenance),
            entry=entry,
        )
        SealedBatch.objects.filter(batch_id=batch.id).delete()
        jobs.finish(fence)


def _store_frame(
    batch: CaptureBatch,
    kept: _Kept,
    frame_id: UUID,
    retention: policies.Retention,
    person: cells.PersonCells,
    entry: "Entry",
) -> None:
    policy = person.policies[kept.application]
    frame = sealing.seal_frame(
        subject=batch.subject,
        application=kept.application,
        category=kept.category,
        frame_id=frame_id,
        policy_version=policy.version,
        plaintext=content.pack(kept.lines),
    )
    place = blobs.put(frame_id=frame_id, ciphertext=frame.ciphertext)
    first_hour, last_hour = hour(kept.first), hour(kept.last)
    retain_until = first_hour + timedelta(days=retention.days)
    Frame.objects.create(
        id=frame_id,
        batch_id=batch.id,
        subject=batch.subject,
        application=kept.application,
        category=kept.category,
        generation=frame.generation,
        policy_version=policy.version,
        schedule_version=retention.schedule,
        consent_events={
            purpose: str(event)
            for purpose, event in person.events[(kept.application, kept.category)].items()
        },
        first_hour=first_hour,
        last_hour=last_hour,
        event_count=len(kept.lines),
        store=place.store,
        object_key=place.object_key,
        offset=place.offset,
        length=place.length,
        ciphertext_digest=frame.digest.hex(),
        retain_until=retain_until,
        redaction={},
        entry=entry,
    )
    enliven(frame_id=frame_id, entry=entry)


def enliven(*, frame_id: UUID, entry: "Entry") -> None:
    """Write the first state of a stored frame and its row in the projection."""
    frame = Frame.objects.get(id=frame_id)
    FrameState.objects.create(
        id=uuid7(),
        frame_id=frame.id,
        subject=frame.subject,
        state=FrameState.State.STORED,
        at=timezone.now(),
        entry=entry,
    )
    LiveFrame.objects.create(
        frame_id=frame.id,
        subject=frame.subject,
        application=frame.application,
        category=frame.category,
        generation=frame.generation,
        first_hour=frame.first_hour,
        last_hour=frame.last_hour,
        retain_until=frame.retain_until,
    )


def _context() -> pipeline.RedactionContext:
    """Tell the redactor who works here: their names go even where no pattern would see them."""
    people = []
    for name, login in accounts.directory():
        given, _, surname = name.rpartition(" ")
        people.append(Employee(given=given, surname=surname, login=login))
    return pipeline.RedactionContext(directory=tuple(people))


def moment(nanoseconds: int) -> datetime:
    """Return int64 nanoseconds UTC as a time, to the microsecond."""
    return datetime.fromtimestamp(nanoseconds // 1000 / 1_000_000, tz=UTC)


def hour(at: datetime) -> datetime:
    """Return the clear form of a time: its hour."""
    return at.replace(minute=0, second=0, microsecond=0)
