"""From a sealed batch to stored frames: open, judge every event, redact, seal, forget the original.

Promises: an event is kept only if it was declared, consent covered it at its own time and covers
it now, and the policy allows it; what is refused is counted by reason and never stored; the sealed
original is destroyed together with the frames' first row; done twice, it changes nothing. If
redaction fails, the job fails and nothing of the batch is stored.
Leaves to others: the lease (governance.jobs) and what a name looks like (governance.redaction).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from operator import attrgetter
from typing import Final
from uuid import UUID

from django.db import transaction

from audit import journal
from audit.actions import Action
from audit.errors import LogUnavailableError
from governance.capture import (
    bystander_index,
    cells,
    content,
    gate,
    judging,
    protecting,
    recipes,
    sealed_batch,
    waiting,
)
from governance.capture.errors import BatchMalformedError, RecordGoneError
from governance.capture.models import BatchOutcome, CaptureBatch
from governance.capture.storing import REDACTOR, Judged, Kept, Run, facts, moment, store
from governance.jobs import services as jobs
from governance.jobs.errors import PostponeError
from governance.redaction import events as wire
from governance.redaction import evidence, identifiers, pipeline
from governance.vault.errors import (
    ConsentEndedError,
    KeyShreddedError,
    KeyStoreBehindError,
    UnsealError,
)

LOG_RETRY_SECONDS = 5
# What is opened together lies in memory together.
_LARGEST_TOGETHER: Final = 128 * 1024


_seq: Final = attrgetter("seq")
_time: Final = attrgetter("t_ns")


def redact_batch(ref: str, fence: jobs.Fence) -> None:
    """Bring the batch with id `ref` to its end; the handler of jobs of kind `capture:redact`."""
    opened: gate.OpenBatches | None = None
    look = _Look()
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(
                gate.open_batches(actor=REDACTOR, batches=[UUID(ref)], look=look)
            )
            judged = _judge(opened.batches[0], look.person)
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
            judged = Judged([], {reason: 1}, {}, {})
        store([Run(look.waiting[0], judged, fence)], opened)


def redact_together(leased: Sequence[tuple[str, jobs.Fence]]) -> None:
    """Bring batches to their end, those of one device together; what is left is done by itself.

    For a backlog: entries, locks and round trips are shared. Whatever goes wrong is raised and has
    changed nothing of its device's batches.
    """
    fences = {UUID(ref): fence for ref, fence in leased}
    for batches in waiting.by_device(list(fences), largest=_LARGEST_TOGETHER):
        if len(batches) > 1:
            look = _Look()
            with gate.open_batches(actor=REDACTOR, batches=batches, look=look) as opened:
                judged = [_judge(batch, look.person) for batch in opened.batches]
                runs = zip(look.waiting, judged, strict=True)
                store([Run(one, made, fences[one.id]) for one, made in runs], opened)


class _Look:
    """What is true of a person while their consent is held, and what of theirs waits."""

    waiting: Sequence[gate.Waiting]
    person: cells.PersonCells

    def __call__(self, waiting: Sequence[gate.Waiting], epoch: int) -> None:
        """Look."""
        self.waiting = waiting
        self.person = facts(waiting[0], epoch=epoch, now=waiting[0].now)


def _end_without(batch_id: UUID, fence: jobs.Fence) -> None:
    """End a job whose batch an earlier run, an erasure or a withdrawal has ended."""
    with transaction.atomic():
        CaptureBatch.objects.only("id").get(id=batch_id)
        jobs.finish(fence)


def _judge(opened: gate.OpenBatch, person: cells.PersonCells) -> Judged:
    batch = opened.waiting
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
    return Judged(
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


def _group(events: list[wire.Event], provenance: Mapping[str, object]) -> list[Kept]:
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
        Kept(
            application=application,
            category=category,
            lines=[wire.to_line(event) for event in sorted(kept, key=_seq)],
            redaction={**provenance, "removed": evidence.removed(kept)},
            first=moment(min(map(_time, kept))),
            last=moment(max(map(_time, kept))),
        )
        for (application, category), kept in sorted(grouped.items())
    ]
