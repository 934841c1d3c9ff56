"""The explorer: one facet and a random time range over a year's log, all counts, days and a page.

Beside it what no search can do without when it counts as it goes: `count(*)` over the same time
range by its index, and one page of places. 10^6 entries on PostgreSQL, 10^5 on SQLite.
"""

import heapq
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from audit import leaf, sql, tally, tree
from audit.actions import SHY, Action, Verdict
from audit.ids import uuid7
from audit.search import SearchFilters, search
from bench import rounds

DATABASES = ("sqlite", "postgresql")
ROUNDS: Final = 6
PAGE: Final = 40
BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
SPAN_SECONDS: Final = 180 * 24 * 3600
DELAY_SECONDS: Final = 3600
PURPOSES: Final = ("train-computer-use-agents", "improve-redaction", "redaction", "expiry")
RARE: Final = ("quality", "performance-evaluation")

# How often, what, with which verdicts, purposes and roles.
Kind = tuple[Action, tuple[Verdict, ...], tuple[str, ...], tuple[str, ...]]
_NONE: Final = (Verdict.NOT_APPLICABLE,)
_OFFICE: Final = ("privacy_officer", "policy_approver", "auditor")
MIX: Final[dict[Kind, float]] = {
    (Action.ACCESS_ALLOWED, (Verdict.ALLOW,), PURPOSES, ("data_requester", "system")): 260,
    (Action.ACCESS_CLOSED, _NONE, PURPOSES, ("data_requester", "system")): 260,
    (Action.CAPTURE_REDACTED, _NONE, ("",), ("system",)): 150,
    (Action.CAPTURE_INGESTED, _NONE, ("",), ("",)): 120,
    (Action.CAPTURE_EXPIRED, _NONE, ("",), ("system",)): 80,
    (Action.SESSION_STARTED, _NONE, ("",), ("employee", *_OFFICE, "service_admin")): 40,
    (Action.CONSENT_DECIDED, _NONE, ("",), ("",)): 30,
    (Action.LOG_SEARCHED, _NONE, ("",), _OFFICE): 20,
    (Action.ACCESS_DENIED, (Verdict.DENY,), (*PURPOSES, *RARE), ("data_requester", "employee")): 15,
    (Action.LOG_OPENED, _NONE, ("",), _OFFICE): 10,
    (Action.CAPTURE_REFUSED, (Verdict.DENY,), ("",), ("system",)): 5,
    (Action.SESSION_REFUSED, (Verdict.DENY,), ("",), ("",)): 5,
    (Action.LOG_HEARTBEAT, _NONE, ("",), ("system",)): 4,
    (Action.RIGHTS_REQUESTED, _NONE, ("",), ("employee",)): 1,
    (Action.KEY_SHREDDED, _NONE, ("",), ("system",)): 0.5,
    (Action.RELEASE_PUBLISHED, _NONE, PURPOSES[:2], ("privacy_officer",)): 0.2,
    (Action.POLICY_ACTIVATED, _NONE, ("",), ("privacy_officer",)): 0.1,
    (Action.ROLE_ASSIGNED, _NONE, ("",), ("service_admin",)): 0.02,
}


def run() -> list[rounds.Row]:
    entries = int(os.environ.get("BENCH_ENTRIES", "0"))
    entries = entries or (1_000_000 if connection.vendor == "postgresql" else 100_000)
    seed = random.Random(3)
    fill(entries, seed)
    ours: dict[str, list[float]] = {}
    bare: list[float] = []
    for _ in range(ROUNDS):
        for name, value in facets():
            since, until = span(seed)
            chosen = {name: frozenset({value})} if name else {}
            filters = SearchFilters(since=since, until=until, **chosen)  # type: ignore[arg-type]
            bare.append(timed(lambda: walk(since, until)))  # noqa: B023 - called at once.
            took = timed(lambda: search(filters=filters, limit=PAGE))  # noqa: B023
            ours.setdefault(name or "time range alone", []).append(took)
    everything = [took for each in ours.values() for took in each]
    sides = {"count(*) and a page, no facets": bare, **ours, "all searches": everything}
    return [row(side, taken, limit=bare, entries=entries) for side, taken in sides.items()]


def row(side: str, taken: list[float], *, limit: list[float], entries: int) -> rounds.Row:
    return {
        "side": side,
        "entries": entries,
        "searches": len(taken),
        "p50 ms": round(statistics.median(taken), 1),
        "p95 ms": round(p95(taken), 1),
        "p95 to count(*)": round(p95(taken) / p95(limit), 2),
    }


def p95(taken: list[float]) -> float:
    return sorted(taken)[min(len(taken) - 1, int(len(taken) * 0.95))]


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def facets() -> Iterator[tuple[str, str]]:
    """Return every value that occurs, of every facet, and no facet at all."""
    yield "", ""
    found: dict[str, set[str]] = {"events": set(), "verdicts": set(), "purposes": set()}
    found["roles"] = set()
    for action, *values in MIX:
        found["events"].add(str(action))
        for name, each in zip(("verdicts", "purposes", "roles"), values, strict=True):
            found[name] |= {str(value) for value in each if value}
    for name, kept in found.items():
        for value in sorted(kept):
            yield name, value


def span(seed: random.Random) -> tuple[datetime, datetime]:
    first, last = sorted(seed.uniform(0, SPAN_SECONDS) for _ in range(2))
    return BEGIN + timedelta(seconds=first), BEGIN + timedelta(seconds=last)


def walk(since: datetime, until: datetime) -> None:
    """Count a time range by its index, and read a page of places."""
    counted = sql.row(
        "SELECT count(*) FROM audit_entry WHERE occurred_at >= %s AND occurred_at < %s",
        [since, until],
    )
    sql.rows(
        'SELECT l."index", e.uuid, e.occurred_at, e.event, e.verdict, e.purpose, e.role, '
        "e.act, e.count, e.leaf_hash FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id "
        'WHERE l."index" < %s ORDER BY l."index" DESC LIMIT %s',
        [max(PAGE, counted[0]), PAGE + 1],
    )


# The log: leaves of our form and size, written past the request path, placed as a sequencer would.


def fill(entries: int, seed: random.Random) -> None:
    columns = "(uuid, organisation, leaf, leaf_hash)"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_queue")
            with cursor.copy(f"COPY audit_entry {columns} FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["uuid", "text", "bytea", "bytea"])
                for uuid, body in written(entries, seed):
                    copy.write_row((uuid, "default", body, tree.leaf_hash(body)))
        else:
            cursor.executemany(
                f"INSERT INTO audit_entry {columns} VALUES (%s, 'default', %s, %s)",
                [(uuid.hex, body, tree.leaf_hash(body)) for uuid, body in written(entries, seed)],
            )
            cursor.execute("DELETE FROM audit_outbox")
        cursor.execute(
            'INSERT INTO audit_leaf ("index", entry_id, leaf_hash) '
            "SELECT row_number() OVER (ORDER BY id) - 1, id, leaf_hash FROM audit_entry"
        )
    while tally.extend(size=entries):
        pass
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def written(entries: int, seed: random.Random) -> Iterator[tuple[UUID, bytes]]:
    """Return leaves in the order of their places: shy ones come late."""
    waiting: list[tuple[float, int, UUID, bytes]] = []
    kinds, weights = list(MIX), list(MIX.values())
    for number in range(entries):
        second = SPAN_SECONDS * number / entries
        action, verdicts, purposes, roles = seed.choices(kinds, weights)[0]
        verdict, purpose, role = (seed.choice(verdicts), seed.choice(purposes), seed.choice(roles))
        shy = action in SHY
        at = BEGIN + timedelta(seconds=second - second % 3600 if shy else second)
        uuid = uuid7(at)
        due = second + seed.uniform(0, DELAY_SECONDS) * shy
        body = clear(uuid, at, action, verdict, purpose, role)
        heapq.heappush(waiting, (due, number, uuid, body))
        while waiting and waiting[0][0] <= second:
            yield heapq.heappop(waiting)[2:]
    while waiting:
        yield heapq.heappop(waiting)[2:]


def clear(
    uuid: UUID, at: datetime, action: Action, verdict: Verdict, purpose: str, role: str
) -> bytes:
    told = leaf.Clear(
        uuid=uuid,
        at=at,
        action=action,
        verdict=verdict,
        purpose=purpose or None,
        role=role or None,
    )
    return leaf.build(told, disclosures=(), tag=leaf.no_tag(), shy=action in SHY)
