"""The closed list of what an entry can say. The names are the public log format: never rename."""

from enum import StrEnum


class Action(StrEnum):
    """An act, as `subject:verb`."""

    LOG_GENESIS = "log:genesis"
    LOG_HEARTBEAT = "log:heartbeat"
    LOG_RECOVERED = "log:recovered"
    LOG_CLOSED = "log:closed"
    LOG_ROTATED = "log:rotated"
    LOG_SEARCHED = "log:searched"
    LOG_OPENED = "log:opened"
    CONSENT_DECIDED = "consent:decided"
    NOTICE_PUBLISHED = "notice:published"
    PURPOSE_REGISTERED = "purpose:registered"
    APPLICATION_REGISTERED = "application:registered"
    POLICY_DRAFTED = "policy:drafted"
    POLICY_SUBMITTED = "policy:submitted"
    POLICY_APPROVED = "policy:approved"
    POLICY_REJECTED = "policy:rejected"
    POLICY_ACTIVATED = "policy:activated"
    POLICY_SUSPENDED = "policy:suspended"
    POLICY_RESUMED = "policy:resumed"
    RETENTION_SCHEDULED = "retention:scheduled"
    BASIS_RECORDED = "basis:recorded"
    ASSESSMENT_DRAFTED = "assessment:drafted"
    ASSESSMENT_SUBMITTED = "assessment:submitted"
    ASSESSMENT_DECIDED = "assessment:decided"
    ASSESSMENT_REVIEW_DUE = "assessment:review_due"
    CONSULTATION_RECORDED = "consultation:recorded"
    AGREEMENT_RECORDED = "agreement:recorded"
    AGREEMENT_CONFIRMED = "agreement:confirmed"
    AGREEMENT_ENDED = "agreement:ended"
    ACCOUNT_CREATED = "account:created"
    ROLE_ASSIGNED = "role:assigned"
    SESSION_STARTED = "session:started"
    SESSION_REFUSED = "session:refused"
    DEVICE_ENROLLED = "device:enrolled"
    DEVICE_REVOKED = "device:revoked"
    CAPTURE_INGESTED = "capture:ingested"
    CAPTURE_REDACTED = "capture:redacted"
    CAPTURE_REFUSED = "capture:refused"
    CAPTURE_DELETED = "capture:deleted"
    CAPTURE_EXPIRED = "capture:expired"
    ACCESS_REQUESTED = "access:requested"
    ACCESS_APPROVED = "access:approved"
    ACCESS_REJECTED = "access:rejected"
    ACCESS_ALLOWED = "access:allowed"
    ACCESS_DENIED = "access:denied"
    ACCESS_CLOSED = "access:closed"
    RELEASE_PUBLISHED = "release:published"
    RELEASE_RECALLED = "release:recalled"
    RIGHTS_REQUESTED = "rights:requested"
    RIGHTS_FULFILLED = "rights:fulfilled"
    ERASURE_REQUESTED = "erasure:requested"
    ERASURE_COMPLETED = "erasure:completed"
    KEY_SHREDDED = "key:shredded"
    KEY_ROTATED = "key:rotated"
    EXPORT_BUILT = "export:built"


# Acts whose content, exact time and form must tell an outsider nothing about the person: a
# consent that was given and one that was refused leave leaves of one length and one shape.
SHY = frozenset({Action.CONSENT_DECIDED, Action.CAPTURE_INGESTED})


class Verdict(StrEnum):
    """What was decided about the act."""

    ALLOW = "allow"
    DENY = "deny"
    NOT_APPLICABLE = "n/a"
