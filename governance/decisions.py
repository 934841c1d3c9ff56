"""May this happen? Pure: facts in, Allow or Deny(reason) out.

Promises: no rule found means Deny; a decision never reads a clock, a database or a setting; the
reason of a refusal is a value that the log, the problem document and the page all print.
Leaves to others: gathering true facts (capture.gate, capture.intake, capture.runs) and locking
the consent row while they are used.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why something is refused; part of the public log format, so never renamed."""

    NO_RULE = "no_rule"
    PURPOSE_PROHIBITED = "purpose_prohibited"
    PURPOSE_UNKNOWN = "purpose_unknown"
    PURPOSE_NOT_PERMITTED = "purpose_not_permitted"
    ROLE_NOT_PERMITTED = "role_not_permitted"
    NOT_OWN_DATA = "not_own_data"
    NO_APPROVED_REQUEST = "no_approved_request"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    CONSENT_MISSING = "consent_missing"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    EXPIRED = "expired"
    ERASED = "erased"
    RECALLED = "recalled"
    NOT_REDACTED = "not_redacted"
    DEVICE_REVOKED = "device_revoked"
    NOT_OWN_DEVICE = "not_own_device"
    PLACE_NOT_COVERED = "place_not_covered"
    NOTICE_NOT_ACKNOWLEDGED = "notice_not_acknowledged"
    POLICY_MISSING = "policy_missing"
    POLICY_STALE = "policy_stale"
    CATEGORY_DENIED = "category_denied"
    APP_NOT_ALLOWED = "app_not_allowed"
    PAUSED = "paused"
    NOT_DECLARED = "not_declared"
    OUTSIDE_DECLARED_TIME = "outside_declared_time"
    LABEL_NOT_LISTED = "label_not_listed"
    PATTERN_NOT_LISTED = "pattern_not_listed"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Allow:
    """It may happen."""


@dataclass(frozen=True, slots=True)
class Deny:
    """It may not happen, and why."""

    reason: Reason


Decision = Allow | Deny
ALLOW: Final = Allow()


class InternalPurpose(StrEnum):
    """Purposes of the service itself; nobody can register or request them."""

    OWN_ACCESS = "own-access"
    REDACTION = "redaction"
    RETENTION = "retention"
    EXPORT = "export"
    RELEASE_BUILD = "release-build"


# Which job identity may act for which internal purpose. A pair that is not here is refused.
JOB_PURPOSES: Final[dict[str, frozenset[str]]] = {
    "redactor": frozenset({InternalPurpose.REDACTION}),
    "expiry": frozenset({InternalPurpose.RETENTION}),
    "erasure": frozenset({InternalPurpose.RETENTION}),
    "export": frozenset({InternalPurpose.EXPORT}),
}


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open span [start, end); an end of None is still running."""

    start: datetime
    end: datetime | None

    def covers(self, at: datetime) -> bool:
        return self.start <= at and (self.end is None or at < self.end)


LATEST_SECONDS: Final = 24 * 60 * 60
ALWAYS: Final = Interval(datetime.min.replace(tzinfo=UTC), None)


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """What is true of one stored record at the moment of the read.

    `retain_until` is its last moment; `is_live` is false once it was deleted, expired or erased;
    `consent_valid` says whether its subject's consent for the stated purpose holds right now.
    """

    subject: str
    retain_until: datetime
    is_live: bool
    consent_valid: bool


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """Who wants to read what for which purpose, and what was approved.

    `approved_purposes` are the purposes of requests of this reader that two others approved and
    that are still open. `manages` holds the subjects whose management chain the reader is in.
    """

    reader: str
    role: str
    purpose: str
    now: datetime
    records: Sequence[RecordFacts]
    prohibited: bool = False
    registered: bool = False
    approved_purposes: Collection[str] = ()
    manages: Collection[str] = ()


def decide_read(facts: ReadFacts) -> Decision:
    """Decide one read of captured data (R24, R27-R29): every condition holds, or Deny."""
    if facts.prohibited:
        return Deny(Reason.PURPOSE_PROHIBITED)
    verdict = _decide_purpose(facts)
    if isinstance(verdict, Deny):
        return verdict
    for record in facts.records:
        verdict = _decide_record(facts, record)
        if isinstance(verdict, Deny):
            return verdict
    return ALLOW


def _decide_purpose(facts: ReadFacts) -> Decision:
    """Decide whether this role may act for this purpose at all."""
    if facts.purpose == InternalPurpose.OWN_ACCESS:
        return ALLOW if facts.role == "employee" else Deny(Reason.ROLE_NOT_PERMITTED)
    if facts.purpose in JOB_PURPOSES.get(facts.role, ()):
        return ALLOW
    if facts.purpose in set(InternalPurpose):
        return Deny(Reason.ROLE_NOT_PERMITTED)
    if not facts.registered:
        return Deny(Reason.PURPOSE_UNKNOWN)
    if facts.role == "release-builder":
        return ALLOW
    if facts.role != "data_requester":
        return Deny(Reason.ROLE_NOT_PERMITTED)
    if facts.purpose not in facts.approved_purposes:
        return Deny(Reason.NO_APPROVED_REQUEST)
    return ALLOW


def _decide_record(facts: ReadFacts, record: RecordFacts) -> Decision:
    """Decide one record: existing, unexpired, own or consented, and free of a conflict."""
    if not record.is_live:
        return Deny(Reason.ERASED)
    # Expiry does its work even when the job that tidies up is late (NC2).
    if record.retain_until <= facts.now and facts.purpose != InternalPurpose.RETENTION:
        return Deny(Reason.EXPIRED)
    if facts.purpose == InternalPurpose.OWN_ACCESS:
        return ALLOW if record.subject == facts.reader else Deny(Reason.NOT_OWN_DATA)
    if facts.purpose in set(InternalPurpose):
        return ALLOW
    if record.subject in facts.manages:
        return Deny(Reason.CONFLICT_OF_INTEREST)
    if not record.consent_valid:
        return Deny(Reason.CONSENT_MISSING)
    return ALLOW


@dataclass(frozen=True, slots=True)
class CellFacts:
    """One (application, category) of one subject, as an event or a frame meets it.

    `consent` holds, for each purpose that the policy allows for the cell, the spans in which
    consent was valid; `policy` the spans in which an approved policy allowed the cell.
    """

    consent: Sequence[Interval]
    policy: Sequence[Interval]
    pauses: Sequence[Interval]
    # When the person worked where the policy may act, and was told what that place owes them.
    place: Sequence[Interval] = (ALWAYS,)
    told: Sequence[Interval] = (ALWAYS,)


def decide_cell(facts: CellFacts, *, at: datetime, now: datetime) -> Decision:
    """Decide whether one moment of one cell may be kept: covered at its own time and now.

    `decisions.md` 20: an event that predates a withdrawal is refused after it.
    """
    if any(pause.covers(at) for pause in facts.pauses):
        return Deny(Reason.PAUSED)
    if not any(span.covers(at) and span.covers(now) for span in facts.place):
        return Deny(Reason.PLACE_NOT_COVERED)
    if not any(span.covers(at) and span.covers(now) for span in facts.told):
        return Deny(Reason.NOTICE_NOT_ACKNOWLEDGED)
    if not any(span.covers(at) for span in facts.policy):
        return Deny(Reason.APP_NOT_ALLOWED)
    if not any(span.covers(now) for span in facts.policy):
        return Deny(Reason.POLICY_MISSING)
    if not any(span.covers(at) and span.covers(now) for span in facts.consent):
        return Deny(Reason.CONSENT_MISSING)
    return ALLOW


@dataclass(frozen=True, slots=True)
class IntakeFacts:
    """What the web tier knows of a sealed batch from its signature, header and manifest."""

    device_subject: str
    device_revoked: bool
    header_device_is_signer: bool
    cells: Sequence[tuple[CellFacts, datetime, datetime]]
    seal_key_known: bool
    created_at: datetime
    now: datetime
    clock_skew_seconds: int
    policy_known: bool


def decide_intake(facts: IntakeFacts) -> Decision:
    """Decide whether a sealed batch may be stored unread (`decisions.md` 18)."""
    if facts.device_revoked:
        return Deny(Reason.DEVICE_REVOKED)
    if not facts.header_device_is_signer:
        return Deny(Reason.NOT_OWN_DEVICE)
    late_seconds = (facts.now - facts.created_at).total_seconds()
    # A batch may have waited for a network or for the next day's volume, not longer than a day.
    if late_seconds < -facts.clock_skew_seconds or late_seconds >= LATEST_SECONDS:
        return Deny(Reason.CLOCK)
    if not facts.policy_known or not facts.seal_key_known:
        return Deny(Reason.POLICY_STALE)
    if not facts.cells:
        return Deny(Reason.CATEGORY_DENIED)
    for cell, first, last in facts.cells:
        if (last - facts.now).total_seconds() > facts.clock_skew_seconds:
            return Deny(Reason.CLOCK)
        # Agent time is bounded by receipt time: a clock a little ahead counts as now.
        for at in (min(first, facts.now), min(last, facts.now)):
            verdict = decide_cell(cell, at=at, now=facts.now)
            if isinstance(verdict, Deny):
                return verdict
    return ALLOW
