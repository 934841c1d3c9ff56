"""Who answered, and who agrees: for deciding whom to ask, and for figures that tell of nobody.

Nothing here may reach a page, an answer of the API or a log line.
"""

from datetime import datetime

from consent.models import ConsentEvent, ConsentState
from consent.status import VALID, ConsentStatus

# What a person answered themselves, whatever it was.
_ANSWERS = [
    status.value
    for status in (
        ConsentStatus.GIVEN,
        ConsentStatus.RENEWED,
        ConsentStatus.REFUSED,
        ConsentStatus.WITHDRAWN,
        ConsentStatus.DEFERRED,
    )
]


def answered_since(*, purpose: str, since: datetime) -> set[str]:
    """Return who answered anything about a purpose after a moment."""
    rows = ConsentEvent.objects.filter(
        record__purpose=purpose, status__in=_ANSWERS, occurred_at__gt=since
    )
    return set(rows.values_list("subject", flat=True).distinct())


def answered_purposes(*, subject: str, since: datetime) -> set[str]:
    """Return the purposes about which a person answered anything themselves after a moment."""
    rows = ConsentEvent.objects.filter(subject=subject, status__in=_ANSWERS, occurred_at__gt=since)
    return set(rows.values_list("record__purpose", flat=True).distinct())


def agreeing(*, purpose: str, at: datetime) -> set[str]:
    """Return who agrees to anything about a purpose; for figures that tell of nobody."""
    rows = ConsentState.objects.filter(
        purpose=purpose, status__in=[status.value for status in VALID], valid_until__gt=at
    )
    return set(rows.values_list("subject", flat=True).distinct())
