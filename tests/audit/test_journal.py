"""Entries: one transaction with their act, nothing personal in clear, one number after another."""

from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from audit import journal, leaf, ports, selectors
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.errors import LeafError, LogUnavailableError, NotInTransactionError
from audit.models import Disclosure, Entry, Outbox
from audit.opening import open_entry
from audit.tree import leaf_hash

pytestmark = pytest.mark.django_db

MIRA = "7d6f1d9e-1111-4222-8333-444455556666"
JONAS = Actor("0a0b0c0d-9999-4888-8777-666655554444", "data_requester")
SECRETS = {"application": "freight-desk-secret", "frames": ["frame-secret"]}


def allowed(**more: Any) -> Entry:
    facts: dict[str, Any] = {
        "actor": JONAS,
        "subject": MIRA,
        "verdict": Verdict.ALLOW,
        "purpose": "model-training",
        "act": "read",
        "count": 3,
        "policy": journal.PolicyRef("freight-desk", 2, "ab" * 32),
        "private": SECRETS,
        "request_id": UUID(int=7),
    }
    return journal.append_now(Action.ACCESS_ALLOWED, **(facts | more))


def test_an_entry_says_its_act_in_clear_and_nothing_about_people() -> None:
    entry = allowed()
    body = leaf.parse(bytes(entry.leaf))
    assert {name: body[name] for name in ("v", "ev", "dec", "pur", "role", "act", "n", "pol")} == {
        "v": 1,
        "ev": "access:allowed",
        "dec": "allow",
        "pur": "model-training",
        "role": "data_requester",
        "act": "read",
        "n": 3,
        "pol": {"id": "freight-desk", "ver": 2, "sha256": "ab" * 32},
    }
    text = bytes(entry.leaf).decode()
    for personal in (MIRA, JONAS.key, "secret", str(UUID(int=7))):
        assert personal not in text
    stored = b"".join(bytes(row.sealed) + bytes(row.owner) for row in Disclosure.objects.all())
    for personal in (MIRA, JONAS.key, "secret"):
        assert personal.encode() not in stored


def test_the_query_columns_are_what_the_leaf_says() -> None:
    entry = Entry.objects.get(pk=allowed().pk)
    assert (entry.event, entry.verdict, entry.purpose, entry.role, entry.act, entry.count) == (
        "access:allowed",
        "allow",
        "model-training",
        "data_requester",
        "read",
        3,
    )
    assert leaf.time_text(entry.occurred_at) == leaf.parse(bytes(entry.leaf))["t"]
    assert bytes(entry.leaf_hash) == leaf_hash(bytes(entry.leaf))
    assert entry.header.startswith(f"{entry.uuid}; leaf=")
    assert Outbox.objects.filter(entry=entry).exists()


def test_an_entry_needs_a_transaction_of_the_right_kind(real_transactions: None) -> None:
    with pytest.raises(NotInTransactionError):
        journal.append(Action.ACCESS_DENIED, actor=JONAS)
    with transaction.atomic(), pytest.raises(RuntimeError):
        journal.append_now(Action.ACCESS_DENIED, actor=JONAS)
    with transaction.atomic():
        journal.append(Action.ACCESS_DENIED, actor=JONAS)
    assert Entry.objects.count() == 1


def test_an_act_that_rolls_back_takes_its_entry_along(real_transactions: None) -> None:
    with transaction.atomic():
        journal.append(Action.POLICY_APPROVED, actor=JONAS, subject=MIRA)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    assert not Outbox.objects.exists()
    assert allowed().pk
    assert selectors.entries_about(subject=MIRA)[0].seq == 1


def test_a_row_that_cannot_be_written_makes_the_log_unavailable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = allowed()
    monkeypatch.setattr("audit.journal.uuid7", lambda _at: first.uuid)
    with pytest.raises(LogUnavailableError):
        allowed()
    with pytest.raises(LogUnavailableError), transaction.atomic():
        journal.append(Action.ACCESS_DENIED, actor=JONAS)
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("name", ["role", "act", "subject", "actor", "subject_seq", "tag", "id"])
def test_a_detail_may_not_repeat_what_the_log_itself_says(name: str) -> None:
    with pytest.raises(LeafError):
        allowed(private={name: "x"})


def test_a_persons_entries_are_numbered_without_gaps_and_come_newest_first() -> None:
    for count in range(5):
        allowed(count=count)
        allowed(subject="somebody-else")
    opened = selectors.entries_about(subject=MIRA)
    assert [(entry.seq, entry.count) for entry in opened] == [
        (5, 4),
        (4, 3),
        (3, 2),
        (2, 1),
        (1, 0),
    ]
    assert [entry.details["subject_seq"] for entry in opened] == [5, 4, 3, 2, 1]
    assert [entry.seq for entry in selectors.entries_about(subject=MIRA, before=3, limit=1)] == [2]
    assert not selectors.entries_about(subject=MIRA, events={Action.CONSENT_DECIDED})


def test_the_person_concerned_reads_every_detail_and_who_it_was() -> None:
    allowed()
    (entry,) = selectors.entries_about(subject=MIRA)
    assert entry.details == {
        **SECRETS,
        "actor": JONAS.key,
        "subject": MIRA,
        "subject_seq": 1,
        "request": str(UUID(int=7)),
    }


def test_the_tag_is_found_with_the_persons_key_alone() -> None:
    body: Any = leaf.parse(bytes(allowed().leaf))
    nonce = leaf.b64url_bytes(body["tag"]["x"])
    (tag,) = body["tag"]["s"]
    assert leaf.b64url(ports.keys().tag(owner=MIRA, nonce=nonce)) == tag
    assert leaf.b64url(ports.keys().tag(owner=JONAS.key, nonce=nonce)) != tag


@pytest.mark.parametrize("role", ["privacy_officer", "auditor", "policy_approver"])
def test_officers_see_the_act_and_never_the_person_concerned(role: str) -> None:
    entry = allowed(private={"application": "freight-desk", "frames": ["f"], "reason": "r"})
    opened = open_entry(uuid=entry.uuid, viewer=Actor("viewer", role)).shown
    assert dict(opened.details) == {"application": "freight-desk", "reason": "r"}
    own = journal.append_now(
        Action.ACCESS_ALLOWED, actor=Actor(MIRA, "employee"), subject=MIRA, purpose="own-access"
    )
    assert not open_entry(uuid=own.uuid, viewer=Actor("viewer", role)).shown.details


def test_a_grant_tells_the_vault_whom_it_covers() -> None:
    grant = selectors.grant(allowed().uuid)
    assert grant is not None
    assert (grant.action, grant.verdict, grant.subject) == (
        Action.ACCESS_ALLOWED,
        Verdict.ALLOW,
        MIRA,
    )
    assert grant.covers(MIRA)
    assert not grant.covers(JONAS.key)
    assert not grant.covers(None)
    assert selectors.grant(UUID(int=1)) is None
