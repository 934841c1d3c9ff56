"""Ends of captured data: one capture, the last minutes, a cell, a person.

Promises: what is deleted stops being readable in the same transaction; its ciphertext goes with
it; the key it was sealed under is destroyed, survivors of that key having been sealed anew under
the next generation (`decisions.md` 4, 22). Each is safe to repeat, and a job written with the
deletion finishes what a crash cut short.
Leaves to others: destroying a whole cell's or person's keys on withdrawal and erasure (rights);
that job (governance.capture.completion).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

import consent.selectors
import consent.services
from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from governance.capture import blobs, bystander_index, copies, forgotten, gate
from governance.capture.errors import AccessDeniedError, RecordGoneError
from governance.capture.models import (
    CaptureSession,
    DispositionRecord,
    ForgottenSpan,
    Frame,
    FrameState,
    LiveFrame,
    SealedBatch,
)
from governance.capture.storing import hour
from governance.decisions import InternalPurpose, Reason
from governance.jobs import services as jobs
from governance.jobs.clock import database_now
from governance.vault import shredding

if TYPE_CHECKING:
    from audit.models import Entry

ERASER = Actor.system("erasure")
COMPLETE_JOB: Final = "capture:complete"
# Whoever deletes goes on right after the commit; the job is for those who did not live so long.
_COMPLETE_AFTER: Final = timedelta(seconds=30)

Cell = tuple[str, str, str]
Events = list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion did; `entry` is its log entry."""

    frames: int
    entry: "Entry"


def delete_frames(
    *, subject: str, frames: Sequence[UUID], actor: Actor, reason: str = "subject"
) -> Deleted:
    """Delete these captures of one person and destroy the keys they were sealed under.

    Frames that are not this person's, or not live, are left out; deleting twice is harmless.
    """
    chosen = set(
        LiveFrame.objects.filter(subject=subject, frame_id__in=list(frames)).values_list(
            "frame_id", flat=True
        )
    )
    done = _end(
        subject=subject,
        frames=chosen,
        actor=actor,
        state=FrameState.State.DELETED,
        clock=reason,
    )
    renew_keys(subject=subject, cells=cells_of(chosen))
    return done


def forget(*, subject: str, since: datetime, actor: Actor, now: datetime | None = None) -> Deleted:
    """Forget everything from `since` until now: queued, stored, and what still arrives later.

    Exact times are inside the ciphertext only, so frames of the hours concerned are opened, cut
    and sealed anew (as system:erasure, through the gate, each an entry).
    """
    until = now or timezone.now()
    with transaction.atomic(durable=True):
        # Their batches under way are judged anew, by whoever had read what is to be forgotten.
        consent.services.stir(subject=subject)
        entry = journal.append(
            Action.CAPTURE_DELETED,
            actor=actor,
            subject=subject,
            act="forget",
            private={"since": since.isoformat(), "until": until.isoformat()},
        )
        ForgottenSpan.objects.create(
            id=uuid7(), subject=subject, start=since, end=until, entry=entry
        )
        complete_later(entry)
    return Deleted(frames=cut(subject=subject, since=since, until=until), entry=entry)


def cut(*, subject: str, since: datetime, until: datetime, before: int | None = None) -> int:
    """Cut a span out of what is stored; return how many frames lost something.

    `before` names a log entry: only what was stored before it is looked at.
    """
    rows = Frame.objects.filter(subject=subject, last_hour__gte=hour(since))
    if before is not None:
        rows = rows.filter(entry_id__lt=before)
    touched = set(rows.values_list("id", flat=True))

    def kept(events: Events) -> Events:
        return forgotten.outside(events, [(since, until)])

    return renew_keys(subject=subject, cells=cells_of(touched), keep=kept, only=touched)


def purge_cell(*, subject: str, application: str, category: str, actor: Actor) -> Deleted:
    """Remove the ciphertext of one cell whose key is destroyed or about to be."""
    frames = LiveFrame.objects.filter(subject=subject, application=application, category=category)
    return _purge(subject, frames.values_list("frame_id", flat=True), actor, "consent-end")


def purge_subject(*, subject: str, actor: Actor) -> Deleted:
    """Remove all ciphertext of a person, sealed batches included, and how far their agents got."""
    SealedBatch.objects.filter(subject=subject).delete()
    CaptureSession.objects.filter(subject=subject).delete()
    frames = LiveFrame.objects.filter(subject=subject)
    return _purge(subject, frames.values_list("frame_id", flat=True), actor, "erasure")


def _purge(subject: str, frames: Iterable[UUID], actor: Actor, clock: str) -> Deleted:
    return _end(
        subject=subject,
        frames=set(frames),
        actor=actor,
        state=FrameState.State.ERASED,
        clock=clock,
    )


def _end(
    *, subject: str, frames: set[UUID], actor: Actor, state: FrameState.State, clock: str
) -> Deleted:
    """Make frames unreadable and remove their ciphertext, in one transaction with the entry."""
    action = Action.CAPTURE_EXPIRED if state == FrameState.State.EXPIRED else Action.CAPTURE_DELETED
    with transaction.atomic(durable=True):
        consent.selectors.lock(subject=subject, exclusive=True)
        live = list(Frame.objects.filter(id__in=frames, subject=subject))
        entry = journal.append(
            action,
            actor=actor,
            subject=subject,
            act=state.value,
            count=len(live),
            private={
                "cells": sorted({f"{frame.application}/{frame.category}" for frame in live}),
                "clock": clock,
            },
        )
        for frame in live:
            end_one(frame, state=state, entry=entry, actor=actor, clock=clock)
        if live:
            complete_later(entry)
    return Deleted(frames=len(live), entry=entry)


def complete_later(entry: "Entry") -> None:
    """Have a job finish what a crash cuts short after the commit of this entry."""
    run_at = database_now() + _COMPLETE_AFTER
    jobs.add(kind=COMPLETE_JOB, ref=str(entry.uuid), run_at=run_at)


def end_one(
    frame: Frame, *, state: FrameState.State, entry: "Entry", actor: Actor, clock: str
) -> None:
    """End one live frame in the caller's transaction; its ciphertext goes with the commit."""
    if not LiveFrame.objects.filter(frame_id=frame.id).delete()[0]:
        return
    bystander_index.end(frame.id)
    now = timezone.now()
    FrameState.objects.create(
        id=uuid7(), frame_id=frame.id, subject=frame.subject, state=state, at=now, entry=entry
    )
    DispositionRecord.objects.create(
        id=uuid7(),
        frame_id=frame.id,
        object_digest=frame.ciphertext_digest,
        application=frame.application,
        category=frame.category,
        schedule_version=frame.schedule_version,
        clock=clock,
        method="object deleted, key destroyed",
        disposed_at=now,
        disposed_by=actor.key if actor.is_system else "subject",
        entry=entry,
    )
    # A row's ciphertext goes with the transaction; an object's after it, so that a rollback
    # never leaves a readable frame without its bytes.
    if frame.store == blobs.ROW:
        blobs.delete(frame)
    else:
        transaction.on_commit(lambda: blobs.delete(frame))


def expire_frames(*, subject: str, frames: set[UUID], actor: Actor) -> Deleted:
    """End frames whose time is over; destroys the keys of generations that are now empty."""
    cells = cells_of(frames)
    done = _end(
        subject=subject,
        frames=frames,
        actor=actor,
        state=FrameState.State.EXPIRED,
        clock="category",
    )
    for cell, generations in cells.items():
        for generation in generations:
            destroy_when_empty(cell, generation)
    return done


def destroy_when_empty(cell: Cell, generation: int) -> None:
    """Destroy the key of a generation that holds nothing any more."""
    subject, application, category = cell
    with transaction.atomic():
        # Waits for whoever seals under this key just now.
        consent.selectors.lock(subject=subject, exclusive=True)
        if not _survivors(cell, {generation}):
            shredding.destroy_generation(
                subject=subject, application=application, category=category, generation=generation
            )


def cells_of(frames: Iterable[UUID]) -> dict[Cell, set[int]]:
    """Return the generations, by cell, that frames are sealed under and whose keys still stand."""
    found: dict[Cell, set[int]] = {}
    for frame in Frame.objects.filter(id__in=list(frames)):
        cell = (frame.subject, frame.application, frame.category)
        found.setdefault(cell, set()).add(frame.generation)
    standing = {
        cell: {number for number in numbers if _stands(cell, number)}
        for cell, numbers in found.items()
    }
    return {cell: numbers for cell, numbers in standing.items() if numbers}


def _stands(cell: Cell, generation: int) -> bool:
    subject, application, category = cell
    return shredding.generation_stands(
        subject=subject, application=application, category=category, generation=generation
    )


def _survivors(cell: Cell, generations: set[int]) -> list[UUID]:
    subject, application, category = cell
    return list(
        LiveFrame.objects.filter(
            subject=subject,
            application=application,
            category=category,
            generation__in=generations,
        )
        .order_by("frame_id")
        .values_list("frame_id", flat=True)
    )


def renew_keys(
    *,
    subject: str,
    cells: dict[Cell, set[int]],
    keep: Callable[[Events], Events] | None = None,
    only: set[UUID] | None = None,
) -> int:
    """Seal what survives in these generations under the next one, then destroy the old keys.

    `keep` cuts the events of the frames in `only`; a frame left empty is deleted. Returns how many
    frames lost something. A crash between the steps leaves both keys: the next run goes on.
    """
    changed = 0
    for cell, generations in cells.items():
        subject, application, category = cell
        with transaction.atomic():
            # Waits for whoever seals under the old key just now, so that what they store is
            # among the survivors; whoever comes later seals under the next key.
            consent.selectors.lock(subject=subject, exclusive=True)
            shredding.advance_generation(
                subject=subject,
                application=application,
                category=category,
                past=max(generations),
            )
        survivors = _survivors(cell, generations)
        for start in range(0, len(survivors), gate.PAGE):
            page = survivors[start : start + gate.PAGE]
            changed += _reseal_left(page, keep=keep, only=only)
        for generation in generations:
            shredding.destroy_generation(
                subject=subject, application=application, category=category, generation=generation
            )
    return changed


def _reseal_left(
    frames: Sequence[UUID],
    *,
    keep: Callable[[Events], Events] | None,
    only: set[UUID] | None,
) -> int:
    """Reseal what is still there; what another deletion ended meanwhile needs nothing more."""
    try:
        return _reseal(frames, keep=keep, only=only)
    except (RecordGoneError, AccessDeniedError) as error:
        if isinstance(error, AccessDeniedError) and error.reason is not Reason.ERASED:
            raise
        if len(frames) == 1:
            return 0
        return sum(_reseal_left([one], keep=keep, only=only) for one in frames)


def _reseal(
    frames: Sequence[UUID],
    *,
    keep: Callable[[Events], Events] | None,
    only: set[UUID] | None,
) -> int:
    """Replace frames by their survivors under the current generation; return how many were cut."""
    changed = 0
    with gate.open_records(
        actor=ERASER, purpose=InternalPurpose.RETENTION, frames=frames
    ) as records:
        for record in records:
            is_cut = keep is not None and (only is None or record.frame.id in only)
            left = keep(record.events) if keep and is_cut else record.events
            changed += _replace(record.frame.id, left) != len(record.events)
    return changed


def _replace(frame_id: UUID, left: Events) -> int:
    """Store what is left in a frame's place; return how many events that is."""
    old = Frame.objects.get(id=frame_id)
    with transaction.atomic(durable=True):
        consent.selectors.lock(subject=old.subject, exclusive=True)
        if not LiveFrame.objects.filter(frame_id=frame_id).exists():
            return len(left)  # Ended since it was opened: a copy would bring it back.
        # Whoever forgets looks for the frames there were: a copy must not carry events past that.
        left = forgotten.without(left, subject=old.subject)
        entry = journal.append(
            Action.CAPTURE_DELETED,
            actor=ERASER,
            subject=old.subject,
            act="reseal",
            private={"cells": [f"{old.application}/{old.category}"], "left": len(left)},
        )
        if left:
            copies.store(old, left, entry)
        end_one(
            old,
            state=FrameState.State.SUPERSEDED if left else FrameState.State.DELETED,
            entry=entry,
            actor=ERASER,
            clock="partial-deletion",
        )
    return len(left)
