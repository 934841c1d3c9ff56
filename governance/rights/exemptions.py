"""How many people are exempt from being asked: by class of reason, in bands, once a month.

Promise: the figure is that of the first day of the month and the same for everybody all month, so
that it moves neither when an officer writes one down nor when one ends; fewer than five is a band
of its own, zero among them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.utils import timezone

from governance.rights.models import AskingLimit
from governance.rights.states import ExemptionReason, Limit

_BANDS: Final = ((50, ">=50"), (20, "20-49"), (5, "5-19"))
FEW: Final = "<5"


@dataclass(frozen=True, slots=True)
class Exempt:
    """One class of reasons, and the band of how many people are exempt for it."""

    reason: ExemptionReason
    band: str


def band(people: int) -> str:
    """Return the band that a number of people lies in."""
    return next((words for least, words in _BANDS if people >= least), FEW)


def published(now: datetime | None = None) -> tuple[date, list[Exempt]]:
    """Return the day the figures are of, and each class of reasons with its band."""
    moment = (now or timezone.now()).astimezone(UTC)
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = AskingLimit.objects.filter(
        kind=Limit.EXEMPTION.value,
        starts_on__lte=first.date(),
        ends_on__gte=first.date(),
        # An id begins with the milliseconds it was made at: what was written since does not count.
        id__lt=UUID(int=int(first.timestamp() * 1000) << 80),
    )
    people: dict[str, set[str]] = {}
    for reason, subject in rows.values_list("reason", "subject"):
        people.setdefault(reason, set()).add(subject)
    return first.date(), [
        Exempt(reason, band(len(people.get(reason.value, ())))) for reason in ExemptionReason
    ]
