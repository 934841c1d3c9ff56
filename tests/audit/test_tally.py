"""The tally: searches that use it find what plain counting finds, whatever they ask."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from audit import leaf, tally
from audit.actions import SHY, Action, Verdict
from audit.ids import uuid7
from audit.models import Entry, Leaf, Outbox, Tally
from audit.search import SearchFilters, every_row, search, total
from audit.tree import leaf_hash

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 11, 18, 22, tzinfo=UTC)
ACTIONS = (Action.ACCESS_ALLOWED, Action.ACCESS_DENIED, Action.CONSENT_DECIDED, Action.LOG_OPENED)
PURPOSES = (None, "quality", "model-training")
ROLES = ("auditor", "data_requester")
SEGMENT = 16
PLACED, WAITING = 150, 9


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let segments be as small as the test's log."""
    for module in ("tally", "counting", "paging"):
        monkeypatch.setattr(f"audit.{module}.SEGMENT", SEGMENT)


def made(number: int, seed: random.Random) -> Entry:
    action = seed.choice(ACTIONS) if number % 60 else Action.KEY_SHREDDED
    shy = action in SHY
    at = BEGIN + timedelta(minutes=number * 29)
    clear = leaf.Clear(
        uuid=uuid7(at),
        at=leaf.rounded_hour(at) if shy else at,
        action=action,
        verdict=seed.choice([Verdict.ALLOW, Verdict.DENY]),
        purpose=seed.choice(PURPOSES),
        role=seed.choice(ROLES),
    )
    body = leaf.build(clear, disclosures=(), tag=leaf.no_tag(), shy=shy)
    return Entry(uuid=clear.uuid, leaf=body, leaf_hash=leaf_hash(body))


@pytest.fixture
def log() -> list[UUID]:
    """A log of three days whose last entries wait; return what may show, newest first."""
    seed = random.Random(7)
    Entry.objects.bulk_create([made(number, seed) for number in range(PLACED + WAITING)])
    entries = list(Entry.objects.order_by("id"))
    placed = entries[:PLACED]
    # Places are given late to some.
    placed.sort(key=lambda entry: entry.pk + (entry.event in SHY) * seed.randrange(9))
    Leaf.objects.bulk_create(
        Leaf(index=index, entry=entry, leaf_hash=entry.leaf_hash)
        for index, entry in enumerate(placed)
    )
    Outbox.objects.filter(entry__in=placed).delete()
    while tally.extend(size=PLACED):
        pass
    waiting = [entry for entry in reversed(entries[PLACED:]) if entry.event not in SHY]
    return [entry.uuid for entry in (*waiting, *reversed(placed))]


def ranges() -> Iterator[tuple[datetime | None, datetime | None]]:
    """Return ranges that end at days, at hours, between, nowhere, and that hold nothing."""
    ends = [None, *(BEGIN + timedelta(hours=h) for h in (-5, 0, 0.5, 1, 2, 7.3, 26, 49.9, 74, 99))]
    for since in ends:
        for until in ends:
            yield since, until


def test_what_a_search_finds_is_what_counting_finds(log: list[UUID]) -> None:
    shown = {entry.uuid: entry for entry in Entry.objects.all() if entry.uuid in set(log)}
    assert tally.covered() == PLACED - PLACED % SEGMENT
    facets: list[dict[str, frozenset[str]]] = [
        {},
        {"events": frozenset({"access:denied"})},
        {"events": frozenset({"key:shredded"})},
        {"verdicts": frozenset({"deny", "n/a"}), "roles": frozenset({"auditor"})},
        {"purposes": frozenset({"quality"})},
    ]
    for number, (since, until) in enumerate(ranges()):
        chosen = facets[number % len(facets)]
        filters = SearchFilters(since=since, until=until, **chosen)  # type: ignore[arg-type]
        inside = [
            entry
            for entry in (shown[uuid] for uuid in log)
            if (since is None or entry.occurred_at >= since)
            and (until is None or entry.occurred_at < until)
        ]
        kept = [
            entry
            for entry in inside
            if entry.event in chosen.get("events", {entry.event})
            and entry.verdict in chosen.get("verdicts", {entry.verdict})
            and entry.purpose in chosen.get("purposes", {entry.purpose})
            and entry.role in chosen.get("roles", {entry.role})
        ]
        found = search(filters=filters, limit=7)
        assert [row.uuid for row in found.entries] == [entry.uuid for entry in kept[:7]]
        assert found.total == total(filters=filters) == len(kept)
        days = Counter(entry.occurred_at.date() for entry in kept)
        refused = Counter(entry.occurred_at.date() for entry in kept if entry.verdict == "deny")
        assert found.histogram == [(day, days[day], refused[day]) for day in sorted(days)]
        if not chosen:
            for name, column in (("events", "event"), ("roles", "role"), ("purposes", "purpose")):
                values = Counter(getattr(entry, column) for entry in inside)
                del values[""]
                assert {value: n for value, n, _ in found.facets[name]} == values


@pytest.mark.parametrize("limit", [1, 3, 40])
@pytest.mark.parametrize("events", [frozenset(), {"key:shredded"}, {"access:denied", "log:opened"}])
def test_pages_go_through_all_of_it_whatever_their_size(
    log: list[UUID], limit: int, events: frozenset[str]
) -> None:
    filters = SearchFilters(events=frozenset(events))
    kept = [row.uuid for row in every_row(filters=filters)]
    if not events:
        assert kept == log
    seen: list[UUID] = []
    after: str | None = None
    while not seen or after is not None:
        page = search(filters=filters, after=after, limit=limit)
        seen += [row.uuid for row in page.entries]
        after = page.next
    assert seen == kept


def test_drift_is_found_and_counted_anew(log: list[UUID]) -> None:
    assert tally.drifted() == []
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audit_tally SET entries = entries + 1 WHERE span = 24 AND segment = 2"
        )
    Tally.objects.filter(segment=5, span=1).first().delete()  # type: ignore[union-attr]
    Tally.objects.create(segment=9, span=1, hour=1, entries=1, first=10**6, last=10**6)
    assert tally.drifted() == [2, 5, 9]
    Tally.objects.all().delete()
    assert total(filters=SearchFilters()) == len(log)
    while tally.extend(size=PLACED):
        pass
    assert tally.drifted() == []


def test_the_sequencer_counts_what_fills_up(
    open_log: Callable[[], None], write: Callable[..., Entry]
) -> None:
    for _ in range(SEGMENT):
        write()
    assert tally.covered() == 0
    open_log()
    assert tally.covered() == SEGMENT
