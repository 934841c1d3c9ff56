"""What a rights request and an erasure go through; what is not listed is refused."""

from enum import StrEnum


class Kind(StrEnum):
    """What a person may ask for, by the article of the GDPR behind it."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"


class RequestStatus(StrEnum):
    """How a request stands: local names of DPV 2.3."""

    INITIATED = "RequestInitiated"
    ACKNOWLEDGED = "RequestAcknowledged"
    REQUIRES_ACTION = "RequestRequiresAction"
    ACTION_PERFORMED = "RequestRequiredActionPerformed"
    ACCEPTED = "RequestAccepted"
    DELAYED = "RequestActionDelayed"
    REJECTED = "RequestRejected"
    FULFILLED = "RequestFulfilled"
    UNFULFILLED = "RequestUnfulfilled"


REQUEST_CHANGES: dict[RequestStatus, frozenset[RequestStatus]] = {
    RequestStatus.INITIATED: frozenset({RequestStatus.ACKNOWLEDGED}),
    RequestStatus.ACKNOWLEDGED: frozenset(
        {RequestStatus.REQUIRES_ACTION, RequestStatus.ACCEPTED, RequestStatus.REJECTED}
    ),
    RequestStatus.REQUIRES_ACTION: frozenset(
        {RequestStatus.ACTION_PERFORMED, RequestStatus.REJECTED}
    ),
    RequestStatus.ACTION_PERFORMED: frozenset({RequestStatus.ACCEPTED}),
    RequestStatus.ACCEPTED: frozenset(
        {
            RequestStatus.DELAYED,
            RequestStatus.FULFILLED,
            RequestStatus.UNFULFILLED,
            RequestStatus.REJECTED,
        }
    ),
    RequestStatus.DELAYED: frozenset({RequestStatus.FULFILLED, RequestStatus.UNFULFILLED}),
    RequestStatus.REJECTED: frozenset(),
    RequestStatus.FULFILLED: frozenset(),
    RequestStatus.UNFULFILLED: frozenset(),
}


class ErasureState(StrEnum):
    """The stations of an erasure, in order; each is reached once."""

    ORDERED = "Ordered"
    RESTRICTED = "Restricted"
    KEY_DESTROYED = "KeyDestroyed"
    OBJECTS_PURGED = "ObjectsPurged"
    RECIPIENTS_NOTIFIED = "RecipientsNotified"
    VERIFIED = "Verified"
    COMPLETED = "Completed"


ERASURE_ORDER = tuple(ErasureState)


class ExportState(StrEnum):
    """How an export stands."""

    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    ENDED = "ended"


class Limit(StrEnum):
    """Why somebody may not be asked for consent; the last three name a person."""

    REVIEW_CYCLE = "review-cycle"
    REDUNDANCIES = "redundancies"
    PROBATION = "probation"
    EMPLOYMENT_BEGAN = "employment-began"
    EXEMPTION = "exemption"


class EndingReason(StrEnum):
    """Classes of reasons for ending consents that their people did not end (§3.1)."""

    PURPOSE_CLOSED = "purpose-closed"
    APPLICATION_REMOVED = "application-removed"
    SCOPE_CHANGED = "scope-changed"
    DEFECT_FOUND = "defect-found"
    AUTHORITY_ORDER = "authority-order"
    COURT_ORDER = "court-order"

    @property
    def is_void(self) -> bool:
        """Whether the consent never was, so that nothing captured under it ever was lawful."""
        return self in _VOID


_VOID = frozenset(
    {EndingReason.DEFECT_FOUND, EndingReason.AUTHORITY_ORDER, EndingReason.COURT_ORDER}
)


class ExemptionReason(StrEnum):
    """Classes of reasons for not asking somebody; none says anything about a person's health."""

    ON_LEAVE = "on-leave"
    NO_SCREEN_WORK = "no-screen-work"
    REPRESENTATIVE = "representative"
    OWN_WISH = "own-wish"
