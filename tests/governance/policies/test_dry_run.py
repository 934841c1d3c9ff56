"""What a version would have captured of recordings, before anybody approves it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from governance.management import demo_texts
from governance.policies import content as policy_content
from governance.policies import dry_run, matching
from governance.policies.categories import Category
from governance.policies.errors import PolicyContentError, UnknownSampleError
from tests import samples

DESK, TERMINAL = demo_texts.POLICIES
# The same cases that the agent's matcher answers (tests/clients/test_policy.py).
_KIT = Path(__file__).parents[3] / "clients" / "remit_conformance"
PATTERNS, SURFACES, FIELDS = (
    json.loads((_KIT / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    for name in ("patterns", "surfaces", "fields")
)


def tried(policy: Any, name: str, **changes: Any) -> dry_run.Outcome:
    content = policy_content.parse(dict(policy) | changes)
    return dry_run.run(content, dry_run.sample(name))


@pytest.mark.parametrize("name", samples.NAMES)
def test_each_sample_is_what_the_recording_beside_the_agent_holds(name: str) -> None:
    path = samples.SAMPLES / f"{name}.json"
    assert path.read_text(encoding="utf-8") == samples.written(name), "python -m tests.samples"


def test_a_policy_would_capture_its_own_application_and_nothing_of_another() -> None:
    form = tried(DESK, "vendor-form")
    assert form.captured["click"] > 0
    assert form.left_out.keys() <= {"category_denied", "field_not_named"}
    assert form.kept + sum(form.left_out.values()) == form.total
    assert set(form.pages) <= {"vendor-form", "vendor-home", "vendor-list"}
    assert tried(DESK, "expense-claim").captured == {}
    assert tried(DESK, "expense-claim").left_out == {
        "app_not_allowed": tried(DESK, "expense-claim").total
    }
    # The recording crosses a private chat; the terminal's policy leaves it alone.
    claim = tried(TERMINAL, "expense-claim")
    assert claim.kept > 0
    assert claim.left_out["app_not_allowed"] > 0


def test_what_a_change_would_do_is_seen_before_it_is_approved() -> None:
    wide = tried(DESK, "vendor-form")
    narrow = tried(DESK, "vendor-form", categories=["click"], rules={})
    assert narrow.captured == {"click": wide.captured["click"]}
    assert narrow.left_out["category_denied"] > 0
    named = tried(DESK, "vendor-form", fields=[{"id": "a", "selector": "#no-such-field"}])
    assert "keystroke-text" not in named.captured


@pytest.mark.parametrize(
    ("pattern", "text", "same"),
    [
        ("Order *", "Order 7", True),
        ("Order *", "order 7", False),
        ("*", "", True),
        ("a*b*c", "axxbxxc", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("a.c", "abc", False),
    ],
)
def test_a_star_stands_for_any_run_of_characters_and_nothing_else_is_special(
    pattern: str, text: str, same: bool
) -> None:
    assert matching.matches(pattern, text) is same


def test_another_form_of_recording_is_refused_with_its_place() -> None:
    body = json.loads((Path(samples.SAMPLES) / "vendor-form.json").read_text())
    assert dry_run.parse(body) == dry_run.sample("vendor-form")
    body["seen"][0]["category"] = "microphone"
    with pytest.raises(PolicyContentError) as wrong:
        dry_run.parse(body)
    assert wrong.value.pointer == "/seen/0/category"
    with pytest.raises(UnknownSampleError):
        dry_run.sample("nothing")


@pytest.mark.parametrize("case", PATTERNS, ids=lambda case: case["pattern"])
def test_r49_a_dry_run_matches_as_the_agent_does(case: dict[str, Any]) -> None:
    named = [msgspec.convert({"id": "page", "pattern": case["pattern"]}, AnyPattern)]
    content = policy_content.parse(dict(DESK))
    seen = dry_run.Seen(
        kind="origin",
        value=content.matchers[0].pattern,
        category=Category.CLICK,
        url=case["text"],
    )
    recording = dry_run.Sample("sample/1", "one", "here", [seen])
    asked = msgspec.structs.replace(content, urls=named)
    assert dry_run.run(asked, recording).pages == ({"page": 1} if case["matches"] else {})


@pytest.mark.parametrize("case", SURFACES, ids=lambda case: case["says"])
def test_r49_a_dry_run_recognises_an_application_as_the_agent_does(case: dict[str, Any]) -> None:
    matchers = [msgspec.convert(each, AnyMatcher) for each in case["matchers"]]
    assert matching.recognises(matchers, case["facts"]) is case["recognised"]


@pytest.mark.parametrize("case", FIELDS, ids=lambda case: case["says"])
def test_r50_a_dry_run_takes_text_from_the_fields_that_the_agent_takes_it_from(
    case: dict[str, Any],
) -> None:
    named = {
        name: [policy_content.Field(**each) for each in case[name]] for name in ("fields", "masks")
    }
    asked = msgspec.structs.replace(policy_content.parse(dict(DESK)), **named)
    element = case["element"] or {"field": None, "role": None}
    assert matching.may_type_into(asked, element["field"], element["role"]) is case["may"]


def test_r49_a_dry_run_wants_every_kind_of_matcher_that_the_policy_names() -> None:
    """The recording knows the program only through its map; no recording knows an identity."""
    program = {"kind": "process", "pattern": "demo-corp", "id": "program"}
    title = {"kind": "window-title", "id": "title"}
    claim = title | {"pattern": "Expense claim - *"}
    kept = tried(TERMINAL, "expense-claim", matchers=[program, claim]).kept
    assert kept == tried(TERMINAL, "expense-claim").kept > 0
    chat = title | {"pattern": "Salaries - *"}
    assert tried(TERMINAL, "expense-claim", matchers=[program, chat]).kept == 0
    build = {"kind": "identity", "pattern": f"sha256:{'a1' * 32}", "id": "build"}
    assert tried(TERMINAL, "expense-claim", matchers=[program, build]).kept == 0


class AnyMatcher(policy_content.Matcher, frozen=True):
    """A matcher of any length: only drafts need two characters."""

    pattern: str


class AnyPattern(policy_content.NamedPattern, frozen=True):
    """A pattern of any length: only drafts need two characters."""

    pattern: str
