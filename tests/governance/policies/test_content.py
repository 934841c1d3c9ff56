"""The closed schema of a capture policy."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.policies import content as policy_content
from governance.policies.categories import Category
from governance.policies.errors import PolicyContentError, ProtectedSurfaceError
from tests.governance.policies.house import content

MATCHER = {"kind": "origin", "pattern": "https://freight.example", "id": "desk"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"application": "Freight Desk"}, "/application"),
        ({"kind": "phone"}, "/kind"),
        ({"purposes": []}, "/purposes"),
        ({"purposes": ["a", "a"]}, "/purposes"),
        ({"categories": ["audio"]}, "/categories/..."),
        ({"categories": ["pointer", "screenshot"]}, "/categories/1"),
        ({"matchers": []}, "/matchers"),
        ({"matchers": [MATCHER | {"kind": "process"}]}, "/matchers/0/kind"),
        ({"matchers": [MATCHER | {"pattern": "https://*.example"}]}, "/matchers/0/pattern"),
        ({"matchers": [MATCHER | {"pattern": "https://a.example/path"}]}, "/matchers/0/pattern"),
        ({"matchers": [MATCHER | {"pattern": "javascript:alert(1)"}]}, "/matchers/0/pattern"),
        ({"matchers": [MATCHER, MATCHER]}, "/matchers"),
        ({"titles": [{"id": "x", "pattern": "a\u0000b"}]}, "/titles/..."),
        ({"rules": {"shortcut": {"most": 1}}}, "/rules"),
        ({"rules": {"pointer": {"rate": 1.5}}}, "/rules/..."),
        ({"application": "freight-desk\n"}, "/application"),
        ({"purposes": ["train\n"]}, "/purposes/0"),
        ({"places": ["DE\n"]}, "/places/0"),
        ({"matchers": [MATCHER | {"id": "desk\n"}]}, "/matchers/0/id"),
        ({"surprise": 1}, ""),
        ({"budgets": {"megabytes_per_day": 0}}, "/budgets/megabytes_per_day"),
        ({"budgets": {"megabytes_per_day": 10**6}}, "/budgets/megabytes_per_day"),
        ({"budgets": {"screens_per_minute": 60}}, "/budgets/screens_per_minute"),
        ({"budgets": {"cpu_percent": 100}}, "/budgets/cpu_percent"),
        ({"budgets": {"on_battery": "maybe"}}, "/budgets/on_battery"),
        ({"budgets": {"on_metered": "always"}}, "/budgets/on_metered"),
        ({"budgets": {"offline_hours": 25}}, "/budgets/offline_hours"),
        ({"budgets": {"money": 1}}, "/budgets"),
    ],
)
def test_what_the_schema_does_not_allow_is_refused_where_it_stands(
    changes: dict[str, object], pointer: str
) -> None:
    with pytest.raises(PolicyContentError) as refused:
        policy_content.parse(content(**changes))
    assert refused.value.pointer.startswith(pointer.removesuffix("/..."))


@pytest.mark.parametrize(
    ("pattern", "is_one"),
    [
        (f"sha256:{'0f' * 32}", True),
        (f"authenticode:{'0f' * 32}", True),
        ("apple:ABCDE12345/example.ledger", True),
        (f"sha256:{'0F' * 32}", False),
        (f"sha256:{'0f' * 31}", False),
        (f"sha256:{'0f' * 32}\n", False),
        (f"sha1:{'0f' * 20}", False),
        ("sha256:*", False),
        ("apple:ABCDE12345/*", False),
        ("apple:ABCDE12345/com.microsoft.outlook", False),
        ("Freight Desk", False),
    ],
)
def test_r49_an_identity_is_whole_or_refused(pattern: str, *, is_one: bool) -> None:
    matcher = {"kind": "identity", "pattern": pattern, "id": "build"}
    asked = content(kind="desktop", matchers=[matcher])
    if is_one:
        assert policy_content.parse(asked).matchers[0].pattern == pattern
        return
    with pytest.raises((PolicyContentError, ProtectedSurfaceError)):
        policy_content.parse(asked)


@pytest.mark.parametrize("pattern", ["*", "**", "*a*", " * "])
def test_a_pattern_that_matches_nearly_everything_is_refused(pattern: str) -> None:
    matcher = {"kind": "window-title", "pattern": pattern, "id": "all"}
    with pytest.raises(PolicyContentError):
        policy_content.parse(content(kind="desktop", matchers=[matcher]))


@given(st.permutations(["pointer", "click", "keystroke-text", "shortcut"]))
def test_one_content_has_one_byte_form_whatever_the_order_of_keys_and_categories(
    categories: list[str],
) -> None:
    straight = policy_content.parse(content(categories=sorted(categories)))
    turned = policy_content.parse(
        dict(reversed(list(content(categories=list(categories)).items())))
    )
    assert turned.canonical() == straight.canonical()
    assert turned.digest() == straight.digest()


def test_stored_bytes_read_back_as_the_same_content() -> None:
    parsed = policy_content.parse(content(rules={"pointer": {"most": 3, "packed": True}}))
    again = policy_content.from_bytes(parsed.canonical())
    assert again.canonical() == parsed.canonical()
    assert json.loads(parsed.canonical())["categories"] == ["pointer", "click", "keystroke-text"]
    assert again.rules == {Category.POINTER: {"most": 3, "packed": True}}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    )
)
def test_any_other_value_raises_only_our_own_error(value: object) -> None:
    with pytest.raises(PolicyContentError):
        policy_content.parse(value)


@pytest.mark.parametrize(
    ("kind", "matcher", "pattern"),
    [
        ("desktop", "process", "outloo*"),
        ("desktop", "window-title", "*ebmail*"),
        ("desktop", "window-title", "Inbox - *utloo*"),
        ("desktop", "process", "o*t*l*o*k"),
        ("desktop", "window-title", "Steuererkl\u00e4rung 2025"),
        ("desktop", "window-title", "Out\u200blook"),
        ("web", "origin", "https://mail01.acme.example"),
        ("web", "origin", "https://xn--sant-epa.example"),
        ("web", "origin", "https://my.XN--SANT-EPA.example"),
    ],
)
def test_r51_no_spelling_and_no_wildcard_hides_a_protected_place(
    kind: str, matcher: str, pattern: str
) -> None:
    one = {"kind": matcher, "pattern": pattern, "id": "a"}
    with pytest.raises(ProtectedSurfaceError):
        policy_content.parse(content(kind=kind, matchers=[one]))


@pytest.mark.parametrize(
    ("origin", "pattern"),
    [
        ("https://Remit.Example:443/", "https://remit.example"),
        ("https://remit.example.", "https://remit.example"),
        ("http://remit.example:80", "http://remit.example"),
        ("https://büro.example", "https://xn--bro-hoa.example"),
        ("https://xn--bro-hoa.example", "https://büro.example"),
        ("https://remit.example:8443", "https://REMIT.example:8443"),
    ],
)
def test_r51_the_portal_itself_is_protected_however_its_address_is_written(
    settings: Any, origin: str, pattern: str
) -> None:
    settings.REMIT_EXTERNAL_ORIGIN = origin
    with pytest.raises(ProtectedSurfaceError):
        policy_content.parse(content(matchers=[MATCHER | {"pattern": pattern}]))
    assert policy_content.parse(content()).matchers


@pytest.mark.parametrize("pattern", ["Order *", "* - Freight Desk", "*Terminal*", "warehouse-*"])
def test_a_wildcard_that_stands_for_no_protected_word_is_allowed(pattern: str) -> None:
    one = {"kind": "window-title", "pattern": pattern, "id": "a"}
    assert policy_content.parse(content(kind="desktop", matchers=[one])).matchers
