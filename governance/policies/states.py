"""The life of a capture policy version: which state may follow which (standards.md §3.2)."""

from enum import StrEnum


class PolicyState(StrEnum):
    """Where a version stands. Its current state is its latest transition."""

    DRAFT = "Draft"
    IN_REVIEW = "InReview"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    SUPERSEDED = "Superseded"


FOLLOWS: dict[PolicyState, frozenset[PolicyState]] = {
    PolicyState.DRAFT: frozenset({PolicyState.IN_REVIEW}),
    PolicyState.IN_REVIEW: frozenset({PolicyState.APPROVED, PolicyState.REJECTED}),
    PolicyState.APPROVED: frozenset({PolicyState.ACTIVE}),
    PolicyState.REJECTED: frozenset(),
    PolicyState.ACTIVE: frozenset({PolicyState.SUSPENDED, PolicyState.SUPERSEDED}),
    # What was stopped comes back with two people behind it (services.resume), never with one.
    PolicyState.SUSPENDED: frozenset({PolicyState.ACTIVE, PolicyState.SUPERSEDED}),
    PolicyState.SUPERSEDED: frozenset(),
}

# An approval that nobody acted on does not keep for ever (standards.md §3.2).
APPROVAL_DAYS = 90


def may_follow(*, current: PolicyState, following: PolicyState) -> bool:
    """Return whether a version in state `current` may take state `following` next."""
    return following in FOLLOWS[current]
