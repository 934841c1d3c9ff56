"""Searching: facets that count, days, pages that neither skip nor repeat, and three names."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.models import Entry, Leaf, Outbox
from audit.selectors import SearchFilters, search

pytestmark = pytest.mark.django_db

Write = Callable[..., Entry]
DAY = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def written(write: Write) -> list[Entry]:
    officer = Actor("petra", "privacy_officer")
    entries = [
        write(now=DAY),
        write(now=DAY, purpose="quality"),
        write(Action.ACCESS_DENIED, now=DAY + timedelta(days=1), verdict=Verdict.DENY),
        write(
            Action.LOG_SEARCHED,
            now=DAY + timedelta(days=2),
            actor=officer,
            subject=None,
            purpose=None,
            verdict=Verdict.NOT_APPLICABLE,
        ),
        write(Action.CONSENT_DECIDED, now=DAY + timedelta(days=2)),
    ]
    place(entries)
    return entries


def place(entries: list[Entry]) -> None:
    """Give the entries the next places of the tree, as the sequencer does."""
    for number, entry in enumerate(entries, start=Leaf.objects.count()):
        Leaf.objects.create(index=number, entry=entry, leaf_hash=entry.leaf_hash)
        Outbox.objects.filter(entry=entry).delete()


def find(**filters: Any) -> list[UUID]:
    return [row.uuid for row in search(filters=SearchFilters(**filters)).entries]


def test_facets_count_what_there_would_be_without_their_own_filter(written: list[Entry]) -> None:
    page = search(filters=SearchFilters(events=frozenset({"access:allowed"})))
    assert page.total == 2
    assert page.facets["events"] == [
        ("access:allowed", 2, True),
        ("access:denied", 1, False),
        ("consent:decided", 1, False),
        ("log:searched", 1, False),
    ]
    assert page.facets["purposes"] == [("model-training", 1, False), ("quality", 1, False)]
    assert page.facets["verdicts"] == [("allow", 2, False)]
    assert page.facets["roles"] == [("data_requester", 2, False)]
    assert page.histogram == [(DAY.date(), 2, 0)]
    nothing = search(filters=SearchFilters(roles=frozenset({"nobody"})))
    assert (nothing.total, nothing.entries, nothing.histogram) == (0, [], [])
    assert nothing.facets["roles"][-1] == ("nobody", 0, True)


def test_filters_narrow_together(written: list[Entry]) -> None:
    assert find(purposes=frozenset({"quality"})) == [written[1].uuid]
    assert find(
        purposes=frozenset({"quality", "model-training"}), verdicts=frozenset({"deny"})
    ) == [written[2].uuid]
    assert find(since=DAY + timedelta(days=1), until=DAY + timedelta(days=2)) == [written[2].uuid]
    assert find(since=DAY, until=DAY) == []
    everything = search(filters=SearchFilters())
    assert [row[1:] for row in everything.histogram] == [(2, 0), (1, 1), (2, 0)]
    assert everything.total == 5


def test_a_shy_entry_shows_its_name_and_its_hour_alone(written: list[Entry]) -> None:
    (row,) = search(filters=SearchFilters(events=frozenset({"consent:decided"}))).entries
    assert (row.purpose, row.role, row.act, row.count) == ("", "", "", None)
    assert row.verdict is Verdict.NOT_APPLICABLE
    assert row.occurred_at == DAY + timedelta(days=2)


def test_pages_neither_skip_nor_repeat_while_the_log_grows(
    written: list[Entry], write: Write
) -> None:
    seen: list[UUID] = []
    after: str | None = None
    while True:
        page = search(filters=SearchFilters(), after=after, limit=2)
        seen += [row.uuid for row in page.entries]
        write()
        if page.next is None:
            break
        after = page.next
    assert seen == [entry.uuid for entry in reversed(written)]
    assert search(filters=SearchFilters(), after="'; --", limit=1).entries


def test_pages_go_from_what_waits_to_what_has_its_place(written: list[Entry], write: Write) -> None:
    waiting = [write(), write(), write()]
    seen: list[UUID] = []
    after: str | None = None
    while not seen or after is not None:
        page = search(filters=SearchFilters(), after=after, limit=2)
        seen += [row.uuid for row in page.entries]
        after = page.next
    assert seen == [entry.uuid for entry in reversed([*written, *waiting])]


def test_neither_order_nor_count_tells_when_somebody_decided(
    written: list[Entry], write: Write
) -> None:
    before, shy, after = write(), write(Action.CONSENT_DECIDED), write()
    assert find(text=str(shy.uuid)) == []
    everything = search(filters=SearchFilters())
    assert everything.total == len(written) + 2
    assert ("consent:decided", 1, False) in everything.facets["events"]
    place([before, after, shy])  # The delay let a later entry pass.
    assert find()[:3] == [shy.uuid, after.uuid, before.uuid]


def test_an_entry_is_found_by_id_index_and_hash(open_log: Any, write: Write) -> None:
    entry = write()
    write()
    open_log()
    hashed = bytes(entry.leaf_hash)
    for text in (
        str(entry.uuid),
        entry.uuid.hex,
        "1",
        hashed.hex(),
        base64.b64encode(hashed).decode(),
        f"  {entry.uuid} ",
    ):
        assert find(text=text) == [entry.uuid]
    for text in ("99", "mira", "%", "A" * 44, "0" * 64, "9" * 30, "\u0661"):
        assert find(text=text) == []
