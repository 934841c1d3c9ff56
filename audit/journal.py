"""The one way into the log.

Promises: an entry and the act it records commit together or not at all; nothing personal enters
the leaf in clear; what a shy act decided changes neither length nor shape nor time of its leaf;
what follows from it privately (actions.PRIVATE) leaves one that looks like all others of the day.
Order, tree and publication are the sequencer's business.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Required, TypedDict, Unpack
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import daily, disclosures, leaf, ports, rows, tree
from audit.actions import PRIVATE, PRIVATE_ABOUT_ONESELF, SHY, Action, Verdict
from audit.actors import Actor
from audit.errors import LeafError, LogUnavailableError, NotInTransactionError
from audit.ids import uuid7
from audit.leaf import Json, PolicyRef
from audit.models import Entry

__all__ = ["Facts", "PolicyRef", "append", "append_all", "append_each", "append_now"]


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


# One transaction holds this many entries in some tens of milliseconds; larger acts take several.
MOST_AT_ONCE: Final = 2000
_FIELDS: Final = ("id", "uuid", "organisation", "leaf", "leaf_hash")
# A disclosure may not repeat a name of the leaf (RFC 9901 §7.1), nor one the journal adds.
_RESERVED = leaf.NAMES | {"actor", "subject", "subject_seq", "request", "event", "at"}


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
    def is_private(self) -> bool:
        is_own = self.actor.key == self.subject
        return self.action in PRIVATE or (is_own and self.action in PRIVATE_ABOUT_ONESELF)

    @property
    def said(self) -> Action:
        """What the leaf says of it in clear."""
        return Action.PRIVATE_TOLD if self.is_private else self.action

    @property
    def is_shy(self) -> bool:
        return self.said in SHY

    def hours(self, at: datetime) -> datetime:
        """Return what the leaf says of its time."""
        if self.said is Action.PRIVATE_TOLD:
            return daily.told_at(at)
        return leaf.rounded_hour(at) if self.is_shy else at


def append(action: Action, **facts: Unpack[Facts]) -> Entry:
    """Append an entry to the caller's transaction.

    Whoever appends about several people in one transaction goes in the order of their keys, since
    each append locks the person's counter. Raises NotInTransactionError outside a transaction,
    LogUnavailableError when the row cannot be written.
    """
    return append_all(action, [facts])[0]


def append_all(action: Action, facts: Sequence[Facts]) -> list[Entry]:
    """Append an entry for each of up to 2,000 facts, at once; return them in the same order.

    Counters are locked in the order of the people's keys, whatever the order of the facts. Raises
    as `append` does, and ValueError for more.
    """
    return append_each([(action, each) for each in facts])


def append_each(acts: Sequence[tuple[Action, Facts]]) -> list[Entry]:
    """Append entries of several actions as `append_all` does those of one."""
    if not acts:
        return []
    if not connection.in_atomic_block:
        raise NotInTransactionError(f"{acts[0][0]} was appended outside a transaction.")
    if len(acts) > MOST_AT_ONCE:
        raise ValueError(f"At most {MOST_AT_ONCE} entries are appended at once.")
    try:
        return _write([_Act(action=action, **facts) for action, facts in acts])
    except DatabaseError as error:
        raise LogUnavailableError("the entry cannot be written") from error


def append_now(action: Action, **facts: Unpack[Facts]) -> Entry:
    """Commit an entry by itself, before the act it allows or after the one it refuses.

    Refuses (RuntimeError) inside another transaction, which could take the entry back. Raises
    LogUnavailableError when it cannot be committed.
    """
    try:
        with transaction.atomic(durable=True):
            return append(action, **facts)
    except DatabaseError as error:
        raise LogUnavailableError("the entry cannot be written") from error


def _write(acts: Sequence[_Act]) -> list[Entry]:
    """Read the keys, count, insert: each once for all acts."""
    people = {act.subject for act in acts if act.subject is not None}
    keys = ports.keys().of(ports.ORGANISATION, *people.union(*map(_acting, acts)))
    places = _places(acts, {subject: keys[subject].token() for subject in sorted(people)})
    written = [_row(act, keys, place) for act, place in zip(acts, places, strict=True)]
    return [
        Entry.from_db(
            connection.alias, _FIELDS, (key, row.uuid, "default", row.leaf, row.leaf_hash)
        )
        for key, row in zip(rows.insert(written), written, strict=True)
    ]


def _acting(act: _Act) -> tuple[str, ...]:
    return (act.actor.key,) if act.actor.is_person else ()


def _places(acts: Sequence[_Act], tokens: Mapping[str, str]) -> list[rows.Place | None]:
    """Count each person's entries on (1, 2, 3, ...); return every entry's place among its own."""
    if not tokens:
        return [None] * len(acts)
    more = Counter(act.subject for act in acts)
    last = rows.count({token: more[subject] for subject, token in tokens.items()})
    numbers = {
        subject: itertools.count(last[token] - more[subject] + 1)
        for subject, token in tokens.items()
    }
    return [
        None if act.subject is None else (tokens[act.subject], next(numbers[act.subject]))
        for act in acts
    ]


def _row(act: _Act, keys: disclosures.Keys, place: rows.Place | None) -> rows.Row:
    happened = act.now or timezone.now()
    at = act.hours(happened)
    uuid = uuid7(at)
    owners = _disclose(act, happened, place)
    body = leaf.build(
        leaf.Clear(
            uuid=uuid,
            at=at,
            action=act.said,
            verdict=act.verdict,
            purpose=act.purpose,
            role=act.actor.role,
            act=act.act,
            count=act.count,
            policy=act.policy,
        ),
        disclosures=[each for _, parts in owners.values() for each in parts],
        tag=leaf.no_tag() if act.subject is None else leaf.tag(keys[act.subject].tag),
        shy=act.is_shy,
    )
    halves = [
        disclosures.seal(uuid, slot=slot, owner=owner, keys=keys, disclosures=parts, shy=act.is_shy)
        for slot, (owner, parts) in owners.items()
    ]
    return rows.Row(uuid, body, tree.leaf_hash(body), halves, [place] if place else [])


def _disclose(
    act: _Act, at: datetime, place: rows.Place | None
) -> dict[str, tuple[str, list[str]]]:
    """Return slot -> (owner, disclosures): who must be erased before a value is gone."""
    values: dict[str, Json] = dict(act.private or {})
    if taken := sorted(_RESERVED & values.keys()):
        raise LeafError(f"The log itself says {', '.join(taken)}; name the detail otherwise.")
    if act.request_id is not None:
        # In clear it would tie together the entries of one request, and so of one person.
        values["request"] = str(act.request_id)
    if act.is_shy:
        values |= _hidden(act)
    if act.is_private:
        values |= {"event": act.action.value, "at": leaf.time_text(at)}
    if act.subject is not None:
        values["subject"] = act.subject
    if place is not None:
        values["subject_seq"] = place[1]
    owner = act.subject or (act.actor.key if act.actor.is_person else ports.ORGANISATION)
    slots: dict[str, tuple[str, list[str]]] = {}
    if act.actor.is_person and owner != act.actor.key:
        slots["actor"] = (act.actor.key, leaf.disclose({"actor": act.actor.key}))
    else:
        values["actor"] = act.actor.key
    slots["main"] = (owner, leaf.disclose(values))
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
