"""An entry as an event of the Open Cybersecurity Schema Framework 1.6, for a SIEM.

Promises: required attributes are there, and nobody is: the actor is a role, or not told; the user
whom an event is about is not told. What OCSF has no word for stands under `unmapped`.
"""

from typing import Final, NamedTuple

from audit.actions import Action, Verdict
from audit.leaf import Json, time_text
from audit.paging import EntryRow

VERSION: Final = "1.6.0"
_NAME: Final = "Remit"
_NOT_TOLD: Final = "not told"
_OTHER: Final = 99
_INFORMATIONAL, _MEDIUM = 1, 3
_SUCCESS, _FAILURE = 1, 2

_ACCOUNT, _AUTHENTICATION, _ENTITY, _API, _DATASTORE = 3001, 3002, 3004, 6003, 6005


class Kind(NamedTuple):
    """Which event of OCSF an action is: its class, its activity, and what it is about."""

    event_class: int
    activity: int
    about: str = ""


def _records(activity: int) -> Kind:
    return Kind(_DATASTORE, activity, "captured records")


def _log(activity: int) -> Kind:
    return Kind(_API, activity, "audit log")


# Datastore: 1 read, 5 write, 7 delete. API: 1 create, 2 read, 3 update. Entity: 1 create, 2 read,
# 3 update, 4 delete, 6 enrol, 7 unenrol, 10 activate, 12 suspend.
KINDS: Final[dict[Action, Kind]] = {
    Action.LOG_GENESIS: _log(1),
    Action.LOG_HEARTBEAT: _log(_OTHER),
    Action.LOG_RECOVERED: _log(3),
    Action.LOG_CLOSED: _log(3),
    Action.LOG_ROTATED: _log(3),
    Action.LOG_SEARCHED: _log(2),
    Action.LOG_OPENED: _log(2),
    Action.CONSENT_DECIDED: Kind(_ENTITY, 3, "consent"),
    Action.CAMPAIGN_SENT: Kind(_ENTITY, 1, "request for consent"),
    Action.CAMPAIGN_ENDED: Kind(_ENTITY, 3, "request for consent"),
    Action.ASKING_LIMITED: Kind(_ENTITY, 3, "request for consent"),
    Action.PRESSURE_REPORTED: Kind(_ENTITY, 1, "report of pressure"),
    Action.PRESSURE_SETTLED: Kind(_ENTITY, 3, "report of pressure"),
    Action.PARTICIPATION_PUBLISHED: Kind(_ENTITY, 1, "participation figure"),
    Action.NOTICE_PUBLISHED: Kind(_ENTITY, 1, "notice"),
    Action.PURPOSE_REGISTERED: Kind(_ENTITY, 1, "purpose"),
    Action.APPLICATION_REGISTERED: Kind(_ENTITY, 1, "application"),
    Action.POLICY_DRAFTED: Kind(_ENTITY, 1, "capture policy"),
    Action.POLICY_SUBMITTED: Kind(_ENTITY, 3, "capture policy"),
    Action.POLICY_APPROVED: Kind(_ENTITY, 3, "capture policy"),
    Action.POLICY_REJECTED: Kind(_ENTITY, 3, "capture policy"),
    Action.POLICY_ACTIVATED: Kind(_ENTITY, 10, "capture policy"),
    Action.POLICY_SUSPENDED: Kind(_ENTITY, 12, "capture policy"),
    Action.POLICY_RESUMED: Kind(_ENTITY, 10, "capture policy"),
    Action.STOP_ORDERED: Kind(_ENTITY, 12, "all capture"),
    Action.STOP_LIFTED: Kind(_ENTITY, 10, "all capture"),
    Action.PLACE_RECORDED: Kind(_ENTITY, 3, "place of work"),
    Action.MONITORING_PUBLISHED: Kind(_ENTITY, 1, "monitoring notice"),
    Action.MONITORING_POSTED: Kind(_ENTITY, 3, "monitoring notice"),
    Action.MONITORING_ACKNOWLEDGED: Kind(_ENTITY, 3, "monitoring notice"),
    Action.BASIS_RECORDED: Kind(_ENTITY, 1, "lawful basis"),
    Action.ASSESSMENT_DRAFTED: Kind(_ENTITY, 1, "impact assessment"),
    Action.ASSESSMENT_SUBMITTED: Kind(_ENTITY, 3, "impact assessment"),
    Action.ASSESSMENT_DECIDED: Kind(_ENTITY, 3, "impact assessment"),
    Action.ASSESSMENT_REVIEW_DUE: Kind(_ENTITY, 3, "impact assessment"),
    Action.CONSULTATION_RECORDED: Kind(_ENTITY, 1, "prior consultation"),
    Action.AGREEMENT_RECORDED: Kind(_ENTITY, 1, "works agreement"),
    Action.AGREEMENT_CONFIRMED: Kind(_ENTITY, 3, "works agreement"),
    Action.AGREEMENT_ENDED: Kind(_ENTITY, 12, "works agreement"),
    Action.ENDING_PROPOSED: Kind(_ENTITY, 1, "ending of consents"),
    Action.ENDING_DECIDED: Kind(_ENTITY, 3, "ending of consents"),
    Action.RETENTION_SCHEDULED: Kind(_ENTITY, 3, "retention schedule"),
    Action.ACCOUNT_CREATED: Kind(_ACCOUNT, 1),
    Action.ACCOUNT_CHANGED: Kind(_ACCOUNT, _OTHER),
    Action.ACCOUNT_ENDED: Kind(_ACCOUNT, 5),
    Action.ROLE_ASSIGNED: Kind(_ACCOUNT, _OTHER),
    Action.SESSION_STARTED: Kind(_AUTHENTICATION, 1),
    Action.SESSION_REFUSED: Kind(_AUTHENTICATION, 1),
    Action.SESSION_CONFIRMED: Kind(_AUTHENTICATION, _OTHER),
    Action.SESSION_ENDED: Kind(_AUTHENTICATION, 2),
    Action.CREDENTIAL_ADDED: Kind(_ACCOUNT, 10),
    Action.CREDENTIAL_REMOVED: Kind(_ACCOUNT, 11),
    Action.DEVICE_ENROLLED: Kind(_ENTITY, 6, "device"),
    Action.DEVICE_REVOKED: Kind(_ENTITY, 7, "device"),
    Action.CAPTURE_INGESTED: _records(5),
    Action.CAPTURE_REDACTED: _records(5),
    Action.CAPTURE_REFUSED: _records(5),
    Action.CAPTURE_DELETED: _records(7),
    Action.CAPTURE_EXPIRED: _records(7),
    Action.ACCESS_REQUESTED: Kind(_ENTITY, 1, "access request"),
    Action.ACCESS_APPROVED: Kind(_ENTITY, 3, "access request"),
    Action.ACCESS_REJECTED: Kind(_ENTITY, 3, "access request"),
    Action.ACCESS_ALLOWED: _records(1),
    Action.ACCESS_DENIED: _records(1),
    Action.ACCESS_CLOSED: _records(_OTHER),
    Action.RELEASE_PUBLISHED: Kind(_ENTITY, 1, "data release"),
    Action.RELEASE_RECALLED: Kind(_ENTITY, 4, "data release"),
    Action.RIGHTS_REQUESTED: Kind(_ENTITY, 1, "rights request"),
    Action.RIGHTS_FULFILLED: Kind(_ENTITY, 3, "rights request"),
    Action.ERASURE_REQUESTED: Kind(_ENTITY, 1, "erasure"),
    Action.ERASURE_COMPLETED: _records(7),
    Action.KEY_SHREDDED: Kind(_ENTITY, 4, "key"),
    Action.KEY_ROTATED: Kind(_ENTITY, 3, "key"),
    Action.EXPORT_BUILT: _records(1),
    Action.PRIVATE_TOLD: Kind(_ENTITY, _OTHER, "private matter"),
}


def event(row: EntryRow, *, origin: str) -> dict[str, Json]:
    """Return the event of one entry."""
    kind = KINDS[row.event]
    refused = row.verdict is Verdict.DENY or row.event is Action.SESSION_REFUSED
    told: dict[str, Json] = {
        "category_uid": kind.event_class // 1000,
        "class_uid": kind.event_class,
        "activity_id": kind.activity,
        "activity_name": row.event.value,
        "type_uid": kind.event_class * 100 + kind.activity,
        "severity_id": _MEDIUM if refused else _INFORMATIONAL,
        "status_id": _FAILURE if refused else _SUCCESS,
        "time": int(row.occurred_at.timestamp() * 1000),
        "actor": _actor(row.role),
        "metadata": _metadata(row, origin),
        "unmapped": _unmapped(row),
    }
    return told | _about(kind, row)


def _actor(role: str) -> dict[str, Json]:
    if not role:
        return {"app_name": _NAME}
    return {"user": {"name": role, "type": "Role", "type_id": _OTHER}}


def _metadata(row: EntryRow, origin: str) -> dict[str, Json]:
    told: dict[str, Json] = {
        "version": VERSION,
        "product": {"name": _NAME, "vendor_name": _NAME},
        "uid": str(row.uuid),
        "event_code": row.event.value,
        "log_name": origin,
        "original_time": time_text(row.occurred_at),
    }
    if row.index is not None:
        told["sequence"] = row.index
    return told


def _unmapped(row: EntryRow) -> dict[str, Json]:
    told: dict[str, Json] = {
        "verdict": row.verdict.value,
        "purpose": row.purpose,
        "act": row.act,
        "count": row.count,
        "leaf_hash": row.leaf_hash.hex(),
    }
    return {name: value for name, value in told.items() if value not in {"", None}}


def _about(kind: Kind, row: EntryRow) -> dict[str, Json]:
    """Return what the class demands beyond every event's attributes."""
    told: dict[str, Json] = {}
    if kind.event_class in {_API, _DATASTORE}:
        told["src_endpoint"] = {"name": _NOT_TOLD}
    match kind.event_class:
        case 6003:
            told["api"] = {"operation": row.event.value, "service": {"name": kind.about}}
        case 6005:
            told["table"] = {"name": kind.about}
        case 3004:
            told["entity"] = {"name": kind.about, "type": kind.about}
        case 3002:
            told["service"] = {"name": _NAME}
            told["user"] = {"name": _NOT_TOLD, "type_id": 0}
        case _:
            told["user"] = {"name": _NOT_TOLD, "type_id": 0}
    return told
