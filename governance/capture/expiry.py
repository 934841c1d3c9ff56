"""Retention: whatever is due is disposed of, at least hourly, with a record and an entry (R69).

Reads never wait for this job: the gate refuses what is past `retain_until` by itself.
"""

from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.utils import timezone

from audit.actors import Actor
from governance.capture import deletion
from governance.capture.models import (
    DeviceUse,
    IssuedPolicy,
    LiveFrame,
    PolicyChange,
    SealedBatch,
    SeenNonce,
)

EXPIRER = Actor.system("expiry")
BATCH = 1000
# Unredacted originals end after 72 hours, redacted or not (R54).
SEALED_HOURS = 72
KEEP_DAYS = 2
# Web processes read changes several times a second, or start anew (known_policies).
READ_BY = timedelta(minutes=10)


def expire_due(*, now: datetime | None = None) -> int:
    """Dispose of every frame that is due; return how many. Safe to run twice or at once."""
    moment = now or timezone.now()
    total = 0
    while due := _due(moment):
        for subject, group in groupby(due, key=lambda row: row[0]):
            frames = {frame for _, frame in group}
            total += deletion.expire_frames(subject=subject, frames=frames, actor=EXPIRER).frames
    _drop_leftovers(moment)
    return total


def overdue(*, now: datetime | None = None) -> int:
    """Return how many frames are past their time and still stored."""
    return LiveFrame.objects.filter(retain_until__lte=now or timezone.now()).count()


def _due(now: datetime) -> list[tuple[str, UUID]]:
    rows = (
        LiveFrame.objects.filter(retain_until__lte=now)
        .order_by("subject", "frame_id")
        .values_list("subject", "frame_id")[:BATCH]
    )
    return list(rows)


def _drop_leftovers(now: datetime) -> None:
    """Remove what only served enforcement and is too old to matter."""
    SealedBatch.objects.filter(received_at__lt=now - timedelta(hours=SEALED_HOURS)).delete()
    SeenNonce.objects.filter(expires_at__lt=now).delete()
    DeviceUse.objects.filter(hour__lt=now - timedelta(days=KEEP_DAYS)).delete()
    IssuedPolicy.objects.filter(expires_at__lt=now - timedelta(days=KEEP_DAYS)).delete()
    # Only what an earlier run already saw: one may have waited long for its COMMIT.
    PolicyChange.objects.filter(noticed_at__lt=now - READ_BY).delete()
    PolicyChange.objects.filter(noticed_at=None).update(noticed_at=now)
