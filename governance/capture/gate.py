"""The only door to captured data: no entry, no key.

Promises: every read, allowed or refused, plaintext or listing, is an entry committed before the
first byte leaves; nothing is unsealed without one; the same decision serves people, jobs and
exports, and no argument goes round it. When the log is stalled or the entry cannot be written,
nothing happens (`decisions.md` 19).
Leaves to others: the rules themselves (governance.decisions), the keys (governance.vault).
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

import consent.selectors
from audit import health, journal, ports
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.leaf import Json
from governance.accounts import selectors as accounts
from governance.capture import blobs, content, waiting
from governance.capture.approvals import approved_purposes
from governance.capture.errors import AccessDeniedError, RecordGoneError
from governance.capture.facts import facts_of
from governance.capture.models import Frame
from governance.capture.records import (
    FrameFilter,
    FrameInfo,
    OpenBatch,
    OpenBatches,
    OpenRecord,
    Waiting,
    ids_of,
    info,
)
from governance.decisions import (
    Decision,
    Deny,
    InternalPurpose,
    ReadFacts,
    Reason,
    RecordFacts,
    decide_read,
)
from governance.policies import purposes
from governance.policies import selectors as policies
from governance.vault import reading
from governance.vault.errors import KeyShreddedError
from governance.vault.reading import Permit

PAGE = 100
# What a person may not know of another's record: that it exists.
_NOT_THERE = frozenset({Reason.NOT_OWN_DATA, Reason.ERASED, Reason.EXPIRED})

_INTERNAL: Final = frozenset(InternalPurpose)
__all__ = [
    "FrameFilter",
    "FrameInfo",
    "OpenBatch",
    "OpenBatches",
    "OpenRecord",
    "Waiting",
    "info",
    "list_frames",
    "open_batches",
    "open_object",
    "open_own",
    "open_records",
    "refuse",
]


@dataclass(frozen=True, slots=True)
class _Read:
    """One read on its way through the gate."""

    actor: Actor
    purpose: str
    act: str
    request_id: UUID | None
    private: dict[str, Json] = field(default_factory=dict)


@contextmanager
def open_records(
    *, actor: Actor, purpose: str, frames: Sequence[UUID], request_id: UUID | None = None
) -> Iterator[list[OpenRecord]]:
    """Yield the decrypted records, in the order asked for; their entries are committed first.

    Raises AccessDeniedError (refused, and the refusal is an entry), RecordGoneError (none such),
    LogUnavailableError. One entry per subject; one closing entry each when the block ends.
    """
    read = _Read(actor, purpose, "read", request_id)
    found = _frames(frames)
    permits = _admit(read, found)
    outcome = "failed"
    try:
        yield [_unseal(frame, permits[frame.subject]) for frame in found]
        outcome = "completed"
    finally:
        _close(read, permits, outcome)


@contextmanager
def open_own(*, actor: Actor, frame: UUID, request_id: UUID | None = None) -> Iterator[OpenRecord]:
    """Yield one record to the person it is about. RecordGoneError, AccessDeniedError.

    Whether another's record exists is not told: the refusal is in the log, and its subject sees
    it; the caller gets the same answer as for a record that is not there.
    """
    try:
        with open_records(
            actor=actor,
            purpose=InternalPurpose.OWN_ACCESS,
            frames=[frame],
            request_id=request_id,
        ) as records:
            yield records[0]
    except AccessDeniedError as error:
        if error.reason in _NOT_THERE:
            raise RecordGoneError from error
        raise


@contextmanager
def open_batches(
    *,
    actor: Actor,
    batches: Sequence[UUID],
    look: Callable[[Sequence[Waiting], int], None],
) -> Iterator[OpenBatches]:
    """Yield sealed batches of one device, opened, to the redactor; for purpose `redaction` alone.

    Raises UnsealError when a seal does not open: such a batch is refused, not retried; and
    RecordGoneError when one is not sealed any more. The closing entry may be written with what
    became of the batches; else it is when the block ends. `look` is called with the person's
    consent epoch while their consent is locked.
    """
    sealed = waiting.sealed(batches)
    subject = sealed[0].batch.subject
    ids = [str(batch) for batch in batches]
    private: dict[str, Json] = {"batch": ids[0]} if len(ids) == 1 else {"batches": ids}
    read = _Read(actor, InternalPurpose.REDACTION, "open", None, private)
    seen = partial(look, [one.batch for one in sealed])
    permits = _admit_subjects(read, {subject: len(ids)}, records=[], look=seen)
    permit = permits[subject]
    opened: OpenBatches | None = None
    outcome = "failed"
    try:
        parts = [reading.SealedBatch(one.key_id, one.header, one.body) for one in sealed]
        plain = reading.open_batches(permit=permit, batches=parts)
        closing = partial(_closing, read, subject, permit)
        opened = OpenBatches(
            [
                OpenBatch(one.batch, one.wire, one.received_at, text)
                for one, text in zip(sealed, plain, strict=True)
            ],
            closing,
        )
        yield opened
        outcome = "completed"
    finally:
        if opened is None or not opened.is_closed:
            _close(read, permits, outcome)


@contextmanager
def open_object(  # noqa: PLR0913 - each names one fact of the read.
    *,
    actor: Actor,
    purpose: str,
    kind: str,
    ref: str,
    subject: str,
    sealed: bytes,
    is_live: bool,
    retain_until: datetime,
    consented: bool,
    private: Mapping[str, Json] | None = None,
    request_id: UUID | None = None,
) -> Iterator[bytes]:
    """Yield a sealed release file or export of one subject, under the same decision as a record.

    `consented` is whether that subject's consent for the purpose holds for everything in it.
    """
    read = _Read(actor, purpose, f"download-{kind}", request_id, dict(private or {}))
    record = RecordFacts(subject, retain_until, is_live, consented)
    permits = _admit_subjects(read, {subject: 1}, records=[record])
    outcome = "failed"
    try:
        yield reading.unseal_object(permit=permits[subject], kind=kind, ref=ref, sealed=sealed)
        outcome = "completed"
    finally:
        _close(read, permits, outcome)


def list_frames(
    *, actor: Actor, purpose: str, filters: FrameFilter, request_id: UUID | None = None
) -> list[FrameInfo]:
    """Return what is stored, newest first; the listing is an entry like any read."""
    read = _Read(actor, purpose, "list", request_id)
    health.require_open()
    with transaction.atomic(durable=True):
        epoch = consent.selectors.lock(subject=filters.subject, exclusive=False)
        # Chosen under the lock: what ends meanwhile is left out, it does not refuse the rest.
        found = _frames(ids_of(filters))
        counts = {filters.subject: len(found)}
        verdict = _decide(read, facts_of(read.purpose, found))
        if not isinstance(verdict, Deny):
            _allow(read, counts, found, {filters.subject: epoch})
            return [info(frame) for frame in found]
    raise _denied(read, counts, found, verdict)


def refuse(
    *, actor: Actor, purpose: str, reason: Reason, subject: str | None = None, act: str = "request"
) -> AccessDeniedError:
    """Write the refusal of an access that never reached a record; return the error to raise."""
    entry = journal.append_now(
        Action.ACCESS_DENIED,
        actor=actor,
        subject=subject,
        verdict=Verdict.DENY,
        purpose=purpose,
        act=act,
        private={"reason": reason.value},
    )
    return AccessDeniedError(reason, entry)


def _frames(ids: Sequence[UUID]) -> list[Frame]:
    by_id = {frame.id: frame for frame in Frame.objects.filter(id__in=list(ids))}
    if len(by_id) != len(set(ids)):
        raise RecordGoneError
    return [by_id[frame_id] for frame_id in ids]


def _admit(read: _Read, frames: Sequence[Frame]) -> dict[str, Permit]:
    counts = {
        subject: len(list(group))
        for subject, group in groupby(sorted(frame.subject for frame in frames))
    }
    return _admit_subjects(read, counts, records=None, frames=frames)


def _admit_subjects(
    read: _Read,
    counts: dict[str, int],
    *,
    records: Sequence[RecordFacts] | None,
    frames: Sequence[Frame] = (),
    look: Callable[..., None] | None = None,
) -> dict[str, Permit]:
    """Decide under the consent locks; commit one entry per subject; return what it permits.

    `records` of None means: take the facts of `frames` after locking. `look` is told the epochs.
    """
    health.require_open()
    with transaction.atomic(durable=True):
        epochs = {s: consent.selectors.lock(subject=s, exclusive=False) for s in sorted(counts)}
        if look is not None:
            look(*epochs.values())
        facts = records if records is not None else facts_of(read.purpose, frames)
        verdict = _decide(read, facts)
        if not isinstance(verdict, Deny):
            return _allow(read, counts, frames, epochs)
    # Outside the transaction: a refusal outlives whatever is rolled back around it.
    raise _denied(read, counts, frames, verdict)


def _allow(
    read: _Read, counts: dict[str, int], frames: Sequence[Frame], epochs: Mapping[str, int]
) -> dict[str, Permit]:
    """Write one entry per subject, in the transaction of the decision."""
    entries = {
        subject: journal.append(
            Action.ACCESS_ALLOWED,
            actor=read.actor,
            subject=subject,
            verdict=Verdict.ALLOW,
            purpose=read.purpose,
            act=read.act,
            count=count,
            request_id=read.request_id,
            private=read.private | _summary(subject, frames),
        ).uuid
        for subject, count in counts.items()
    }
    return {subject: Permit(entry, epochs[subject], subject) for subject, entry in entries.items()}


def _denied(
    read: _Read, counts: dict[str, int], frames: Sequence[Frame], verdict: Deny
) -> AccessDeniedError:
    entry = None
    for subject in counts:
        entry = journal.append_now(
            Action.ACCESS_DENIED,
            actor=read.actor,
            subject=subject,
            verdict=Verdict.DENY,
            purpose=read.purpose,
            act=read.act,
            count=0,
            request_id=read.request_id,
            private=read.private | _summary(subject, frames) | {"reason": verdict.reason.value},
        )
    return AccessDeniedError(verdict.reason, entry)


def _decide(read: _Read, records: Sequence[RecordFacts]) -> Decision:
    is_internal = read.purpose in _INTERNAL
    registered = None if is_internal else policies.purpose(read.purpose)
    person = read.actor.key if read.actor.is_person else None
    return decide_read(
        ReadFacts(
            reader=read.actor.key,
            role=read.actor.role,
            purpose=read.purpose,
            now=timezone.now(),
            records=records,
            prohibited=not is_internal and purposes.is_prohibited(read.purpose),
            registered=registered is not None,
            approved_purposes=approved_purposes(person) if person else (),
            manages={
                record.subject
                for record in records
                if person and accounts.manages(manager=person, subject=record.subject)
            },
        )
    )


def _summary(subject: str, frames: Sequence[Frame]) -> dict[str, Json]:
    """Return what the person may read of it: cells in words, the records only as a keyed digest."""
    own = [frame for frame in frames if frame.subject == subject]
    if not own:
        return {}
    ids = hashlib.sha256(b"".join(sorted(frame.id.bytes for frame in own))).digest()
    return {
        "cells": sorted({f"{frame.application}/{frame.category}" for frame in own}),
        "records": base64.b64encode(ports.keys().tag(owner=subject, nonce=ids)).decode(),
    }


def _unseal(frame: Frame, permit: Permit) -> OpenRecord:
    try:
        plaintext = reading.unseal_frame(
            permit=permit,
            frame=reading.FrameRef(
                frame_id=frame.id,
                subject=frame.subject,
                application=frame.application,
                category=frame.category,
                generation=frame.generation,
                policy_version=frame.policy_version,
            ),
            ciphertext=blobs.get(frame),
        )
    except KeyShreddedError as error:
        raise RecordGoneError from error
    return OpenRecord(info(frame), content.unpack(plaintext))


def _close(read: _Read, permits: Mapping[str, Permit], outcome: str) -> None:
    for subject, permit in sorted(permits.items()):
        action, facts = _closing(read, subject, permit, outcome)
        journal.append_now(action, **facts)


def _closing(
    read: _Read, subject: str, permit: Permit, outcome: str
) -> tuple[Action, journal.Facts]:
    return Action.ACCESS_CLOSED, {
        "actor": read.actor,
        "subject": subject,
        "purpose": read.purpose,
        "act": read.act,
        "request_id": read.request_id,
        "private": {"outcome": outcome, "grant": str(permit.entry)},
    }
