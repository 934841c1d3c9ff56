"""The one way into the log.

Promises: an entry and the act it records commit together or not at all; nothing personal enters
the leaf in clear; what a shy act decided changes neither length nor shape nor time of its leaf.
Order, tree and publication are the sequencer's business.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Required, TypedDict, Unpack
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import disclosures, leaf, ports, tree
from audit.actions import SHY, Action, Verdict
from audit.actors import Actor
from audit.errors import LeafError, LogUnavailableError, NotInTransactionError
from audit.ids import uuid7
from audit.leaf import Json, PolicyRef
from audit.models import Entry, SubjectIndex

__all__ = ["Facts", "PolicyRef", "append", "append_now"]


class Facts(TypedDict, total=False):
    """What an entry says about its act.

    In clear (unless the act is shy): verdict, purpose, the actor's role, act, count, policy.
    Always under salted digests: actor, subject, request_id and everything in `private`.
    """

    actor: Required[Actor]
    subject: str | None
    verdict: Verdict
    purpose: str | None
    act: str | None
    count: int | None
    policy: PolicyRef | None
    private: Mapping[str, Json] | None
    request_id: UUID | None
    now: datetime | None


# A disclosure may not repeat a name of the leaf (RFC 9901 §7.1), nor one the journal adds.
_RESERVED = leaf.NAMES | {"actor", "subject", "subject_seq", "request"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    action: Action
    actor: Actor
    subject: str | None = None
    verdict: Verdict = Verdict.NOT_APPLICABLE
    purpose: str | None = None
    act: str | None = None
    count: int | None = None
    policy: PolicyRef | None = None
    private: Mapping[str, Json] | None = None
    request_id: UUID | None = None
    now: datetime | None = None

    @property
    def is_shy(self) -> bool:
        return self.action in SHY


def append(action: Action, **facts: Unpack[Facts]) -> Entry:
    """Append an entry to the caller's transaction.

    Whoever appends about several people in one transaction goes in the order of their keys, since
    each append locks the person's counter. Raises NotInTransactionError outside a transaction,
    LogUnavailableError when the row cannot be written.
    """
    if not connection.in_atomic_block:
        raise NotInTransactionError(f"{action} was appended outside a transaction.")
    try:
        return _write(_Act(action=action, **facts))
    except DatabaseError as error:
        raise LogUnavailableError("the entry cannot be written") from error


def append_now(action: Action, **facts: Unpack[Facts]) -> Entry:
    """Commit an entry by itself, before the act it allows or after the one it refuses.

    Refuses (RuntimeError) inside another transaction, which could take the entry back. Raises
    LogUnavailableError when it cannot be committed.
    """
    try:
        with transaction.atomic(durable=True):
            return _write(_Act(action=action, **facts))
    except DatabaseError as error:
        raise LogUnavailableError("the entry cannot be written") from error


def _write(act: _Act) -> Entry:
    at = act.now or timezone.now()
    if act.is_shy:
        at = leaf.rounded_hour(at)
    uuid = uuid7(at)
    token, seq = _count_subject(act.subject)
    by_slot = _disclose(act, seq)
    body = leaf.build(
        leaf.Clear(
            uuid=uuid,
            at=at,
            action=act.action,
            verdict=act.verdict,
            purpose=act.purpose,
            role=act.actor.role,
            act=act.act,
            count=act.count,
            policy=act.policy,
        ),
        disclosures=[each for _, parts in by_slot.values() for each in parts],
        tag=_tag(act.subject),
        shy=act.is_shy,
    )
    entry = Entry.objects.create(uuid=uuid, leaf=body, leaf_hash=tree.leaf_hash(body))
    for slot, (owner, parts) in by_slot.items():
        disclosures.store(entry, slot=slot, owner=owner, disclosures=parts, shy=act.is_shy)
    if token is not None and seq is not None:
        SubjectIndex.objects.create(token=token, seq=seq, entry=entry)
    return entry


def _count_subject(subject: str | None) -> tuple[str | None, int | None]:
    """Return the person's token and this entry's number among theirs (1, 2, 3, ...)."""
    if subject is None:
        return None, None
    token = ports.keys().token(owner=subject)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_subjectcounter (token, last) VALUES (%s, 1) "
            "ON CONFLICT (token) DO UPDATE SET last = audit_subjectcounter.last + 1 "
            "RETURNING last",
            [token],
        )
        (seq,) = cursor.fetchone()
    return token, int(seq)


def _disclose(act: _Act, seq: int | None) -> dict[str, tuple[str, list[str]]]:
    """Return slot -> (owner, disclosures): who must be erased before a value is gone."""
    values: dict[str, Json] = dict(act.private or {})
    if taken := sorted(_RESERVED & values.keys()):
        raise LeafError(f"The log itself says {', '.join(taken)}; name the detail otherwise.")
    if act.request_id is not None:
        # In clear it would tie together the entries of one request, and so of one person.
        values["request"] = str(act.request_id)
    if act.is_shy:
        values |= _hidden(act)
    if act.subject is not None:
        values["subject"] = act.subject
    if seq is not None:
        values["subject_seq"] = seq
    owner = act.subject or (act.actor.key if act.actor.is_person else ports.ORGANISATION)
    slots: dict[str, tuple[str, list[str]]] = {}
    if act.actor.is_person and owner != act.actor.key:
        slots["actor"] = (act.actor.key, disclosures.make({"actor": act.actor.key}))
    else:
        values["actor"] = act.actor.key
    slots["main"] = (owner, disclosures.make(values))
    return slots


def _hidden(act: _Act) -> dict[str, Json]:
    """Return what another act would say in clear."""
    policy = act.policy
    clear: dict[str, Json] = {
        "verdict": None if act.verdict is Verdict.NOT_APPLICABLE else act.verdict.value,
        "purpose": act.purpose,
        "role": act.actor.role,
        "act": act.act,
        "count": act.count,
        "policy": f"{policy.id}@{policy.version}" if policy else None,
    }
    return {name: value for name, value in clear.items() if value is not None}


def _tag(subject: str | None) -> leaf.Tag:
    if subject is None:
        return leaf.no_tag()
    nonce = os.urandom(leaf.NONCE_BYTES)
    return leaf.Tag(nonce, ports.keys().tag(owner=subject, nonce=nonce))
