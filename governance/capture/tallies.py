"""Counts of what arrived under a policy version and of what was refused; never of whom.

Refusals are counted when a batch is refused for what it declares, in a counter by application and
reason. Reasons that would tell of somebody's choice are not counted at all.
"""

from collections.abc import Mapping
from typing import Final

from audit import sql
from governance.capture import protecting
from governance.decisions import Reason

# What a refusal for this reason says is about the batch, not about the person's choice.
COUNTED: Final = frozenset(
    {
        Reason.APP_NOT_ALLOWED,
        Reason.CATEGORY_DENIED,
        Reason.CLOCK,
        Reason.LABEL_NOT_LISTED,
        Reason.NOT_DECLARED,
        Reason.OUTSIDE_DECLARED_TIME,
        Reason.PATTERN_NOT_LISTED,
        # What parsing an opened batch finds (governance.redaction.events).
        *("unknown_field", "unknown_type", "bad_value", "mixed_category", "secure_field"),
        *("not_json", "too_large", "too_many", "bad_picture", "picture_missing"),
        protecting.REASON,
        protecting.ELSEWHERE,
    }
)
_RAISE: Final = """
    INSERT INTO capture_refusaltally AS known (application, reason, events) VALUES (%s, %s, %s)
    ON CONFLICT (application, reason) DO UPDATE SET events = known.events + excluded.events
"""
# A re-encryption appends frames of the same batch: the first and largest counts.
_ARRIVED: Final = """
    SELECT category, sum(most), count(DISTINCT subject) FROM (
        SELECT batch_id, category, subject, max(event_count) AS most FROM capture_frame
        WHERE policy_version = %s GROUP BY batch_id, category, subject
    ) AS first GROUP BY category
"""


def refuse(refused: Mapping[str, int], *, application: str) -> None:
    """Count refused events by reason, for an application, in the caller's transaction."""
    for reason, events in sorted(refused.items()):
        if reason in COUNTED and events:
            sql.rows(_RAISE, [application, str(reason), events])


def refusals() -> dict[str, dict[str, int]]:
    """Return the refused events by application and reason."""
    found: dict[str, dict[str, int]] = {}
    rows = sql.rows(
        "SELECT application, reason, events FROM capture_refusaltally ORDER BY application, reason"
    )
    for application, reason, events in rows:
        found.setdefault(application, {})[reason] = events
    return found


def arrivals(policy_version: str) -> dict[str, tuple[int, int]]:
    """Return, by category, how many events arrived under a version, and from how many people."""
    return {
        category: (int(events), people)
        for category, events, people in sql.rows(_ARRIVED, [policy_version])
    }
