"""The life of an impact assessment's version: which state may follow which (GDPR 35, 36)."""

from enum import StrEnum
from typing import Final


class AssessmentState(StrEnum):
    """Where a version stands. Its current state is its latest step."""

    DRAFT = "Draft"
    IN_REVIEW = "InReview"
    APPROVED = "Approved"
    CONDITIONAL = "ApprovedWithConditions"
    REJECTED = "Rejected"
    REFERRED = "ReferredToAuthority"
    REVIEW_REQUIRED = "ReviewRequired"
    SUPERSEDED = "Superseded"


_DECISIONS: Final = frozenset(
    {
        AssessmentState.APPROVED,
        AssessmentState.CONDITIONAL,
        AssessmentState.REJECTED,
        AssessmentState.REFERRED,
    }
)
FOLLOWS: Final[dict[AssessmentState, frozenset[AssessmentState]]] = {
    AssessmentState.DRAFT: frozenset({AssessmentState.IN_REVIEW}),
    AssessmentState.IN_REVIEW: _DECISIONS,
    AssessmentState.REFERRED: _DECISIONS - {AssessmentState.REFERRED},
    AssessmentState.APPROVED: frozenset(
        {AssessmentState.REVIEW_REQUIRED, AssessmentState.SUPERSEDED}
    ),
    AssessmentState.CONDITIONAL: frozenset(
        {AssessmentState.REVIEW_REQUIRED, AssessmentState.SUPERSEDED}
    ),
    AssessmentState.REVIEW_REQUIRED: frozenset({AssessmentState.SUPERSEDED}),
    AssessmentState.REJECTED: frozenset(),
    AssessmentState.SUPERSEDED: frozenset(),
}
# A review that is due takes nothing back of what was looked at and approved.
STANDING: Final = frozenset(
    {
        AssessmentState.APPROVED,
        AssessmentState.CONDITIONAL,
        AssessmentState.REVIEW_REQUIRED,
    }
)
