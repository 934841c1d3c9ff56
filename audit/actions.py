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
    CAMPAIGN_SENT = "campaign:sent"
    CAMPAIGN_ENDED = "campaign:ended"
    ASKING_LIMITED = "asking:limited"
    PRESSURE_REPORTED = "pressure:reported"
    PRESSURE_SETTLED = "pressure:settled"
    ENDING_PROPOSED = "ending:proposed"
    ENDING_DECIDED = "ending:decided"
    PARTICIPATION_PUBLISHED = "participation:published"
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
    STOP_ORDERED = "stop:ordered"
    STOP_LIFTED = "stop:lifted"
    PLACE_RECORDED = "place:recorded"
    MONITORING_PUBLISHED = "monitoring:published"
    MONITORING_POSTED = "monitoring:posted"
    MONITORING_ACKNOWLEDGED = "monitoring:acknowledged"
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
    ACCOUNT_CHANGED = "account:changed"
    ACCOUNT_ENDED = "account:ended"
    ROLE_ASSIGNED = "role:assigned"
    SESSION_STARTED = "session:started"
    SESSION_REFUSED = "session:refused"
    SESSION_CONFIRMED = "session:confirmed"
    SESSION_ENDED = "session:ended"
    CREDENTIAL_ADDED = "credential:added"
    CREDENTIAL_REMOVED = "credential:removed"
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
    PRIVATE_TOLD = "private:told"
    EXPORT_BUILT = "export:built"


# Acts whose content, exact time and form must tell an outsider nothing about the person: a
# consent that was given and one that was refused leave leaves of one length and one shape.
SHY = frozenset({Action.CONSENT_DECIDED, Action.CAPTURE_INGESTED, Action.PRIVATE_TOLD})

# What follows from somebody's own decision: standing in clear beside a shy entry, each would tell
# what was decided there. The log says `private:told` of all of them, once a period (audit.daily);
# which one it was, and when, is told to the person.
PRIVATE = frozenset(
    {
        Action.CAPTURE_DELETED,
        Action.RELEASE_RECALLED,
        Action.ERASURE_REQUESTED,
        Action.ERASURE_COMPLETED,
        Action.KEY_SHREDDED,
    }
)
# Private where the entry is about the one who acted: a yes asks for this proof, a withdrawal never
# does (R4). An office's proof stands in clear.
PRIVATE_ABOUT_ONESELF = frozenset({Action.SESSION_CONFIRMED})


class Verdict(StrEnum):
    """What was decided about the act."""

    ALLOW = "allow"
    DENY = "deny"
    NOT_APPLICABLE = "n/a"
