"""Questions about stored work that name no one to anyone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Sum
from django.utils import timezone

import consent.selectors
from governance.capture.gate import FrameInfo, info
from governance.capture.models import (
    BatchOutcome,
    CaptureBatch,
    CaptureSession,
    Frame,
    LiveFrame,
    SealedBatch,
)


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """What an agent may know of a batch it sent: counts, never content.

    `missing` is how many events of the whole session never came.
    """

    batch_id: UUID
    state: str
    accepted: int
    refused: dict[str, int]
    redacted: dict[str, int]
    missing: int


def candidates(
    *, purpose: str, applications: Collection[str], categories: Collection[str]
) -> list[FrameInfo]:
    """Return the frames that may be released now for a purpose, oldest first.

    Redacted by construction, unexpired, and with consent for this purpose both when stored and
    now. For the release builder only; the gate decides again when it opens them.
    """
    now = timezone.now()
    live = LiveFrame.objects.filter(
        application__in=list(applications), category__in=list(categories), retain_until__gt=now
    ).order_by("frame_id")
    frames = Frame.objects.in_bulk(live.values_list("frame_id", flat=True))
    valid: dict[tuple[str, str, str], bool] = {}
    found = []
    for frame in frames.values():
        if purpose not in frame.consent_events:
            continue
        cell = (frame.subject, frame.application, frame.category)
        if cell not in valid:
            valid[cell] = consent.selectors.valid_at(
                subject=cell[0], purpose=purpose, application=cell[1], category=cell[2], at=now
            )
        if valid[cell]:
            found.append(info(frame))
    return sorted(found, key=lambda one: one.id)


def origins(frames: Sequence[UUID]) -> set[tuple[UUID, str, str]]:
    """Return (batch, application, category) of frames, which a re-encryption never changes."""
    rows = Frame.objects.filter(id__in=list(frames))
    return set(rows.values_list("batch_id", "application", "category"))


def batch_status(*, batch_id: UUID, device_id: UUID) -> BatchStatus | None:
    """Return how a device's own batch stands; None when it is not this device's."""
    batch = CaptureBatch.objects.filter(id=batch_id, device_id=device_id).first()
    if batch is None:
        return None
    # An erasure deletes the session; its device may still ask about what it sent.
    session = CaptureSession.objects.filter(id=batch.session_id).first()
    missing = session.missing if session else 0
    outcome = BatchOutcome.objects.filter(batch_id=batch_id).first()
    if outcome is None:
        return BatchStatus(batch_id, "queued", 0, {}, {}, missing)
    return BatchStatus(
        batch_id,
        outcome.state,
        outcome.accepted,
        dict(outcome.refused),
        dict(outcome.redacted),
        missing,
    )


def missing_events(*, subject: str) -> dict[UUID, int]:
    """Return, for each of one person's devices, how many numbered events never came."""
    sessions = CaptureSession.objects.filter(subject=subject, missing__gt=0)
    counted = sessions.values_list("device_id").annotate(Sum("missing")).order_by("device_id")
    return dict(counted)


def removed_counts(*, subject: str, batches: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Return what redaction removed from each of one person's own batches, by type."""
    outcomes = BatchOutcome.objects.filter(subject=subject, batch_id__in=list(batches))
    return {outcome.batch_id: dict(outcome.redacted) for outcome in outcomes}


def queued(*, subject: str) -> int:
    """Return how many of one person's own batches wait for redaction."""
    ended = BatchOutcome.objects.filter(subject=subject).values("batch_id")
    return CaptureBatch.objects.filter(subject=subject).exclude(id__in=ended).count()


def is_any_queued(*, since_before: datetime) -> bool:
    """Return whether anybody's batch that came before a moment may still be stored."""
    waiting = SealedBatch.objects.filter(received_at__lte=since_before)
    # What was given up is never stored; its original only waits for its end.
    ended = BatchOutcome.objects.filter(batch_id=OuterRef("batch_id"))
    return waiting.filter(~Exists(ended)).exists()


def seal_keys_in_use() -> set[str]:
    """Return the ids of the seal keys that batches still waiting for redaction need."""
    waiting = SealedBatch.objects.values("batch_id")
    batches = CaptureBatch.objects.filter(id__in=waiting)
    return set(batches.values_list("key_id", flat=True).distinct())


def remaining(*, subject: str) -> int:
    """Return how many stored objects of a person are left; zero verifies an erasure."""
    return (
        LiveFrame.objects.filter(subject=subject).count()
        + SealedBatch.objects.filter(subject=subject).count()
    )
