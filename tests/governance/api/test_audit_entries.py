"""The log over HTTP: searching is an entry, and nobody is named."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.models import Entry
from tests.governance.api.conftest import Api

pytestmark = pytest.mark.django_db
Enter = Callable[[str], Api]


def about(subject: str) -> UUID:
    """Write down that somebody read a person's record."""
    entry = journal.append_now(
        Action.ACCESS_ALLOWED,
        actor=Actor("somebody", "data_requester"),
        subject=subject,
        purpose="train-computer-use-agents",
        count=3,
        private={"application": "freight-desk", "frames": ["f1"]},
    )
    return UUID(str(entry.uuid))


def test_a_search_is_an_entry_before_it_is_an_answer(
    signed_in: Enter, people: dict[str, str]
) -> None:
    wanda = signed_in("wanda")
    about(people["mira"])
    before = Entry.objects.count()
    answer = wanda.get("/api/v1/audit/entries", event="access:allowed")
    assert Entry.objects.count() == before + 1
    searched = Entry.objects.latest("id")
    assert searched.event == "log:searched"
    assert answer.headers["Audit-Entry"] == searched.header
    said = answer.json()
    assert said["total"] == 1
    (line,) = said["entries"]
    assert (line["event"], line["purpose"], line["count"]) == (
        "access:allowed",
        "train-computer-use-agents",
        3,
    )
    assert {"value": "access:allowed", "count": 1, "selected": True} in said["facets"]["events"]


def test_pages_are_walked_by_next_and_filters_combine(signed_in: Enter) -> None:
    wanda = signed_in("wanda")
    total = Entry.objects.count() + 1
    seen: list[str] = []
    query = {"limit": "3"}
    while True:
        page = wanda.get("/api/v1/audit/entries", **query).json()
        seen += [line["id"] for line in page["entries"]]
        if page["next"] is None or len(seen) > 100:
            break
        query["after"] = page["next"]
    assert len(seen) == len(set(seen)) == total
    both = wanda.client.get("/api/v1/audit/entries?event=role:assigned&event=account:created")
    assert {line["event"] for line in both.json()["entries"]} == {
        "role:assigned",
        "account:created",
    }


@pytest.mark.parametrize(
    "query",
    ["event=consent:read", "since=yesterday", "after=abc", "purpose=A%20b", "q=" + "x" * 101],
)
def test_a_filter_nobody_knows_is_refused_and_searches_nothing(
    signed_in: Enter, query: str
) -> None:
    wanda = signed_in("wanda")
    before = Entry.objects.count()
    assert wanda.client.get(f"/api/v1/audit/entries?{query}").status_code == 400
    assert Entry.objects.count() == before


@pytest.mark.parametrize(
    ("form", "accept"), [("csv", "text/csv"), ("jsonl", "*/*"), ("ocsf", "application/json")]
)
def test_an_export_holds_the_rows_of_the_search_and_is_an_entry(
    signed_in: Enter, people: dict[str, str], form: str, accept: str
) -> None:
    wanda = signed_in("wanda")
    uuid = about(people["mira"])
    before = Entry.objects.count()
    answer: Any = wanda.client.get(
        f"/api/v1/audit/entries/export?event=access:allowed&format={form}",
        headers={"Accept": accept},
    )
    assert answer.status_code == 200
    written = Entry.objects.latest("id")
    assert (Entry.objects.count(), written.act) == (before + 1, "export")
    assert answer.headers["Audit-Entry"] == written.header
    said = answer.getvalue().decode()
    assert str(uuid) in said
    assert len(said.splitlines()) == 1 + (form == "csv")
    assert not any(key in said for key in people.values())


@pytest.mark.parametrize("query", ["", "format=pdf", "format=csv&limit=3", "format=csv&event=x"])
def test_an_export_that_cannot_be_read_gives_nothing(signed_in: Enter, query: str) -> None:
    wanda = signed_in("wanda")
    before = Entry.objects.count()
    answer = wanda.client.get(f"/api/v1/audit/entries/export?{query}")
    assert (answer.status_code, Entry.objects.count()) == (400, before)
    assert answer.json()["type"] == "/problems/invalid-request"


def test_an_export_of_too_much_says_how_much(
    signed_in: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.export.MOST_ROWS", 3)
    wanda = signed_in("wanda")
    answer = wanda.get("/api/v1/audit/entries/export", format="csv")
    assert answer.status_code == 400
    assert answer.json()["most"] == 3
    assert answer.json()["found"] > 3


@pytest.mark.parametrize("name", ["ines", "lea", "wanda"])
def test_an_opened_entry_names_nobody_and_is_an_entry(
    signed_in: Enter, people: dict[str, str], name: str
) -> None:
    api = signed_in(name)
    uuid = about(people["mira"])
    answer = api.get(f"/api/v1/audit/entries/{uuid}")
    assert answer.status_code == 200
    assert answer.json()["details"] == {"application": "freight-desk"}
    text = answer.content.decode()
    assert not any(key in text for key in people.values())
    assert "somebody" not in text
    assert Entry.objects.latest("id").event == "log:opened"
    for entry in Entry.objects.all():
        shown = api.get(f"/api/v1/audit/entries/{entry.uuid}").content.decode()
        assert not any(key in shown for key in people.values())


@pytest.mark.parametrize("name", ["mira", "jonas", "adam"])
def test_who_has_no_business_in_the_log_leaves_an_entry(signed_in: Enter, name: str) -> None:
    api = signed_in(name)
    answer = api.get("/api/v1/audit/entries")
    assert answer.status_code == 403
    refused = Entry.objects.latest("id")
    assert (refused.event, refused.verdict, refused.act) == ("access:denied", "deny", "log.search")
    assert answer.headers["Audit-Entry"] == refused.header


def test_a_proof_waits_for_the_sequencer_and_is_for_anyone(people: dict[str, str]) -> None:
    uuid = about(people["mira"])
    answer = Client().get(f"/api/v1/audit/entries/{uuid}/proof")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/not-yet-sequenced"
    assert int(answer.headers["Retry-After"]) > 0


def test_only_the_person_concerned_opens_what_an_entry_says(
    signed_in: Enter, people: dict[str, str]
) -> None:
    uuid = about(people["mira"])
    path = f"/api/v1/audit/entries/{uuid}/proof"
    assert Client().get(path, {"disclosures": "own"}).status_code == 401
    assert signed_in("mira").get(path, disclosures="own").status_code == 503
    for name in ("ines", "wanda", "jonas"):
        assert signed_in(name).get(path, disclosures="own").status_code == 404
