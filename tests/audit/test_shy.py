"""Given or refused, one or many cells, early or late in the hour: the log shows no difference."""

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from audit import journal, leaf, selectors
from audit.actions import PRIVATE, SHY, Action, Verdict
from audit.actors import Actor
from audit.errors import LeafError, UnknownEntryError
from audit.models import Disclosure, Entry, Leaf, Outbox
from audit.opening import open_entry

pytestmark = pytest.mark.django_db

TARIQ = "11111111-2222-4333-8444-555566667777"
GIVEN = {"status": "ConsentGiven", "cells": ["a/b/c", "a/b/d", "a/b/e"], "receipt": "r" * 36}
REFUSED = {"status": "ConsentRefused"}


def decided(private: dict[str, Any], *, now: datetime | None = None, **more: Any) -> Entry:
    return journal.append_now(
        Action.CONSENT_DECIDED,
        actor=Actor(TARIQ, "employee"),
        subject=TARIQ,
        private=private,
        now=now,
        **more,
    )


@pytest.mark.parametrize("action", sorted(SHY | PRIVATE))
def test_giving_and_refusing_leave_leaves_of_one_length_and_one_shape(
    action: Action, settings: Settings
) -> None:
    settings.REMIT_RECALL_SECONDS = 86_400
    is_daily = action in PRIVATE or action is Action.PRIVATE_TOLD
    told = datetime(2026, 11, 22, tzinfo=UTC) if is_daily else datetime(2026, 11, 21, 7, tzinfo=UTC)
    at = datetime(2026, 11, 21, 7, 38, 11, 123456, tzinfo=UTC)
    loud: dict[str, Any] = {
        "verdict": Verdict.ALLOW,
        "purpose": "model-training",
        "act": "give",
        "count": 1200,
        "policy": journal.PolicyRef("freight-desk", 12, "cd" * 32),
    }
    entries = []
    table: list[tuple[dict[str, Any], dict[str, Any]]] = [(GIVEN, loud), (REFUSED, {})]
    for private, more in table:
        entries.append(
            journal.append_now(
                action,
                actor=Actor(TARIQ, "employee"),
                subject=TARIQ,
                private=private,
                now=at,
                **more,
            )
        )
    first, second = (leaf.parse(bytes(entry.leaf)) for entry in entries)
    assert len(bytes(entries[0].leaf)) == len(bytes(entries[1].leaf))
    assert first.keys() == second.keys() == {"v", "id", "t", "ev", "dec", "_sd_alg", "_sd", "tag"}
    assert first["dec"] == second["dec"] == "n/a"
    for body in (first, second):
        assert body["t"] == leaf.time_text(told)
        assert isinstance(body["_sd"], list)
        assert len(body["_sd"]) == leaf.SHY_DIGESTS
    assert {entry.uuid.int >> 80 for entry in entries} == {int(told.timestamp() * 1000)}
    sizes = {len(bytes(row.sealed)) for row in Disclosure.objects.all()}
    assert len(sizes) == 1


Guess = Callable[[bytes], bool]


def _classifier(leaves: Sequence[tuple[bytes, bool]]) -> Guess:
    """Learn from labelled leaves which octets stand where; naive, but nothing escapes it twice."""
    seen = {label: [Counter[int]() for _ in range(2048)] for label in (True, False)}
    for body, label in leaves:
        seen[label][len(body) % 2048][-1] += 1  # The length, beside its octets.
        for counts, octet in zip(seen[label], body, strict=False):
            counts[octet] += 1

    def likelihood(body: bytes, label: bool) -> float:
        pairs = zip(seen[label], body, strict=False)
        octets = sum(math.log(counts[octet] + 1) for counts, octet in pairs)
        return octets + math.log(seen[label][len(body) % 2048][-1] + 1)

    return lambda body: likelihood(body, True) > likelihood(body, False)


def _accuracy(action: Action, many: int = 400) -> float:
    """Let as many give as refuse, in random order; return how often a classifier tells which."""
    labels = random.SystemRandom().sample([True, False] * (many // 2), many)
    facts: list[journal.Facts] = [
        {
            "actor": Actor(TARIQ, "employee"),
            "subject": TARIQ,
            "verdict": Verdict.ALLOW if given else Verdict.DENY,
            "act": "give" if given else "refuse",
            "private": GIVEN if given else REFUSED,
        }
        for given in labels
    ]
    with transaction.atomic():
        entries = journal.append_all(action, facts)
    told = [(bytes(entry.leaf), given) for entry, given in zip(entries, labels, strict=True)]
    guess = _classifier(told[: many // 2])
    return sum(guess(body) == given for body, given in told[many // 2 :]) / (many / 2)


def test_a_classifier_of_public_entries_performs_at_chance() -> None:
    """200 guesses stray from a half by 0.035; five times that is one run in two million."""
    assert abs(_accuracy(Action.CONSENT_DECIDED) - 0.5) < 0.18
    assert _accuracy(Action.ACCESS_ALLOWED, many=40) == 1, "it can tell what is told"


def test_the_wait_of_an_entry_tells_nothing_of_it(open_log: Any, settings: Settings) -> None:
    """Given first, refused later, drawn at once: neither kind tends to the front of the tree."""
    settings.REMIT_LOG_DELAY_SECONDS = 3600
    facts: list[journal.Facts] = [
        {"actor": Actor(TARIQ, "employee"), "subject": TARIQ, "private": private}
        for private in [GIVEN] * 100 + [REFUSED] * 100
    ]
    with transaction.atomic():
        journal.append_all(Action.CONSENT_DECIDED, facts)
    open_log()
    waiting = Outbox.objects.order_by("not_before").values_list("entry_id", flat=True)
    middle = sorted(waiting)[len(waiting) // 2]
    ranks = [rank for rank, key in enumerate(waiting) if key < middle]
    # The mean rank of a hundred among two hundred strays by four.
    assert abs(mean(ranks) - (len(waiting) - 1) / 2) < 24


def test_the_person_still_reads_what_they_decided() -> None:
    decided(GIVEN, purpose="model-training")
    (entry,) = selectors.entries_about(subject=TARIQ)
    assert entry.details["status"] == "ConsentGiven"
    assert entry.details["purpose"] == "model-training"
    assert entry.purpose == ""


@pytest.mark.parametrize("role", ["privacy_officer", "auditor"])
def test_an_officer_opens_nothing_of_it(role: str, open_log: Any) -> None:
    entry = decided({"status": "ConsentGiven", "application": "freight-desk", "reason": "x"})
    with pytest.raises(UnknownEntryError):
        open_entry(uuid=entry.uuid, viewer=Actor("viewer", role))
    open_log()
    opened = open_entry(uuid=entry.uuid, viewer=Actor("viewer", role)).shown
    assert (opened.details, opened.role, opened.purpose, opened.count) == ({}, "", "", None)


def test_more_details_than_there_are_decoys_for_are_refused() -> None:
    with pytest.raises(LeafError):
        decided({f"detail-{number}": number for number in range(leaf.SHY_DIGESTS)})
    assert not Entry.objects.exists()


def test_r14_r18_what_waits_on_purpose_is_in_no_figure(open_log: Any, settings: Settings) -> None:
    """Counted, it would tell the moment of a decision or a pause, and how many there were."""
    settings.REMIT_LOG_DELAY_SECONDS = 3600
    before = selectors.log_state()
    for _ in range(4):
        decided(REFUSED)
    assert selectors.log_state() == before
    open_log()
    after = selectors.log_state()
    assert (after.entries_pending, after.is_open) == (0, True)
    journal.append_now(Action.ACCESS_DENIED, actor=Actor("x", "auditor"))
    assert selectors.log_state().entries_pending == 1, "what is due is counted"
    Outbox.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert selectors.log_state().entries_pending == 5, "so is what has waited long enough"


def test_a_shy_entry_waits_its_own_random_time(open_log: Any, settings: Settings) -> None:
    settings.REMIT_LOG_DELAY_SECONDS = 3600
    entries = [decided(REFUSED) for _ in range(12)]
    loud = journal.append_now(Action.ACCESS_DENIED, actor=Actor("x", "auditor"))
    assert set(Outbox.objects.filter(entry__in=entries).values_list("not_before", flat=True)) == {
        None
    }
    before = timezone.now()
    open_log()
    assert Leaf.objects.filter(entry=loud).exists()
    times = sorted(
        row.not_before for row in Outbox.objects.filter(entry__in=entries) if row.not_before
    )
    assert len(times) >= 10
    assert times[-1] <= timezone.now() + timedelta(hours=1)
    assert times[0] >= before
    assert times[-1] - times[0] > timedelta(minutes=5)
    Outbox.objects.update(not_before=before)
    open_log()
    assert Leaf.objects.filter(entry__in=entries).count() == len(entries)
