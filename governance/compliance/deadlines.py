"""Until when an assessment must be looked at again, brought up to date and kept. Pure.

11 CCR 7155: at least every three years, within 45 days of a material change, and kept for five
years. Where several places ask, the shortest time to act and the longest to keep.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from governance.compliance import jurisdictions
from governance.compliance.spans import after

_KEPT: Final = "impact-assessment"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Dates, each None where nothing asks for it."""

    review_by: date | None
    update_by: date | None
    kept_until: date | None


def deadlines(
    places: Iterable[str],
    *,
    approved_on: date | None,
    review_on: date | None,
    changed_on: date | None,
) -> Deadlines:
    """Return what the places ask of an assessment that was approved and perhaps overtaken."""
    on = approved_on or date.max
    profiles = [
        profile for place in places if (profile := jurisdictions.profile_of(place, on)) is not None
    ]
    reviews = [
        after(approved_on, profile.assessment_review)
        for profile in profiles
        if approved_on and profile.assessment_review
    ]
    updates = [
        after(changed_on, profile.assessment_update)
        for profile in profiles
        if changed_on and profile.assessment_update
    ]
    kept = [
        after(approved_on, profile.record_min[_KEPT])
        for profile in profiles
        if approved_on and _KEPT in profile.record_min
    ]
    return Deadlines(
        review_by=min([*reviews, *([review_on] if review_on else [])], default=None),
        update_by=min(updates, default=None),
        kept_until=max(kept, default=None),
    )
