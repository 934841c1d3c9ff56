"""The log explorer: one search has one address, and every way to look is an entry first."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from audit import disclosures
from audit.models import Entry
from governance.rights import services as rights
from tests import make
from tests.governance.portal.test_pages import signed_in
from tests.house.worlds import alike

pytestmark = pytest.mark.django_db


def latest() -> tuple[str, str, dict[str, Any]]:
    """Return event, act and details of the newest entry."""
    entry = Entry.objects.latest("id")
    return entry.event, entry.act, disclosures.details(entry)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("text=&since=&until=", ""),
        ("since=2026-11-01&events=log:opened&text=", "since=2026-11-01&events=log:opened"),
        (
            "purposes=b&verdicts=deny&events=log:searched&events=log:opened&events=log:opened",
            "events=log:opened&events=log:searched&verdicts=deny&purposes=b",
        ),
    ],
)
def test_a_search_has_one_address(nordhafen: make.House, sent: str, kept: str) -> None:
    wanda = signed_in("wanda")
    before = Entry.objects.count()
    answer = wanda.get(f"/office/log/?{sent}")
    assert (answer.status_code, answer["Location"]) == (302, f"?{kept}")
    assert Entry.objects.count() == before
    page = wanda.get(f"/office/log/?{kept}")
    assert page.status_code == 200
    assert page.context["link"].endswith(f"/office/log/?{kept}".removesuffix("?"))
    assert latest()[:2] == ("log:searched", "search")


UNREADABLE = (
    ("colour=blue", "colour"),
    ("events=consent:read", "consent:read"),
    ("verdicts=maybe", "maybe"),
    ("roles=A B", "A B"),
    ("purposes=%3Cscript", "&lt;script"),
    ("since=2026-02-30", "2026-02-30"),
    ("until=yesterday", "yesterday"),
    ("since=2026-02-01&since=2026-02-02", "twice"),
    ("text=a&text=b", "twice"),
    ("text=" + "x" * 101, "too long"),
    ("after=abc", "no such page"),
)


@pytest.mark.parametrize("path", ["/office/log/?", "/office/log/export?format=csv&"])
def test_an_address_that_cannot_be_read_searches_nothing_and_says_why(
    nordhafen: make.House, path: str
) -> None:
    wanda = signed_in("wanda")
    before = Entry.objects.count()
    for query, words in UNREADABLE:
        answer = wanda.get(f"{path}{query}")
        page = answer.content.decode()
        assert (answer.status_code, words in page) == (400, True), query
        assert "Nothing was searched" in page
        assert "<table" not in page
    assert Entry.objects.count() == before


def test_each_filter_can_be_taken_away(nordhafen: make.House) -> None:
    page = signed_in("wanda").get(
        "/office/log/?since=2026-01-01&events=log:opened&events=policy:activated&verdicts=deny"
    )
    assert [chip.address for chip in page.context["chips"]] == [
        "?since=2026-01-01&events=policy:activated&verdicts=deny",
        "?since=2026-01-01&events=log:opened&verdicts=deny",
        "?since=2026-01-01&events=log:opened&events=policy:activated",
        "?events=log:opened&events=policy:activated&verdicts=deny",
    ]
    text = page.content.decode()
    assert "No entry matches." in text
    for chip in page.context["chips"]:
        assert chip.address.replace("&", "&amp;") in text


def test_saved_searches_are_addresses_that_work(nordhafen: make.House) -> None:
    wanda = signed_in("wanda")
    saved = wanda.get("/office/log/").context["saved"]
    assert len(saved) >= 4
    for words, address, _ in saved:
        page = wanda.get(f"/office/log/{address}")
        assert page.status_code == 200
        assert [str(name) for name, _, here in page.context["saved"] if here] == [str(words)]


@pytest.mark.parametrize("form", ["csv", "jsonl", "ocsf"])
def test_an_export_is_an_entry_before_its_first_byte(nordhafen: make.House, form: str) -> None:
    wanda = signed_in("wanda")
    shown = wanda.get("/office/log/?events=policy:activated").context["found"]
    before = Entry.objects.count()
    answer: Any = wanda.get(f"/office/log/export?events=policy:activated&format={form}")
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    assert Entry.objects.count() == before + 1
    event, act, details = latest()
    assert (event, act, details["format"]) == ("log:searched", "export", form)
    assert details["filters"] == ["events"]
    assert answer["Audit-Entry"] == Entry.objects.latest("id").header
    said = answer.getvalue().decode()
    assert said.count("policy:activated") >= shown.total
    assert all(str(row.uuid) in said for row in shown.entries)
    assert not any(person.subject_key in said for person in nordhafen.people.values())


def test_an_export_wants_a_form_and_a_bounded_search(
    nordhafen: make.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanda = signed_in("wanda")
    assert wanda.get("/office/log/export").status_code == 400
    assert wanda.get("/office/log/export?format=pdf").status_code == 400
    monkeypatch.setattr("audit.export.MOST_ROWS", 2)
    answer = wanda.get("/office/log/export?format=csv")
    assert answer.status_code == 400
    assert "too many entries" in answer.content.decode()
    assert "at most 2 entries" in wanda.get("/office/log/").content.decode()


@pytest.mark.parametrize("name", ["ines", "lea", "wanda"])
def test_an_entry_is_opened_after_the_opening_is_committed(
    nordhafen: make.House, open_log: Callable[[], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Entry.objects.filter(event="policy:activated").latest("id")
    open_log()
    read = disclosures.details

    def details(asked: Entry) -> Any:
        assert latest_event() == "log:opened"
        return read(asked)

    monkeypatch.setattr("audit.opening.disclosures.details", details)
    answer = signed_in(name).get(f"/office/log/{entry.uuid}/")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert str(json.loads(bytes(entry.leaf))["_sd"][0]) in page
    assert f"/office/log/{entry.uuid}/proof" in page
    assert "remit-verify.pyz proof" in page
    assert answer["Audit-Entry"] == Entry.objects.latest("id").header
    assert not any(person.subject_key in page for person in nordhafen.people.values())


def latest_event() -> str:
    return str(Entry.objects.latest("id").event)


def test_nothing_is_opened_when_the_opening_cannot_be_written(
    nordhafen: make.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.errors import LogUnavailableError

    def fails(*_: object, **__: object) -> None:
        raise LogUnavailableError("full")

    entry = Entry.objects.filter(event="policy:activated").latest("id")
    wanda = signed_in("wanda")
    monkeypatch.setattr("audit.journal.append_now", fails)
    monkeypatch.setattr("audit.opening.disclosures.details", fails)
    for path in (f"/office/log/{entry.uuid}/", "/office/log/", "/office/log/export?format=csv"):
        assert wanda.get(path).status_code == 503


def test_own_entries_are_read_without_an_entry_and_anothers_not_at_all(
    nordhafen: make.House, open_log: Callable[[], None]
) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    open_log()
    entry = Entry.objects.filter(event="consent:decided").latest("id")
    mira, tariq = signed_in("mira"), signed_in("tariq")
    before = Entry.objects.count()
    assert mira.get("/access/").status_code == 200
    assert mira.get(f"/access/{entry.uuid}/proof").status_code == 200
    assert tariq.get(f"/access/{entry.uuid}/proof").status_code == 404
    assert Entry.objects.count() == before
    assert mira.get(f"/office/log/{entry.uuid}/").status_code == 403


def test_r14_r18_pauses_move_no_figure_of_the_office_nor_of_readiness(
    nordhafen: make.House, open_log: Callable[[], None], settings: Settings
) -> None:
    settings.REMIT_LOG_DELAY_SECONDS = 3600
    viewers = {"wanda": signed_in("wanda"), "mira": signed_in("mira")}
    pages = [("wanda", "/office/"), ("mira", "/"), ("mira", "/log/"), ("mira", "/healthz/ready")]

    def look() -> list[str]:
        open_log()
        return [alike(viewers[name].get(at).text, at, silent=False) for name, at in pages]

    before = look()
    for do in (rights.pause, rights.resume) * 2:
        do(subject=nordhafen.subject("carla"), actor=nordhafen.actor("carla"))
    after = [alike(viewers[name].get(at).text, at, silent=False) for name, at in pages]
    assert after == before
    assert look() == before
