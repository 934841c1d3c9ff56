"""Redacts stored work again: because the recipe changed, or because a person saw what was missed.

Promises: every reading is the redactor's own, through the gate, with its entry; what changed is
stored under a new key and the old key is destroyed; releases that held it hear of it in the same
transaction; killed at any point and started again, the job goes on where it was.
Leaves to others: recalling (releases listen), and the missed value in work that is yet to come.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

import msgspec
from django.db import models, transaction

import consent.selectors
from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.errors import LogUnavailableError
from audit.ids import uuid7
from governance.capture import bystander_index, copies, deletion, forgotten, gate, recipes
from governance.capture.errors import AccessDeniedError, RecordGoneError
from governance.capture.models import Frame, FrameState, LiveFrame, Rereading
from governance.capture.records import OpenRecord
from governance.capture.storing import REDACTOR
from governance.decisions import InternalPurpose
from governance.jobs import services as jobs
from governance.jobs.clock import database_now
from governance.jobs.errors import PostponeError
from governance.redaction import events as wire
from governance.redaction import evidence, identifiers, pipeline
from governance.vault import sealing, shredding
from governance.vault.errors import KeyShreddedError

JOB: Final = "capture:reread"
MISS: Final = "miss"
LOG_RETRY_SECONDS: Final = 5
# How often a person's work is gone through before a worker does something else for a while.
_PASSES: Final = 4
# What holds words of people; a new recipe changes nothing in the rest.
WORDS: Final = ("keystroke-text", "menu-navigation", "screenshot")
# What every look at a picture paints, whatever it says: no finding of its own.
_ALWAYS: Final = frozenset({"UNKNOWN_TEXT", "PICTURE"})

Listener = Callable[[str, Sequence[UUID]], object]
_listeners: list[Listener] = []


@dataclass(frozen=True, slots=True)
class Progress:
    """How many stored records with words were redacted by the present recipe, and how many not."""

    current: int
    stale: int


@dataclass(frozen=True, slots=True)
class _Again:
    """One frame redacted again; `is_changed` when its events are other events now."""

    old: Frame
    events: list[dict[str, object]]
    redaction: dict[str, object]
    is_changed: bool
    marks: Collection[str]


def on_change(listener: Listener) -> Listener:
    """Register who is told, in the transaction, which frames of a person changed."""
    _listeners.append(listener)
    return listener


def progress() -> Progress:
    """Return how far the store is on its way to the present recipe."""
    counted = dict(
        LiveFrame.objects.filter(category__in=WORDS)
        .values_list("recipe")
        .annotate(number=models.Count("frame_id"))
    )
    current = counted.pop(recipes.recipe(), 0)
    return Progress(current=current, stale=sum(counted.values()))


def report_miss(*, subject: str, frame: UUID, value: str, actor: Actor) -> Rereading:
    """Note what redaction missed and have all that holds it redacted again.

    RecordGoneError unless the frame is stored and the person's own. The value is sealed at once:
    it stands in clear nowhere.
    """
    if not LiveFrame.objects.filter(frame_id=frame, subject=subject).exists():
        raise RecordGoneError
    report = uuid7()
    sealed = sealing.seal_object(
        kind=MISS, ref=str(report), subject=subject, plaintext=value.encode()
    )
    with transaction.atomic(durable=True):
        entry = journal.append(
            Action.RIGHTS_REQUESTED,
            actor=actor,
            subject=subject,
            act="report-miss",
            private={"report": str(report), "frame": str(frame)},
        )
        asked = Rereading.objects.create(
            id=report,
            cause=Rereading.Cause.MISS,
            recipe=recipes.recipe(),
            subject=subject,
            sealed=sealed,
            asked_at=database_now(),
            entry=entry,
        )
        jobs.add(kind=JOB, ref=str(report))
    return asked


def ask_for_recipe() -> Rereading | None:
    """Order what the present recipe did not redact to be redacted again, once; None: not needed."""
    recipe = recipes.recipe()
    known = Rereading.objects.filter(cause=Rereading.Cause.RECIPE, recipe=recipe)
    if jobs.is_open(kind=JOB, refs=[str(one) for one in known.values_list("id", flat=True)]):
        return None
    if not progress().stale:
        return None
    with transaction.atomic(durable=True):
        entry = journal.append(
            Action.CAPTURE_REDACTED, actor=REDACTOR, act="again", private={"recipe": recipe}
        )
        asked = Rereading.objects.create(
            id=uuid7(),
            cause=Rereading.Cause.RECIPE,
            recipe=recipe,
            asked_at=database_now(),
            entry=entry,
        )
        jobs.add(kind=JOB, ref=str(asked.id))
    return asked


def reread(ref: str, fence: jobs.Fence) -> None:
    """Bring the rereading with id `ref` to its end; the handler of its jobs."""
    asked = Rereading.objects.get(id=UUID(ref))
    try:
        known = _missed(asked) if asked.cause == Rereading.Cause.MISS else set()
        if known or asked.cause == Rereading.Cause.RECIPE:
            for subject in _subjects(all_of_them=bool(known)):
                _reread_person(subject, known, fence)
    except LogUnavailableError as error:
        raise PostponeError(LOG_RETRY_SECONDS) from error
    if asked.sealed is not None:
        shredding.destroy_object(kind=MISS, ref=str(asked.id))
    with transaction.atomic():
        jobs.finish(fence)


def _missed(asked: Rereading) -> set[str]:
    """Return what was missed; nothing once its key is gone: then it was done, or erased."""
    try:
        with gate.open_object(
            actor=REDACTOR,
            purpose=InternalPurpose.REDACTION,
            kind=MISS,
            ref=str(asked.id),
            subject=asked.subject,
            sealed=bytes(asked.sealed or b""),
            is_live=True,
            retain_until=datetime.max.replace(tzinfo=asked.asked_at.tzinfo),
            consented=True,
        ) as value:
            return {value.decode()}
    except KeyShreddedError:
        return set()


def _live() -> models.QuerySet[Frame]:
    live = LiveFrame.objects.filter(category__in=WORDS)
    return Frame.objects.filter(id__in=live.values("frame_id"))


def _subjects(*, all_of_them: bool) -> list[str]:
    """Return whose work may have to be redacted again: everybody's, or what is not up to date."""
    live = LiveFrame.objects.filter(category__in=WORDS)
    if not all_of_them:
        live = live.exclude(recipe=recipes.recipe())
    return sorted(live.values_list("subject", flat=True).distinct())


def _reread_person(subject: str, known: Collection[str], fence: jobs.Fence) -> None:
    """Redact one person's batches again; then end the keys of what was replaced.

    Meanwhile others may seal the same frames anew, under other ids: what was missed for that is
    looked for again, until nothing is left.
    """
    replaced: set[UUID] = set()
    done: set[UUID] = set()
    for _ in range(_PASSES):
        left = _left(subject, known, done)
        if not left:
            break
        for batch, frames in left.items():
            fence.renew()
            ended, is_whole = _reread_batch(frames, known)
            replaced |= ended
            if is_whole:
                done.add(batch)
    deletion.renew_keys(subject=subject, cells=deletion.cells_of(replaced))
    if _left(subject, known, done):
        raise PostponeError(LOG_RETRY_SECONDS)


def _left(subject: str, known: Collection[str], done: Collection[UUID]) -> dict[UUID, list[Frame]]:
    """Return the frames of each batch that is still to be redacted again."""
    rows = _live().filter(subject=subject).order_by("batch_id", "id")
    groups = {batch: list(group) for batch, group in groupby(rows, key=lambda one: one.batch_id)}
    return {
        batch: frames
        for batch, frames in groups.items()
        if batch not in done and (known or not all(map(_is_current, frames)))
    }


def _is_current(frame: Frame) -> bool:
    return bool(frame.redaction.get("patterns_sha256") == recipes.recipe())


def _reread_batch(frames: Sequence[Frame], known: Collection[str]) -> tuple[set[UUID], bool]:
    """Redact the frames of one batch together, as they were first.

    Return what was replaced, and whether nothing of the batch is left to do.
    """
    try:
        with gate.open_records(
            actor=REDACTOR,
            purpose=InternalPurpose.REDACTION,
            frames=[frame.id for frame in frames],
        ) as records:
            again = _redacted(frames, records, known)
    except (RecordGoneError, AccessDeniedError, KeyShreddedError):
        # Deleted, expired or erased since; or sealed anew, and to be found under another id.
        return set(), len(_living(frames)) == len(frames)
    wanted = [one for one in again if one.is_changed or not _is_current(one.old)]
    ended = _replace(wanted) if wanted else set()
    return ended, len(ended) == len(wanted)


def _living(frames: Iterable[Frame]) -> set[UUID]:
    live = LiveFrame.objects.filter(frame_id__in=[frame.id for frame in frames])
    return set(live.values_list("frame_id", flat=True))


def _redacted(
    frames: Sequence[Frame], records: Sequence[OpenRecord], known: Collection[str]
) -> list[_Again]:
    before = {
        int(str(event["seq"])): (frame, event)
        for frame, record in zip(frames, records, strict=True)
        for event in record.events
    }
    opened = [_event(event) for _, event in before.values()]
    done = pipeline.redact(opened, context=recipes.context_of(str(frames[0].batch_id)), known=known)
    after = {event.seq: event for event in done.events}
    marks = bystander_index.marks(identifiers.forms(done.shown))
    result = []
    for frame, record in zip(frames, records, strict=True):
        kept: list[dict[str, object]] = []
        is_changed = False
        for event in record.events:
            new = after.get(int(str(event["seq"])))
            if new is not None and _differs(event, new):
                is_changed = True
                kept.append(wire.to_dict(new))
            elif new is not None:
                kept.append(event)
            else:  # A picture that cannot be redacted by this recipe does not stay.
                is_changed = True
        own = [_event(event) for event in kept]
        redaction = {
            **done.provenance,
            "policy_digest": str(frame.redaction.get("policy_digest", "")),
            "removed": evidence.removed(own),
        }
        shown = marks.get((frame.application, frame.category), ())
        result.append(_Again(frame, kept, redaction, is_changed, shown))
    return result


def _event(event: dict[str, object]) -> wire.Event:
    return msgspec.convert(event, wire.TYPES[str(event["type"])])


def _differs(old: dict[str, object], new: wire.Event) -> bool:
    """Tell whether redacting again found something; a picture painted alike is not news."""
    fresh = wire.to_dict(new)
    if old["type"] != "screen.frame":
        return fresh != old
    was, now = old.get("removed") or {}, fresh.get("removed") or {}
    assert isinstance(was, dict)  # noqa: S101 - the schema of what we store.
    return {k: v for k, v in now.items() if k not in _ALWAYS} != {
        k: v for k, v in was.items() if k not in _ALWAYS
    }


def _replace(frames: Sequence[_Again]) -> set[UUID]:
    """Store what was redacted again in the place of what was there, under the next key.

    Return the frames that were still there to be replaced.
    """
    subject = frames[0].old.subject
    for (_, application, category), numbers in deletion.cells_of(
        one.old.id for one in frames
    ).items():
        with transaction.atomic():
            consent.selectors.lock(subject=subject, exclusive=True)
            shredding.advance_generation(
                subject=subject, application=application, category=category, past=max(numbers)
            )
    with transaction.atomic(durable=True):
        consent.selectors.lock(subject=subject, exclusive=True)
        living = _living(one.old for one in frames)
        live = [one for one in frames if one.old.id in living]
        entry = journal.append(
            Action.CAPTURE_REDACTED,
            actor=REDACTOR,
            subject=subject,
            purpose="redaction",
            act="again",
            private={
                "cells": sorted({f"{one.old.application}/{one.old.category}" for one in live}),
                "changed": sum(one.is_changed for one in live),
            },
        )
        changed = [one.old.id for one in live if one.is_changed]
        if changed:
            _tell(subject, changed)
        for one in live:
            left = forgotten.without(one.events, subject=subject)
            if left:
                copies.store(one.old, left, entry, redaction=one.redaction, marks=one.marks)
            deletion.end_one(
                one.old,
                state=FrameState.State.SUPERSEDED if left else FrameState.State.DELETED,
                entry=entry,
                actor=REDACTOR,
                clock="redacted-again",
            )
        deletion.complete_later(entry)
    return living


def _tell(subject: str, frames: Iterable[UUID]) -> None:
    for listener in _listeners:
        listener(subject, list(frames))
