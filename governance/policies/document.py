"""The agent policy document: which bytes a device gets, and who vouches for them (decisions 31).

Promises: the same facts give the same bytes; the document is never valid longer than
REMIT_POLICY_TTL_SECONDS; it names no person; it holds no category the active policy does not allow.
Leaves to others: whether consent covers a category (capture.agent_policy) and the signature scheme
(audit.signing).
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings

from audit import signing
from audit.leaf import Json, canonical
from governance.policies import budgets
from governance.policies.categories import Category
from governance.policies.errors import PolicyDocumentError
from governance.policies.selectors import ActivePolicy

SCHEMA: Final = "agent-policy/1"
PAYLOAD_TYPE: Final = "application/vnd.remit.agent-policy.v1+json"
INDEFINITE: Final = "indefinite"
# Often enough that a change reaches an agent in seconds, and cheap enough: mostly 304.
POLL_INTERVAL_SECONDS: Final = 20
POLL_WAIT_SECONDS: Final = 15


@dataclass(frozen=True, slots=True)
class SealKeyFact:
    """A public key agents seal batches to."""

    key_id: str
    alg: str
    public: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """All a document says. `applications` pairs a policy with the categories open for this person.

    `paused_until` is a time, "indefinite", or None: not paused. `offline_until` is how long a
    device that cannot reach the service may go on under it, or None: not beyond `expires_at`.
    """

    device_id: UUID
    issued_at: datetime
    expires_at: datetime
    policy_epoch: int
    consent_epoch: int
    paused_until: datetime | str | None
    applications: Sequence[tuple[ActivePolicy, Sequence[str]]]
    seal_keys: Sequence[SealKeyFact]
    max_batch_events: int
    offline_until: datetime | None = None

    @property
    def budgets(self) -> budgets.Budgets:
        """The strictest of the budgets of all policies in it."""
        return budgets.strictest(policy.content.budgets for policy, _ in self.applications)


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """What was signed, the DSSE envelope as it is sent, and its strong ETag."""

    payload: bytes
    envelope: bytes
    etag: str


def build_agent_policy(facts: AgentFacts) -> bytes:
    """Return the canonical bytes of the document; PolicyDocumentError for facts that contradict."""
    _check(facts)
    issued = _time(facts.issued_at)
    document: dict[str, Json] = {
        "schema": SCHEMA,
        "device_id": str(facts.device_id),
        "issued_at": issued,
        "not_before": issued,
        "expires_at": _time(facts.expires_at),
        "offline_until": _time(facts.offline_until) if facts.offline_until else None,
        "policy_epoch": facts.policy_epoch,
        "consent_epoch": facts.consent_epoch,
        "paused_until": _pause(facts.paused_until),
        "applications": [_application(*each) for each in facts.applications],
        # The same once more over all applications: an agent masks before it knows where it is.
        "fields": _everywhere(facts, "fields"),
        "masks": _everywhere(facts, "masks"),
        "seal_keys": [_key(key.key_id, key.alg, key.public) for key in facts.seal_keys],
        "budgets": _budgets(facts),
        "poll": {"interval_s": POLL_INTERVAL_SECONDS, "wait_s": POLL_WAIT_SECONDS},
        "verify_keys": [
            _key(key.key_id, key.alg, key.public) for key in signing.public_keys("policy")
        ],
    }
    return canonical(document)


def _budgets(facts: AgentFacts) -> Json:
    limits = facts.budgets
    return {
        "max_batch_events": facts.max_batch_events,
        "max_octets_per_day": limits.octets_per_day,
        "max_screens_per_minute": limits.screens_per_minute,
        "max_cpu_percent": limits.cpu_percent,
        "on_battery": limits.on_battery,
        "on_metered": limits.on_metered,
    }


def sign(payload: bytes) -> SignedDocument:
    """Return the document in its DSSE envelope, signed by the policy key."""
    signed = signing.dsse_sign(key="policy", payload_type=PAYLOAD_TYPE, body=payload)
    envelope = json.dumps(signed, separators=(",", ":"), sort_keys=True).encode("ascii")
    return SignedDocument(payload=payload, envelope=envelope, etag=etag_of(envelope))


def etag_of(envelope: bytes) -> str:
    """Return the strong entity tag of an envelope (RFC 9110 §8.8.3)."""
    return f'"{sha256(envelope).hexdigest()[:32]}"'


def _check(facts: AgentFacts) -> None:
    longest = timedelta(seconds=settings.REMIT_POLICY_TTL_SECONDS)
    if not timedelta(0) < facts.expires_at - facts.issued_at <= longest:
        raise PolicyDocumentError(f"An agent policy holds for {longest} at most.")
    if facts.offline_until is not None:
        hours = timedelta(hours=facts.budgets.offline_hours)
        if not facts.expires_at <= facts.offline_until <= facts.issued_at + hours:
            raise PolicyDocumentError(f"No policy in it lets a device go on alone for {hours}.")
    if isinstance(facts.paused_until, str) and facts.paused_until != INDEFINITE:
        raise PolicyDocumentError("A pause ends at a time, or is indefinite.")
    for policy, categories in facts.applications:
        allowed = {category for _, category in policy.cells}
        if strangers := set(categories) - allowed:
            raise PolicyDocumentError(f"{policy.version} does not allow {min(strangers)}.")


def _application(policy: ActivePolicy, categories: Sequence[str]) -> Json:
    order = [category.value for category in Category]
    return {
        "id": policy.application,
        "kind": policy.kind,
        "policy_version": policy.version,
        "matchers": policy.matchers,
        "titles": policy.patterns["titles"],
        "urls": policy.patterns["urls"],
        "labels": policy.labels,
        "categories": [
            {"key": key, "rules": policy.rules_of(key)}
            for key in sorted(set(categories), key=order.index)
        ],
        "fields": policy.fields,
        "masks": policy.masks,
    }


def _everywhere(facts: AgentFacts, name: str) -> Json:
    return [
        {"application": policy.application, **field}
        for policy, _ in facts.applications
        for field in getattr(policy, name)
    ]


def _key(key_id: str, alg: str, public: bytes) -> Json:
    return {"key_id": key_id, "alg": alg, "public": base64.b64encode(public).decode("ascii")}


def _pause(until: datetime | str | None) -> Json:
    return _time(until) if isinstance(until, datetime) else until


def _time(at: datetime) -> str:
    """Return RFC 3339 in UTC to the microsecond, so that a lease never reads a second longer."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
