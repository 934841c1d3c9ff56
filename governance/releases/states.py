"""The states a request and a release pass through; each step is a row, the latest one counts."""

from enum import StrEnum


class RequestState(StrEnum):
    """A data requester's request, from asking to the end of its permission."""

    REQUESTED = "requested"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    REJECTED = "rejected"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide."""
        return self in (RequestState.REQUESTED, RequestState.REVIEWED)


class ReleaseState(StrEnum):
    """A release, from its order to the recall of its last file (standards.md §3.7)."""

    BUILDING = "building"
    PUBLISHED = "published"
    WITHHELD = "withheld"
    UNPROVEN = "unproven"
    AFFECTED = "affected"
    RECALLED = "recalled"

    @property
    def was_published(self) -> bool:
        """Whether it has files; each of them says itself whether it was recalled."""
        return self in (ReleaseState.PUBLISHED, ReleaseState.AFFECTED, ReleaseState.RECALLED)
