"""Deciding, pausing, publishing notices: one transaction each, the log entry first.

Promises: only the subject says yes; a no costs no more than a yes; the same answer twice changes
nothing; whatever was decided holds for everybody from the commit on, because intake and the gate
share the row that a decision takes alone.
Leaves to others: whether a cell is offered at all, and what becomes of the data of a cell that
ended (governance.rights.services).
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from consent import notice, persuasion, selectors
from consent.errors import (
    InvalidTransitionError,
    NoticeOutdatedError,
    NotTheSubjectError,
)
from consent.models import (
    CapturePause,
    ConsentState,
    Notice,
    NoticeVersion,
    SubjectEpoch,
)
from consent.planning import Choice, plan
from consent.status import VALID, ConsentStatus
from consent.writing import DecisionAct, act_that_said_so, count, write

if TYPE_CHECKING:
    from audit.models import Entry

__all__ = [
    "Choice",
    "DecisionAct",
    "catch_up",
    "decide",
    "expire",
    "pause",
    "publish_notice",
    "resume",
]


@transaction.atomic
def decide(
    *,
    subject: str,
    choices: Sequence[Choice],
    actor: Actor,
    language: str,
    form_digest: str,
    now: datetime | None = None,
) -> DecisionAct:
    """Record one act of deciding: all choices or none, one entry, one signed receipt.

    "Not now" is no answer: it is recorded alike, and receipted by nothing.

    Raises NotTheSubjectError, InvalidTransitionError, NoticeMissingError, NoticeOutdatedError.
    """
    if not choices:
        raise InvalidTransitionError("A decision names at least one cell.")
    selectors.lock(subject=subject, exclusive=True)
    moment = now or timezone.now()
    states = _states(subject=subject, choices=choices)
    steps = [
        step
        for choice in choices
        for step in plan(
            choice,
            subject=subject,
            state=states.get(choice.cell),
            actor=actor,
            language=language,
            now=moment,
        )
    ]
    if not steps:
        return act_that_said_so(states.values())
    return write(steps, subject=subject, actor=actor, form_digest=form_digest)


def _states(*, subject: str, choices: Sequence[Choice]) -> dict[selectors.Cell, ConsentState]:
    if len({choice.cell for choice in choices}) != len(choices):
        raise InvalidTransitionError("A decision names each cell once.")
    rows = ConsentState.objects.filter(subject=subject).select_related(
        "event__record", "event__notice_version"
    )
    wanted = {choice.cell for choice in choices}
    by_cell = {selectors.Cell(r.purpose, r.application, r.category): r for r in rows}
    return {cell: row for cell, row in by_cell.items() if cell in wanted}


def stir(*, subject: str) -> None:
    """Raise the person's count, so that their agents ask again: something else about them changed.

    Within the caller's transaction, which holds the person's lock from here on.
    """
    selectors.lock(subject=subject, exclusive=True)
    count(subject)


def catch_up(*, subject: str, epoch: int) -> None:
    """Let the person's count go on from `epoch`: a restore had taken it back."""
    SubjectEpoch.objects.filter(subject=subject, epoch__lt=epoch).update(epoch=epoch)


def expire(*, subject: str, now: datetime | None = None) -> DecisionAct | None:
    """Note that consents of the person ran out; None when none did. Nobody needs to be asked.

    Whether noted or not, an expired consent is invalid from its last second on: this only writes
    down what every check already knows, so that its data can be disposed of.
    """
    moment = now or timezone.now()
    over = {"valid_until__lte": moment}
    return _expire(subject=subject, moment=moment, cause="expiry", over=over)


def end_employment(*, subject: str, now: datetime | None = None) -> DecisionAct | None:
    """End every consent of somebody who leaves, as expired (R75); None when there was none.

    That the employment ended is told by who acted: `system:employment-ended`.
    """
    moment = now or timezone.now()
    return _expire(subject=subject, moment=moment, cause="employment-ended", over={})


def _expire(
    *, subject: str, moment: datetime, cause: str, over: Mapping[str, datetime]
) -> DecisionAct | None:
    with transaction.atomic():
        selectors.lock(subject=subject, exclusive=True)
        rows = ConsentState.objects.filter(
            subject=subject, status__in=[status.value for status in VALID], **over
        ).select_related("event")
        choices = [
            Choice(row.purpose, row.application, row.category, ConsentStatus.EXPIRED)
            for row in rows
        ]
        if not choices:
            return None
        return decide(
            subject=subject,
            choices=choices,
            actor=Actor.system(cause),
            language=rows[0].event.language,
            form_digest=hashlib.sha256(b"clock").hexdigest(),
            now=moment,
        )


@transaction.atomic
def pause(
    *,
    subject: str,
    device_id: UUID | None,
    until: datetime | None,
    actor: Actor,
    now: datetime | None = None,
) -> "Entry":
    """Stop capture at once, on one device or on all; no reason asked, nobody else can tell.

    Its entry has the form of a consent decision, so that the log shows neither. Until None means
    until resumed. Pausing what is paused for as long, or longer, is answered with the entry that
    paused it: only resuming ends a pause earlier.
    """
    _require_subject(subject=subject, actor=actor)
    selectors.lock(subject=subject, exclusive=True)
    moment = now or timezone.now()
    if until is not None and until <= moment:
        raise InvalidTransitionError("A pause ends after it begins.")
    last = _last_pause(subject=subject, device_id=device_id)
    if last is not None and last.is_paused and _lasts(last.until, until):
        return last.entry
    entry = _append_pause_entry(subject=subject, actor=actor, capture="ActivityHalted")
    _add_pauses(
        subject=subject, streams={device_id: moment}, is_paused=True, until=until, entry=entry
    )
    return entry


@transaction.atomic
def resume(
    *, subject: str, device_id: UUID | None, actor: Actor, now: datetime | None = None
) -> "Entry | None":
    """End the pause of one device, or (device None) every pause; None when there was none."""
    _require_subject(subject=subject, actor=actor)
    selectors.lock(subject=subject, exclusive=True)
    moment = now or timezone.now()
    held = {
        pause.device_id: max(moment, pause.start)
        for pause in selectors.pauses(subject=subject)
        if (pause.end is None or moment < pause.end) and device_id in (None, pause.device_id)
    }
    if not held:
        return None
    entry = _append_pause_entry(subject=subject, actor=actor, capture="ActivityOngoing")
    _add_pauses(subject=subject, streams=held, is_paused=False, until=None, entry=entry)
    return entry


def _require_subject(*, subject: str, actor: Actor) -> None:
    # A device acts for its owner: the tray's pause button is the person's own.
    if actor.key != subject and not actor.is_device:
        raise NotTheSubjectError("Only the person concerned pauses or resumes.")


def _lasts(one: datetime | None, other: datetime | None) -> bool:
    """Return whether a pause until `one` ends no earlier than one until `other`."""
    return one is None or (other is not None and one >= other)


def _last_pause(*, subject: str, device_id: UUID | None) -> CapturePause | None:
    rows = CapturePause.objects.filter(subject=subject, device_id=device_id)
    return rows.select_related("entry").order_by("-number").first()


def _append_pause_entry(*, subject: str, actor: Actor, capture: str) -> "Entry":
    return journal.append(
        Action.CONSENT_DECIDED, actor=actor, subject=subject, private={"capture": capture}
    )


def _add_pauses(
    *,
    subject: str,
    streams: Mapping[UUID | None, datetime],
    is_paused: bool,
    until: datetime | None,
    entry: "Entry",
) -> None:
    rows = CapturePause.objects.filter(subject=subject)
    last = rows.aggregate(last=Max("number"))["last"] or 0
    CapturePause.objects.bulk_create(
        CapturePause(
            id=uuid7(moment),
            subject=subject,
            number=number,
            device_id=device_id,
            is_paused=is_paused,
            occurred_at=moment,
            until=until,
            entry=entry,
        )
        for number, (device_id, moment) in enumerate(streams.items(), start=last + 1)
    )
    count(subject)


@transaction.atomic
def publish_notice(
    *,
    purpose: str,
    texts: Mapping[str, notice.Content],
    actor: Actor,
    now: datetime | None = None,
) -> list[NoticeVersion]:
    """Publish the next number of a purpose's notice, one text per language, for good.

    Raises NoticeIncompleteError naming every item of Art. 13 that is missing in a language, and
    NoticePersuadesError naming the words that push.
    Publishing exactly what is in force changes nothing and returns it.
    """
    if not texts:
        raise NoticeOutdatedError("A notice is published in at least one language.")
    for content in texts.values():
        notice.check(content)
    persuasion.check(texts)
    moment = now or timezone.now()
    last = NoticeVersion.objects.filter(notice_id=purpose).aggregate(n=Max("number"))["n"] or 0
    current = list(NoticeVersion.objects.filter(notice_id=purpose, number=last))
    digests = {language: notice.digest(content) for language, content in texts.items()}
    if {version.language: version.content_digest for version in current} == digests:
        return current
    entry = journal.append(
        Action.NOTICE_PUBLISHED,
        actor=actor,
        purpose=purpose,
        private={"notice": f"{purpose}@{last + 1}", "languages": sorted(texts)},
    )
    held, _ = Notice.objects.get_or_create(
        key=purpose, defaults={"created_at": moment, "entry": entry}
    )
    return [
        NoticeVersion.objects.create(
            id=uuid7(moment),
            notice=held,
            number=last + 1,
            language=language,
            content=dict(content),
            content_digest=digests[language],
            published_at=moment,
            entry=entry,
        )
        for language, content in sorted(texts.items())
    ]
