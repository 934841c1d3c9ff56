"""What the gate decides about stored frames by: whether each is live, and consented to.

Ask under the consent lock of everybody whose frames they are: what is said here holds that long.
"""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

import consent.selectors
from governance.capture.models import Frame, LiveFrame
from governance.decisions import RecordFacts


def facts_of(purpose: str, frames: Sequence[Frame]) -> list[RecordFacts]:
    """Return the facts of each frame, in their order, as they are now for this purpose."""
    live = set(
        LiveFrame.objects.filter(frame_id__in=[frame.id for frame in frames]).values_list(
            "frame_id", flat=True
        )
    )
    now = timezone.now()
    valid = {
        cell: _is_consented(cell, purpose=purpose, now=now)
        for cell in {(frame.subject, frame.application, frame.category) for frame in frames}
    }
    return [
        RecordFacts(
            subject=frame.subject,
            retain_until=frame.retain_until,
            is_live=frame.id in live,
            # Consent for this purpose must have stood when it was stored, and stand now.
            consent_valid=purpose in frame.consent_events
            and valid[(frame.subject, frame.application, frame.category)],
        )
        for frame in frames
    ]


def _is_consented(cell: tuple[str, str, str], *, purpose: str, now: datetime) -> bool:
    subject, application, category = cell
    return consent.selectors.valid_at(
        subject=subject, purpose=purpose, application=application, category=category, at=now
    )
