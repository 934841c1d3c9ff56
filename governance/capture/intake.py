"""Accepts sealed batches: every check the header allows, then one transaction, then the answer.

Promises: nothing is stored unless signature, consent (under the row lock), policy, epochs, order
and budget all hold; a batch that was answered is durable; the same batch again gives the same
answer. Leaves to others: the signature (api.device_authentication) and everything that only
opening shows (capture.runs).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

import consent.selectors
from audit import journal, sql
from audit.actions import Action
from audit.actors import Actor
from governance.accounts import selectors as accounts
from governance.capture import cells, sealed_batch, tallies
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
from governance.capture.models import CaptureBatch
from governance.decisions import Deny, IntakeFacts, Reason, decide_intake
from governance.jobs import services as jobs
from governance.policies import selectors as policies
from governance.vault import seal_keys

REQUESTS_PER_HOUR: Final = 60 * 60
OCTETS_PER_HOUR: Final = 500 * 1024 * 1024 // 8

# Plain statements: through the ORM one batch cost more than all its checks (bench/intake.py).
_COUNT: Final = """
    INSERT INTO capture_deviceuse (device_id, hour, requests, octets) VALUES (%s, %s, 1, %s)
    ON CONFLICT (device_id, hour) DO UPDATE
    SET requests = capture_deviceuse.requests + 1,
        octets = capture_deviceuse.octets + excluded.octets
    RETURNING requests, octets
"""
_ISSUED: Final = """
    SELECT issued_at, coalesce(offline_until, expires_at), consent_epoch, octets_per_day,
        (SELECT sum(octets) FROM capture_deviceuse u
         WHERE u.device_id = p.device_id AND u.hour >= %s AND u.hour < %s)
    FROM capture_issuedpolicy p WHERE digest = %s AND device_id = %s
"""
_ADVANCE: Final = """
    INSERT INTO capture_capturesession AS known
        (id, device_id, subject, next_seq, last_digest, missing)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (id) DO UPDATE
    SET next_seq = excluded.next_seq, last_digest = excluded.last_digest,
        missing = known.missing + excluded.missing - known.next_seq
    WHERE known.device_id = excluded.device_id AND known.next_seq <= excluded.missing
    RETURNING next_seq
"""
_SESSION: Final = "SELECT device_id, next_seq FROM capture_capturesession WHERE id = %s"
_BATCH_COLUMNS: Final = (
    "id",
    "organisation",
    "subject",
    "device_id",
    "session_id",
    "wire_digest",
    "key_id",
    "policy_digest",
    "received_hour",
    "entry_id",
)
_BATCH: Final = (
    f"INSERT INTO capture_capturebatch ({', '.join(_BATCH_COLUMNS)}) "  # noqa: S608 - constants.
    f"VALUES ({', '.join(['%s'] * len(_BATCH_COLUMNS))}) ON CONFLICT (id) DO NOTHING RETURNING id"
)
_SEALED: Final = """
    INSERT INTO capture_sealedbatch (batch_id, subject, wire, received_at) VALUES (%s, %s, %s, %s)
"""
# Where a statement costs a round trip, one writes both rows; SQLite cannot.
_BOTH: Final = f"""
    WITH batch AS ({_BATCH})
    INSERT INTO capture_sealedbatch (batch_id, subject, wire, received_at)
    SELECT id, %s, %s::bytea, %s::timestamptz FROM batch RETURNING batch_id
"""  # noqa: S608 - constants.


@dataclass(frozen=True, slots=True)
class Uploader:
    """The device that signed the request, as authentication found it."""

    device_id: UUID
    subject: str


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the locks showed: the person's consent epoch, and whether the device is enrolled."""

    epoch: int
    enrolled: bool


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
    except CaptureError as error:
        # What was counted inside went with the refusal; refused batches cost their device too.
        with transaction.atomic():
            _count(uploader, octets=len(wire), now=moment)
            if isinstance(error, PolicyViolationError):
                _tally(error.reason, wire, now=moment)
        raise


def _tally(reason: str, wire: bytes, *, now: datetime) -> None:
    """Count the declared events of a refused batch; an application nobody knows has no name."""
    known = policies.active_policies(at=now)
    for frame in sealed_batch.parse(wire).header.frames:
        application = frame.application if frame.application in known else ""
        tallies.refuse({reason: frame.count}, application=application)


def _accept(
    uploader: Uploader, idempotency_key: str, wire: bytes, *, now: datetime
) -> Acknowledgement:
    upload = sealed_batch.parse(wire)
    if str(upload.header.batch_id) != idempotency_key:
        raise BatchMalformedError("The Idempotency-Key is not the batch id.")
    with transaction.atomic(durable=True):
        # Fixed order: the person's consent, which everyone who gives, ends or relies on it locks
        # first; their device; its session; what it spent; in the journal, the person's counter.
        epoch = consent.selectors.lock(subject=uploader.subject, exclusive=False)
        enrolled = accounts.hold_enrolled(uploader.device_id)
        goes_on = _advance_session(uploader, upload)
        # What came before, or has come in while this one waited for its session, goes no further.
        if not goes_on and (repeat := _earlier(uploader, upload)):
            return Acknowledgement(repeat, is_repeat=True)
        _check_id(upload.header.batch_id, now=now)
        _spend_budget(uploader, octets=len(wire), now=now)
        _check(uploader, upload, _Standing(epoch, enrolled=enrolled), now=now)
        if not goes_on:
            raise _out_of_step(uploader, upload)
        return Acknowledgement(_store(uploader, upload, wire, now=now), is_repeat=False)


def _earlier(uploader: Uploader, upload: sealed_batch.SealedUpload) -> CaptureBatch | None:
    known = CaptureBatch.objects.select_related("entry").filter(id=upload.header.batch_id).first()
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
    requests, sent = _count(uploader, octets=octets, now=now)
    if requests > REQUESTS_PER_HOUR or sent > OCTETS_PER_HOUR:
        raise _spent(_hour(now) + timedelta(hours=1) - now)


def _spent(left: timedelta) -> DeviceBudgetError:
    return DeviceBudgetError(retry_after_seconds=max(1, int(left.total_seconds())))


def _count(uploader: Uploader, *, octets: int, now: datetime) -> tuple[int, int]:
    """Count one request; return the requests and octets of this hour, this one among them."""
    requests, sent = sql.row(_COUNT, [uploader.device_id, _hour(now), octets])
    return requests, sent


def _check(
    uploader: Uploader, upload: sealed_batch.SealedUpload, standing: _Standing, *, now: datetime
) -> None:
    header = upload.header
    issued_epoch = _issued_epoch(uploader, header, now=now)
    person = cells.locked_cells_of(
        subject=uploader.subject, epoch=standing.epoch, device_id=uploader.device_id, now=now
    )
    facts = IntakeFacts(
        device_subject=uploader.subject,
        device_revoked=not standing.enrolled,
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
        created_at=_time(header.created_ns),
        now=now,
        clock_skew_seconds=settings.REMIT_CLOCK_SKEW_SECONDS,
        policy_known=True,
    )
    verdict = decide_intake(facts)
    if isinstance(verdict, Deny):
        raise _refusal(verdict.reason, issued_epoch=issued_epoch, person=person)


def _issued_epoch(uploader: Uploader, header: sealed_batch.Header, *, now: datetime) -> int:
    """Return the consent epoch of the policy the batch was captured under; it must be theirs.

    The day's volume is the one that this policy names (R26); a day is one of UTC.
    """
    created, day = _time(header.created_ns), now.replace(hour=0, minute=0, second=0, microsecond=0)
    until = day + timedelta(days=1)
    issued = sql.row(_ISSUED, [day, until, header.policy_digest, uploader.device_id])
    if issued is not None:
        issued_at, ends_at, consent_epoch, octets_per_day, sent = issued
        if sql.moment(issued_at) <= created + _skew() and created <= sql.moment(ends_at):
            if sent > octets_per_day:
                raise _spent(until - now)
            return int(consent_epoch)
    raise PolicyExpiredError("The batch names no policy that this device holds; fetch it anew.")


def _refusal(reason: Reason, *, issued_epoch: int, person: cells.PersonCells) -> Exception:
    """Turn the reason into the error whose problem type the agent acts on."""
    if reason in {Reason.CONSENT_MISSING, Reason.PAUSED}:
        if issued_epoch < person.epoch:
            # Something was agreed when the policy was issued and is not any more: destroy it.
            return ConsentWithdrawnError("Consent ended; destroy what is buffered.")
        return ConsentRequiredError("No valid consent covers this batch.")
    if reason is Reason.POLICY_STALE:
        return PolicyExpiredError("The batch is sealed to a key that is closed; fetch the policy.")
    return PolicyViolationError(reason)


def _advance_session(uploader: Uploader, upload: sealed_batch.SealedUpload) -> bool:
    """Move the session on; a hole is counted (a refused batch leaves one), a step back refused.

    A session begins at 0: what is `missing` from a new one is all before its first batch, and from
    one that goes on, all between where it stood and this batch.
    """
    header = upload.header
    place = [header.session_id, uploader.device_id, uploader.subject, header.seq_to + 1]
    return sql.row(_ADVANCE, [*place, upload.wire_digest, header.seq_from]) is not None


def _out_of_step(uploader: Uploader, upload: sealed_batch.SealedUpload) -> CaptureError:
    device, next_seq = sql.row(_SESSION, [upload.header.session_id])
    if sql.identifier(device) != uploader.device_id:
        return PolicyViolationError(Reason.NOT_OWN_DEVICE)
    return BatchSequenceError(next_seq=next_seq)


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
    batch = CaptureBatch(
        id=header.batch_id,
        subject=uploader.subject,
        device_id=uploader.device_id,
        session_id=header.session_id,
        wire_digest=upload.wire_digest,
        key_id=header.key_id,
        policy_digest=header.policy_digest,
        received_hour=_hour(now),
        entry=entry,
    )
    if not _insert(batch, wire, now=now):
        raise BatchConflictError("This batch id was used for other bytes.")
    jobs.add(kind="capture:redact", ref=str(batch.id), queue="redact")
    return batch


def _insert(batch: CaptureBatch, wire: bytes, *, now: datetime) -> bool:
    """Write the batch and its sealed bytes, or say that there is one of this id."""
    columns = [getattr(batch, column) for column in _BATCH_COLUMNS]
    if connection.vendor == "postgresql":
        return sql.row(_BOTH, [*columns, batch.subject, wire, now]) is not None
    if sql.row(_BATCH, columns) is None:
        return False
    sql.rows(_SEALED, [batch.id, batch.subject, wire, now])
    return True


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _time(nanoseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(nanoseconds / 1_000_000_000, tz=UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise PolicyViolationError(Reason.CLOCK, {"field": "time"}) from error


def _skew() -> timedelta:
    return timedelta(seconds=settings.REMIT_CLOCK_SKEW_SECONDS)
