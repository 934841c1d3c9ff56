"""The signed policy one device gets: only what its person agreed to inside active policies.

Promises: a policy is never valid longer than REMIT_POLICY_TTL_SECONDS, a lease is renewed under a
new ETag at least every five minutes, and any change of consent, pause or policy makes a new one.
Leaves to others: the document's bytes and signature (policies.document).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import consent.selectors
from audit import sql
from governance.capture import cells, sealed_batch
from governance.decisions import Allow, decide_cell
from governance.policies import document
from governance.policies import selectors as policies
from governance.vault import seal_keys

RENEW: Final = timedelta(seconds=300)
# One plain statement: what it finds held at one moment, without a lock. What was signed before a
# step back of the clock is passed over: else every poll signs one more until that time comes again.
_LATEST: Final = """
    SELECT envelope, etag, issued_at, expires_at, policy_epoch, consent_epoch
    FROM capture_issuedpolicy WHERE device_id = %s AND issued_at <= %s
        AND policy_epoch = COALESCE((SELECT epoch FROM policies_generation WHERE id = 1), 0)
        AND consent_epoch = COALESCE((SELECT epoch FROM consent_epoch WHERE subject = %s), 0)
    ORDER BY issued_at DESC LIMIT 1
"""
_ISSUED: Final = """
    INSERT INTO capture_issuedpolicy (digest, device_id, policy_epoch, consent_epoch, issued_at,
        expires_at, offline_until, octets_per_day, etag, envelope)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# Room for what else differs: the end of an offline lease, a digit of a budget.
_ROOM_OCTETS: Final = 96
_STEP_OCTETS: Final = 2048
_LARGEST_EPOCH: Final = 10**9


@dataclass(frozen=True, slots=True)
class SignedPolicy:
    """The bytes to answer with, their strong ETag, and the end of the lease."""

    envelope: bytes
    etag: str
    expires_at: datetime
    policy_epoch: int
    consent_epoch: int


def current(*, device_id: UUID, subject: str, now: datetime | None = None) -> SignedPolicy:
    """Return the policy in force for a device, signing a new one when anything changed."""
    moment = now or timezone.now()
    if found := _in_force(device_id, subject, moment):
        return found
    with transaction.atomic():
        consent_epoch = consent.selectors.lock(subject=subject, exclusive=False)
        policy_epoch = policies.generation()
        # Somebody may have been quicker; from here on nobody decides anything else.
        return _in_force(device_id, subject, moment) or _issue(
            device_id, subject, moment, (policy_epoch, consent_epoch)
        )


def _in_force(device_id: UUID, subject: str, moment: datetime) -> SignedPolicy | None:
    found = sql.row(_LATEST, [device_id, moment, subject])
    if found is None:
        return None
    envelope, etag, issued, expires, *epochs = found
    issued_at, expires_at = sql.moment(issued), sql.moment(expires)
    if not (moment - RENEW < issued_at and moment < expires_at):
        return None
    return SignedPolicy(bytes(envelope), etag, expires_at, *epochs)


def _issue(device_id: UUID, subject: str, now: datetime, epochs: tuple[int, int]) -> SignedPolicy:
    person = cells.locked_cells_of(subject=subject, epoch=epochs[1], device_id=device_id, now=now)
    ends = _ends_of_consent(person, now)
    facts = document.AgentFacts(
        device_id=device_id,
        issued_at=now,
        expires_at=min([now + timedelta(seconds=settings.REMIT_POLICY_TTL_SECONDS), *ends]),
        policy_epoch=epochs[0],
        consent_epoch=epochs[1],
        paused_until=_paused_until(person, now),
        applications=_allowed(person, now),
        seal_keys=[
            document.SealKeyFact(key.key_id, key.alg, key.public) for key in seal_keys.current()
        ],
        max_batch_events=sealed_batch.MAX_EVENTS,
    )
    facts = replace(facts, offline_until=_end_of_offline_lease(facts, ends))
    signed = document.sign(document.build_agent_policy(facts))
    envelope = signed.envelope.ljust(_size_for_all(signed, _octets_for_all(facts, person)))
    digest = hashlib.sha256(signed.payload).hexdigest()
    times = (now, facts.expires_at, facts.offline_until)
    octets = facts.budgets.octets_per_day
    sql.rows(_ISSUED, [digest, device_id, *epochs, *times, octets, signed.etag, envelope])
    return SignedPolicy(envelope, signed.etag, facts.expires_at, *epochs)


@dataclass(frozen=True, slots=True)
class _Longest:
    """How long the document of somebody who allowed everything is, while nothing else changes."""

    policies: Mapping[str, policies.ActivePolicy]
    rest: tuple[object, ...]
    octets: int


# One at most: the policies that are in force.
_longest: list[_Longest] = []


def _size_for_all(signed: document.SignedDocument, octets: int) -> int:
    """Return how long everybody's answer is: as long as that of somebody who allowed everything.

    `octets` is the length of the document of that somebody. Whoever watches the line sees one
    length whatever a person chose or paused (R23). The blanks stand behind the envelope, where JSON
    ends; what is signed is without them.
    """
    # What stands around the document is alike for all; nothing of its own length may count, not
    # even in which third of base64's groups of three it ends.
    around = len(signed.envelope) - _in_base64(len(signed.payload))
    longest = around + _in_base64(octets) + _ROOM_OCTETS
    return -(-longest // _STEP_OCTETS) * _STEP_OCTETS


def _in_base64(octets: int) -> int:
    return (octets + 2) // 3 * 4


def _octets_for_all(facts: document.AgentFacts, person: cells.PersonCells) -> int:
    rest = (facts.policy_epoch, facts.seal_keys)
    known = _longest[0] if _longest else None
    if known is None or known.policies is not person.policies or known.rest != rest:
        everything = replace(
            facts,
            applications=[
                (policy, sorted({category for _, category in policy.cells}))
                for _, policy in sorted(person.policies.items())
            ],
            paused_until=facts.expires_at,
            offline_until=None,
            consent_epoch=_LARGEST_EPOCH,
        )
        octets = len(document.build_agent_policy(everything))
        known = _Longest(person.policies, rest, octets)
        _longest[:] = [known]
    return known.octets


def _allowed(
    person: cells.PersonCells, now: datetime
) -> list[tuple[policies.ActivePolicy, list[str]]]:
    """Return each application with the categories that may be captured at this moment."""
    # A pause halts capture but is no change of consent: the document says both.
    unpaused = replace(person, pauses=())
    allowed = []
    for key, policy in sorted(person.policies.items()):
        categories = [
            category
            for category in sorted({category for _, category in policy.cells})
            if isinstance(decide_cell(unpaused.facts(key, category), at=now, now=now), Allow)
        ]
        if categories:
            allowed.append((policy, categories))
    return allowed


def _paused_until(person: cells.PersonCells, now: datetime) -> datetime | str | None:
    ends = [pause.end for pause in person.pauses if pause.covers(now)]
    if not ends:
        return None
    return "indefinite" if None in ends else max(end for end in ends if end)


def _end_of_offline_lease(facts: document.AgentFacts, ends: list[datetime]) -> datetime | None:
    """Return until when a device that reaches nobody may go on; None where no policy says so."""
    hours = facts.budgets.offline_hours if facts.applications else 0
    until = min([facts.issued_at + timedelta(hours=hours), *ends])
    return until if until > facts.expires_at else None


def _ends_of_consent(person: cells.PersonCells, now: datetime) -> list[datetime]:
    """Return when what a lease rests on ends by itself (R9): no lease outlives it."""
    ends = [
        span.end
        for spans in person.consent.values()
        for purpose_spans in spans.values()
        for span in purpose_spans
        if span.end and span.covers(now)
    ]
    if person.standing.told and person.standing.told[1]:
        ends.append(person.standing.told[1])
    return ends
