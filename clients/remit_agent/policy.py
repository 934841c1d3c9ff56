"""The signed policy: what this device may capture, until when, and how it knows.

Promises: a policy is followed only when a pinned key signed it, it was made for this device, its
lease of at most fifteen minutes has begun and not ended (of a day at most, where it says so, while
the service cannot be reached), and its epochs are not lower than any seen before; an unknown field,
rule or selector closes what it stands in. Everything else means: capture nothing. Leaves to others:
fetching it (`session`), applying it (`filter`).
"""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from remit_agent import dsse, globs, selectors
from remit_agent.errors import PolicyError, SignatureError
from remit_agent.home import Seen, VerifyKey
from remit_agent.observed import Element, Facts

PAYLOAD_TYPE: Final = "application/vnd.remit.agent-policy.v1+json"
LONGEST_LEASE: Final = timedelta(minutes=15)
LONGEST_OFFLINE: Final = timedelta(hours=24)
TIMING_QUANTUM_MS: Final = 20
# By how much the clocks of two hosts of one service may differ.
_SKEW_S: Final = 120
CATEGORIES: Final = (
    "pointer", "click", "menu-navigation", "shortcut", "keystroke-timing", "keystroke-text",
    "window-metadata", "ui-structure", "screenshot",
)  # fmt: skip
_REGION: Final = re.compile(r"^region-[0-9]{1,3}\Z")

Epoch = Annotated[int, Meta(ge=0, lt=2**53)]


class _Closed(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the document in which an unknown field makes the whole policy unusable."""


class Matcher(_Closed, frozen=True):
    """How the application is recognised."""

    kind: Literal["window-title", "process", "origin", "identity"]
    pattern: str
    id: str


class NamedPattern(_Closed, frozen=True):
    """A pattern of which only the id ever leaves this device."""

    id: str
    pattern: str


class FieldRule(_Closed, frozen=True):
    """A field by selector; at the top of the document it also names its application."""

    id: str
    selector: str
    application: str | None = None


class CategoryRule(_Closed, frozen=True):
    """A category that is open here, and the rules it is open under."""

    key: str
    rules: dict[str, bool | int | str] = {}


class Application(_Closed, frozen=True, kw_only=True):
    """One application of the policy and all that is open in it."""

    id: str
    kind: Literal["web", "desktop"]
    policy_version: str
    matchers: list[Matcher]
    titles: list[NamedPattern] = []
    urls: list[NamedPattern] = []
    labels: list[str] = []
    categories: list[CategoryRule]
    fields: list[FieldRule] = []
    masks: list[FieldRule] = []

    def recognises(self, facts: Facts) -> bool:
        """Whether the matchers of the policy stand for a place of which so much is known.

        It must be matched in each kind that the policy names: a title alone, which any program may
        show, is not enough where the policy also names the program; what is not known is no match.
        """
        kinds = {each.kind for each in self.matchers}
        return bool(kinds) and all(self._is_matched(kind, facts.get(kind, ())) for kind in kinds)

    def _is_matched(self, kind: str, values: Sequence[str]) -> bool:
        patterns = [each.pattern for each in self.matchers if each.kind == kind]
        return any(globs.matches(pattern, value) for pattern in patterns for value in values)

    @property
    def open_categories(self) -> frozenset[str]:
        """The categories that may be captured: known ones, under rules this agent knows."""
        return frozenset(
            each.key for each in self.categories if each.key in CATEGORIES and _is_known(each)
        )

    @property
    def timing_quantum_ns(self) -> int:
        """How coarse typing rhythm is made, never finer than 20 ms."""
        asked = [
            value
            for each in self.categories
            if each.key == "keystroke-timing"
            and isinstance(value := each.rules.get("quantise-ms"), int)
        ]
        return max([TIMING_QUANTUM_MS, *asked]) * 1_000_000

    @property
    def screen_regions(self) -> list[str]:
        """The selectors of the regions whose pixels a picture may show; none: structure only."""
        return [
            value
            for each in self.categories
            if each.key == "screenshot"
            for name, value in sorted(each.rules.items())
            if _REGION.match(name) and isinstance(value, str)
        ]

    def may_type_into(self, element: Element | None) -> bool:
        """Whether text of this field may be taken: in `fields` where there are any, in no mask.

        A field the recorder does not know, or a selector this agent cannot read, means no
        wherever the answer depends on it.
        """
        if element is None:
            return not self.fields and not self.masks
        masks = [each for each in self.masks if selectors.place(each.selector) is None]
        if any(selectors.selects(each.selector, element) is not False for each in masks):
            return False
        return not self.fields or any(
            selectors.selects(each.selector, element) for each in self.fields
        )

    def pattern_of(self, patterns: Collection[NamedPattern], text: str) -> str | None:
        """Return the id of the first pattern that stands for a title or URL."""
        return next((each.id for each in patterns if globs.matches(each.pattern, text)), None)


class SealKey(_Closed, frozen=True):
    """A public key of the vault's worker; `public` is base64."""

    key_id: str
    alg: str
    public: str


class Budgets(Struct, frozen=True):
    """Limits: of one batch, and of what a person's machine and network may be asked for."""

    max_batch_events: Annotated[int, Meta(ge=1)] = 5000
    max_octets_per_day: Annotated[int, Meta(ge=0)] = 200 << 20
    max_screens_per_minute: Annotated[int, Meta(ge=0, le=60)] = 6
    # Of one core.
    max_cpu_percent: Annotated[int, Meta(ge=1, le=100)] = 5
    on_battery: bool = True
    on_metered: Literal["never", "if-allowed"] = "if-allowed"


class Poll(Struct, frozen=True):
    """How often to ask again, and how long the service may hold the question open."""

    interval_s: Annotated[int, Meta(ge=1, le=3600)] = 20
    wait_s: Annotated[int, Meta(ge=0, le=30)] = 0


class Document(_Closed, frozen=True, kw_only=True):
    """The payload of the envelope (decisions 31)."""

    schema: Literal["agent-policy/1"]
    device_id: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime
    offline_until: datetime | None = None
    policy_epoch: Epoch
    consent_epoch: Epoch
    paused_until: str | None
    applications: list[Application]
    fields: list[FieldRule] = []
    masks: list[FieldRule] = []
    seal_keys: list[SealKey]
    budgets: Budgets
    poll: Poll
    verify_keys: list[VerifyKey]


@dataclass(frozen=True, slots=True)
class Policy:
    """A document that was found to be signed and ours; `digest` is SHA-256 of its bytes in hex."""

    document: Document
    digest: str
    etag: str | None

    def ends_at(self, *, is_offline: bool) -> datetime:
        """Return the end of the lease, later for a device that cannot reach the service."""
        offline = self.document.offline_until if is_offline else None
        return offline or self.document.expires_at

    def is_in_force(self, now: datetime, *, is_offline: bool = False) -> bool:
        """Whether the lease has begun and not ended; the end itself is already too late."""
        return self.document.not_before <= now < self.ends_at(is_offline=is_offline)

    def is_paused(self, now: datetime) -> bool:
        """Whether the person paused capture in the portal."""
        until = self.document.paused_until
        if until is None:
            return False
        try:
            return now < datetime.fromisoformat(until)
        except (ValueError, TypeError):
            # "indefinite", and whatever else this agent cannot read as an end.
            return True

    def application(self, key: str) -> Application | None:
        """Return an application of the policy by its id."""
        return next((each for each in self.document.applications if each.id == key), None)


def read(
    envelope: bytes,
    *,
    etag: str | None,
    keys: Mapping[str, bytes],
    device_id: str,
    seen: Seen,
    now: datetime,
) -> Policy:
    """Return a policy that may be followed now; PolicyError says in one line why not."""
    try:
        payload = dsse.verify(envelope=envelope, payload_type=PAYLOAD_TYPE, public_keys=keys)
    except SignatureError as error:
        raise PolicyError(f"The policy cannot be trusted. {error}") from error
    try:
        document = msgspec.json.decode(payload, type=Document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PolicyError("The policy says something this agent does not know.") from error
    _check(document, device_id=device_id, seen=seen, now=now)
    return Policy(document, hashlib.sha256(payload).hexdigest(), etag)


def _check(document: Document, *, device_id: str, seen: Seen, now: datetime) -> None:
    if document.device_id != device_id:
        raise PolicyError("The policy was made for another device.")
    if document.policy_epoch < seen.policy_epoch or document.consent_epoch < seen.consent_epoch:
        raise PolicyError("The policy is older than one seen before.")
    _check_lease(document)
    if document.issued_at.timestamp() < seen.issued_at - _SKEW_S:
        raise PolicyError("The policy is older than one seen before.")
    if now < document.not_before:
        raise PolicyError("The policy does not hold yet. Is the clock right?")
    if now >= document.expires_at:
        raise PolicyError("The policy has expired.")


def _check_lease(document: Document) -> None:
    offline_until = document.offline_until or document.expires_at
    times = (document.issued_at, document.not_before, document.expires_at, offline_until)
    if any(time.tzinfo is None for time in times):
        raise PolicyError("The policy's times name no zone.")
    begins = min(document.issued_at, document.not_before)
    if document.expires_at - begins > LONGEST_LEASE:
        raise PolicyError("The policy claims to hold longer than fifteen minutes.")
    if offline_until - begins > LONGEST_OFFLINE:
        raise PolicyError("The policy claims to hold longer than a day.")


def _is_known(category: CategoryRule) -> bool:
    """Whether this agent knows every rule of a category; one that it does not know closes it."""
    match category.key:
        case "keystroke-timing":
            return category.rules.keys() <= {"quantise-ms"}
        case "screenshot":
            return all(
                (name == "mode" and value in {"structure-only", "regions"})
                or (_REGION.match(name) and isinstance(value, str) and selectors.is_known(value))
                for name, value in category.rules.items()
            )
    return not category.rules


def seal_key(policy: Policy) -> tuple[SealKey, bytes]:
    """Return the first key this agent can seal to, and its octets; PolicyError without one."""
    for key in policy.document.seal_keys:
        if key.alg in {"MLKEM768_X25519", "X25519"}:
            try:
                return key, base64.b64decode(key.public, validate=True)
            except ValueError:
                continue
    raise PolicyError("The policy names no key to seal batches to.")
