"""Accepts sealed batches: every check the header allows, then one transaction, then the answer.

Promises: nothing is stored unless signature, consent (under the row lock), policy, epochs, order
and budget all hold; a batch that was answered is durable; the same batch again gives the same
answer. Leaves to others: the signature (api.device_authentication) and everything that only
opening shows (capture.runs).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

import consent.selectors
from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.capture import cells, sealed_batch
from governance.capture.errors import (
    BatchConflictError,
    BatchMalformedError,
    BatchSequenceError,
    CaptureError,
    ConsentRequiredError,
    ConsentWithdrawnError,
    DeviceBudgetError,
    PolicyExpiredError,
    PolicyViolationError,
)
from governance.capture.models import (
    CaptureBatch,
    CaptureSession,
    DeviceUse,
    IssuedPolicy,
    SealedBatch,
)
from governance.decisions import Deny, IntakeFacts, Reason, decide_intake
from governance.jobs import services as jobs
from governance.vault import seal_keys

REQUESTS_PER_HOUR = 60 * 60
OCTETS_PER_HOUR = 500 * 1024 * 1024 // 8


@dataclass(frozen=True, slots=True)
class Uploader:
    """The device that signed the request, as authentication found it."""

    device_id: UUID
    subject: str
    revoked: bool


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the agent may rely on from now on."""

    batch: CaptureBatch
    is_repeat: bool


def accept_batch(
    *, uploader: Uploader, idempotency_key: str, wire: bytes, now: datetime | None = None
) -> Acknowledgement:
    """Store one sealed batch durably, or raise the domain error that says why not.

    `idempotency_key` is the text of the header of that name and must be the batch id. Returns
    only after COMMIT (`security.md` §4.1).
    """
    moment = now or timezone.now()
    try:
        return _accept(uploader, idempotency_key, wire, now=moment)
    except DeviceBudgetError:
        raise
    except CaptureError:
        # What was counted inside went with the refusal; refused batches cost their device too.
        with transaction.atomic():
            _count(uploader, octets=len(wire), now=moment)
        raise


def _accept(
    uploader: Uploader, idempotency_key: str, wire: bytes, *, now: datetime
) -> Acknowledgement:
    upload = sealed_batch.parse(wire)
    if str(upload.header.batch_id) != idempotency_key:
        raise BatchMalformedError("The Idempotency-Key is not the batch id.")
    with transaction.atomic(durable=True):
        # Everyone who gives, ends or relies on consent locks this row first: fixed order.
        consent.selectors.lock(subject=uploader.subject, exclusive=False)
        if repeat := _earlier(uploader, upload):
            return Acknowledgement(repeat, is_repeat=True)
        _check_id(upload.header.batch_id, now=now)
        _spend_budget(uploader, octets=len(wire), now=now)
        _check(uploader, upload, now=now)
        _advance_session(uploader, upload)
        return Acknowledgement(_store(uploader, upload, wire, now=now), is_repeat=False)


def _earlier(uploader: Uploader, upload: sealed_batch.SealedUpload) -> CaptureBatch | None:
    known = CaptureBatch.objects.filter(id=upload.header.batch_id).first()
    if known is None:
        return None
    if known.device_id != uploader.device_id or known.wire_digest != upload.wire_digest:
        raise BatchConflictError("This batch id was used for other bytes.")
    return known


def _check_id(batch_id: UUID, *, now: datetime) -> None:
    """Refuse ids that are not a UUIDv7 of today: they choose the partition the row goes to."""
    if batch_id.version != 7:  # noqa: PLR2004 - RFC 9562 version number.
        raise BatchMalformedError("The batch id is not a UUIDv7.")
    made = datetime.fromtimestamp((batch_id.int >> 80) / 1000, tz=UTC)
    if abs(made - now) > timedelta(days=1):
        raise PolicyViolationError(Reason.CLOCK, {"field": "batch_id"})


def _spend_budget(uploader: Uploader, *, octets: int, now: datetime) -> None:
    use = _count(uploader, octets=octets, now=now)
    if use.requests >= REQUESTS_PER_HOUR or use.octets + octets > OCTETS_PER_HOUR:
        left = use.hour + timedelta(hours=1) - now
        raise DeviceBudgetError(retry_after_seconds=max(1, int(left.total_seconds())))


def _count(uploader: Uploader, *, octets: int, now: datetime) -> DeviceUse:
    """Count one request of this hour; return the use before it."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    use, _ = DeviceUse.objects.get_or_create(device_id=uploader.device_id, hour=hour)
    DeviceUse.objects.filter(pk=use.pk).update(
        requests=F("requests") + 1, octets=F("octets") + octets
    )
    return use


def _check(uploader: Uploader, upload: sealed_batch.SealedUpload, *, now: datetime) -> None:
    header = upload.header
    issued = IssuedPolicy.objects.filter(
        digest=header.policy_digest, device_id=uploader.device_id
    ).first()
    created = _time(header.created_ns)
    if issued is None or not issued.issued_at <= created + _skew() or created > issued.expires_at:
        raise PolicyExpiredError("The batch names no policy that this device holds; fetch it anew.")
    person = cells.cells_of(subject=uploader.subject, device_id=uploader.device_id, now=now)
    facts = IntakeFacts(
        device_subject=uploader.subject,
        device_revoked=uploader.revoked,
        header_device_is_signer=header.device_id == uploader.device_id,
        cells=[
            (
                person.facts(frame.application, frame.category),
                _time(frame.t_min),
                _time(frame.t_max),
            )
            for frame in header.frames
        ],
        seal_key_known=seal_keys.is_open(header.key_id),
        created_at=created,
        now=now,
        clock_skew_seconds=settings.REMIT_CLOCK_SKEW_SECONDS,
        policy_known=True,
    )
    verdict = decide_intake(facts)
    if isinstance(verdict, Deny):
        raise _refusal(verdict.reason, issued=issued, person=person)


def _refusal(reason: Reason, *, issued: IssuedPolicy, person: cells.PersonCells) -> Exception:
    """Turn the reason into the error whose problem type the agent acts on."""
    if reason in {Reason.CONSENT_MISSING, Reason.PAUSED}:
        if issued.consent_epoch < person.epoch:
            # Something was agreed when the policy was issued and is not any more: destroy it.
            return ConsentWithdrawnError("Consent ended; destroy what is buffered.")
        return ConsentRequiredError("No valid consent covers this batch.")
    if reason is Reason.POLICY_STALE:
        return PolicyExpiredError("The batch is sealed to a key that is closed; fetch the policy.")
    return PolicyViolationError(reason)


def _advance_session(uploader: Uploader, upload: sealed_batch.SealedUpload) -> None:
    """Move the session on; a hole is allowed (a refused batch leaves one), a step back is not."""
    header = upload.header
    session = CaptureSession.objects.select_for_update().filter(id=header.session_id).first()
    if session is None:
        session = CaptureSession(
            id=header.session_id, device_id=uploader.device_id, subject=uploader.subject, next_seq=0
        )
    if session.device_id != uploader.device_id:
        raise PolicyViolationError(Reason.NOT_OWN_DEVICE)
    if header.seq_from < session.next_seq:
        raise BatchSequenceError(next_seq=session.next_seq)
    session.next_seq = header.seq_to + 1
    session.last_digest = upload.wire_digest
    session.save()


def _store(
    uploader: Uploader, upload: sealed_batch.SealedUpload, wire: bytes, *, now: datetime
) -> CaptureBatch:
    header = upload.header
    entry = journal.append(
        Action.CAPTURE_INGESTED,
        actor=Actor(f"device:{uploader.device_id}", "capture_agent"),
        subject=uploader.subject,
        private={
            "batch": str(header.batch_id),
            "cells": sorted(f"{frame.application}/{frame.category}" for frame in header.frames),
        },
    )
    batch = CaptureBatch.objects.create(
        id=header.batch_id,
        subject=uploader.subject,
        device_id=uploader.device_id,
        session_id=header.session_id,
        wire_digest=upload.wire_digest,
        key_id=header.key_id,
        policy_digest=header.policy_digest,
        received_hour=now.replace(minute=0, second=0, microsecond=0),
        entry=entry,
    )
    SealedBatch.objects.create(
        batch_id=batch.id, subject=uploader.subject, wire=wire, received_at=now
    )
    jobs.add(kind="capture:redact", ref=str(batch.id), queue="redact")
    return batch


def _time(nanoseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(nanoseconds / 1_000_000_000, tz=UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise PolicyViolationError(Reason.CLOCK, {"field": "time"}) from error


def _skew() -> timedelta:
    return timedelta(seconds=settings.REMIT_CLOCK_SKEW_SECONDS)
