"""Writing and comparing capture policies on the office's pages."""

from typing import Any

import pytest

from governance.console import differing, drafting
from governance.policies import history
from tests import make
from tests.governance.console.test_pages import DRAFT
from tests.governance.portal.test_pages import signed_in

pytestmark = pytest.mark.django_db

NEW = "/office/policies/new/"
RULES = {
    "keystroke-timing": {"quantise-ms": 50},
    "screenshot": {"mode": "regions", "region-1": 'div[data-x="7"]', "note": "12", "is": True},
}


def filled(page: str) -> dict[str, Any]:
    """Return what a browser would send of the draft form, as far as these tests need it."""
    sent = {}
    for name in ("rules", "budgets"):
        text = page.partition(f'name="{name}"')[2].partition("</textarea>")[0].rpartition(">")[2]
        sent[name] = text.replace("&quot;", '"').replace("&#x27;", "'")
    return DRAFT | sent


BUDGETS = {
    "megabytes_per_day": 40,
    "screens_per_minute": 0,
    "cpu_percent": 2,
    "on_battery": False,
    "on_metered": "never",
    "offline_hours": 0,
}


def test_a_new_version_keeps_the_limits_of_the_one_it_starts_from_and_says_what_it_raises(
    nordhafen: make.House,
) -> None:
    ines = signed_in("ines")
    strict = "\n".join(drafting.lines(BUDGETS))
    first = ines.post(NEW, DRAFT | {"budgets": strict})["Location"]
    told = ines.get(first).content.decode()
    assert "asked for megabytes_per_day = 40, before 200." in told
    assert "on_metered = never" in told.partition("All that it holds")[2]
    form = filled(ines.get(f"{NEW}?from={make.DESK}@2").content.decode())
    where = ines.post(NEW, form)["Location"]
    kept = history.version(make.DESK, 3)
    assert kept is not None
    assert kept.content["budgets"] == BUDGETS
    assert "It says the same." in ines.get(f"{where}?against=2").content.decode()
    opened = form | {"budgets": strict.replace("never", "if-allowed")}
    where = ines.post(NEW, opened)["Location"]
    wider = ines.get(f"{where}?against=2").content.decode()
    assert '<li data-change="wider">' in wider
    assert "on_metered = if-allowed, before never." in wider


def test_a_new_version_keeps_the_rules_of_the_one_it_starts_from(nordhafen: make.House) -> None:
    ines = signed_in("ines")
    rules = "click: once = true\npointer: note = 12 px"
    ines.post(NEW, DRAFT | {"rules": rules})
    form = ines.get(f"{NEW}?from={make.DESK}@2").content.decode()
    where = ines.post(NEW, filled(form))["Location"]
    assert where == f"/office/policies/{make.DESK}/3/"
    kept = history.version(make.DESK, 3)
    assert kept is not None
    assert kept.content["rules"] == {"click": {"once": True}, "pointer": {"note": "12 px"}}
    assert "It says the same." in ines.get(f"{where}?against=2").content.decode()


def test_every_value_of_a_rule_comes_back_as_it_was(nordhafen: make.House) -> None:
    draft = drafting.from_content({"rules": RULES})
    assert drafting._rules(draft) == RULES
    for broken in ("click", "click: x", "click: = 2", "click: a = 1\nclick: a = 2"):
        one = drafting.Draft(rules=broken)
        assert drafting._rules(one) == {}
        assert set(one.errors) == {"rules"}


REFUSED = (
    ({"matchers": "desk = https://*.example"}, "f-matchers", "Entry 1: Write the origin"),
    ({"matchers": "a = https://a.example\na = https://b.example"}, "f-matchers", "stands here twi"),
    ({"places": "Germany"}, "f-places", "A place is a code"),
    ({"rules": "screenshot: mode = x"}, "f-rules", "a kind of data that is not captured"),
    ({"rules": "what: mode = x"}, "f-rules", "A rule reads"),
    ({"urls": "pay = https://x.example/payroll"}, "f-urls", "personnel and benefits pages"),
    ({"categories": ["clipboard"]}, "f-categories", "Nobody may collect what was copied"),
    ({"labels": "x" * 81}, "f-labels", "Entry 1: A menu word has"),
    ({"budgets": "megabytes_per_day = 5000"}, "f-budgets", "A limit reads"),
    ({"budgets": "fun = 1"}, "f-budgets", "A limit reads"),
    ({"rules": "click: once = " + "1" * 5000}, "f-rules", "A rule reads"),
    ({"rules": "click: once = 99999999999999999"}, "f-rules", "A rule reads"),
    ({"rules": 'click: once = "\\u0000"'}, "f-rules", "A rule reads"),
    ({"rules": 'click: once = "\\ud800"'}, "f-rules", "A rule reads"),
    ({"titles": "t = " + "*a" * 11}, "f-titles", "This pattern has too many *"),
    ({"fields": "A = #a"}, "f-fields", "Entry 1: A name has small letters"),
)


def test_each_refusal_stands_beside_its_field_in_the_readers_language(
    nordhafen: make.House,
) -> None:
    ines = signed_in("ines")
    for change, field, words in REFUSED:
        for button in ("store", "preview"):
            answer = ines.post(NEW, DRAFT | change | {"do": button})
            page = answer.content.decode()
            assert answer.status_code == (422 if button == "store" else 200)
            assert f'<a href="#{field}">' in page, change
            beside = page.partition(f'id="e-{field[2:]}"')[2].partition("</p>")[0]
            assert words in beside, change
    nordhafen.people["ines"].language = "de"
    nordhafen.people["ines"].save(update_fields=["language"])
    german = ines.post(NEW, DRAFT | {"places": "Germany"}).content.decode()
    assert "Ein Ort ist ein Kürzel wie DE" in german


def test_a_draft_is_tried_while_it_is_written_and_nothing_is_stored(nordhafen: make.House) -> None:
    ines = signed_in("ines")
    matcher = {"matchers": "form = http://127.0.0.1:38749", "do": "preview"}
    page = ines.post(NEW, DRAFT | matcher | {"recording": "vendor-form"}).content.decode()
    assert "vendor-form: 52 of" in page
    assert "expense-claim:" not in page
    assert "Against version 1, the last in force" in page
    assert "It no longer captures: Typing rhythm." in page
    assert "As it stands, it captures nothing" not in page
    bare = ines.post(NEW, DRAFT | matcher | {"places": ""}).content.decode()
    assert "It names no place where people work, so it would capture nobody." in bare
    assert "expense-claim:" in bare
    assert len(history.versions(make.DESK)) == 1
    assert signed_in("lea").post(NEW, DRAFT | matcher).status_code == 403


def test_a_policy_without_a_place_says_on_its_page_that_it_captures_nobody(
    nordhafen: make.House,
) -> None:
    ines, lea = signed_in("ines"), signed_in("lea")
    where = ines.post(NEW, DRAFT | {"places": ""})["Location"]
    assert "would capture nobody" in ines.get(where).content.decode()
    ines.post(f"{where}submit/")
    version = history.version(make.DESK, 2)
    assert version is not None
    lea.post(f"{where}approve/", {"content_digest": version.content_digest})
    answer = ines.post(f"{where}activate/")
    assert answer.status_code == 422
    summary = answer.content.decode().partition('class="error-summary"')[2].partition("</div>")[0]
    assert "It names no place where people work" in summary


def test_a_change_is_told_in_sentences_the_wider_first(nordhafen: make.House) -> None:
    old = make.policy_content(make.DESK) | {"fields": [], "masks": [{"id": "m", "selector": "#m"}]}
    new = old | {
        "places": ["FR"],
        "fields": [{"id": "a", "selector": "#a"}],
        "masks": [],
        "rules": {"click": {"once": True}},
    }
    there = [(change.sentence, change.is_wider) for change in differing.changes(old, new)]
    assert there == [
        ("People may be captured who work in one place more: France (FR).", True),
        ("This place is masked no longer: m = #m.", True),
        ("A rule is new: Clicks, once = true.", True),
        ("Nobody is captured any more who works in: Germany (DE).", False),
        (
            "Fields are named now, so text typed into any other field is no longer captured.",
            False,
        ),
        ("Text typed into one field more may be captured: a = #a.", False),
    ]
    back = {change.sentence: change.is_wider for change in differing.changes(new, old)}
    opened = "No field is named any more, so text typed into every field may be captured."
    assert back[opened]
    assert not back["One place more is never captured: m = #m."]
    assert differing.changes(new, new) == []


def test_a_list_that_ends_opens_what_it_closed(nordhafen: make.House) -> None:
    title = {"kind": "window-title", "pattern": "Order *", "id": "a"}
    process = {"kind": "process", "pattern": "orders", "id": "b"}
    plain = make.policy_content(make.DESK)
    named = plain | {"participants": ["DE"]}
    both, one = plain | {"matchers": [title, process]}, plain | {"matchers": [title]}
    for old, new, is_wider in ((named, plain, True), (plain, named, False), (both, one, True)):
        (change,) = differing.changes(old, new)
        assert change.is_wider is is_wider, change.sentence


def test_the_history_names_people_to_the_two_offices_and_offices_to_all_others(
    nordhafen: make.House,
) -> None:
    ines = signed_in("ines")
    ines.post(NEW, DRAFT)
    for name, sees in (("ines", True), ("lea", True), ("wanda", False), ("mira", False)):
        for path in (f"/office/policies/{make.DESK}/", f"/office/policies/{make.DESK}/1/"):
            page = signed_in(name).get(path).content.decode()
            lists = page.split('<ol class="steps">')[1:]
            listed = "".join(part.partition("</ol>")[0] for part in lists)
            assert ("Lea Sample" in listed) is sees, (name, path)
            assert ("policy approver" in listed) is not sees, (name, path)
    told = ines.get(f"/office/policies/{make.DESK}/").content.decode()
    assert "It no longer captures: Typing rhythm." in told
    assert "Nothing was in force before it." in told
    assert ines.get("/office/policies/unknown/").status_code == 404
