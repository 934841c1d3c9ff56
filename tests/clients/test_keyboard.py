"""Which category a key is, case by case, and which windows an observation may belong to."""

from collections.abc import Iterable

import pytest

from remit_agent.filter import Kept, LeftOut
from remit_agent.keyboard import Keyboard
from remit_agent.observed import Focus, Key, Move, Observation, Surface
from remit_agent.sequence import pack_paths
from remit_agent.settle import LAG_NS, settle

A, B = Surface("window-title", "A"), Surface("window-title", "B")


def _key(text: str, *, down: bool = True, code: str | None = None) -> Key:
    name = text if len(text) > 1 else None
    return Key(
        t_ns=0, surface=A, is_down=down, code=code or text, name=name,
        char=None if name else text,
    )  # fmt: skip


def _read(*keys: Key) -> list[tuple[str, dict[str, object]]]:
    keyboard = Keyboard()
    offers: list[tuple[str, dict[str, object]]] = []
    for key in keys:
        offers = list(keyboard.read(key))
    return offers


@pytest.mark.parametrize(
    ("keys", "offers"),
    [
        (["a"], [("keystroke-timing", {"key_class": "letter"}),
                 ("keystroke-text", {"key_char": "a"})]),
        (["7"], [("keystroke-timing", {"key_class": "digit"}),
                 ("keystroke-text", {"key_char": "7"})]),
        (["@"], [("keystroke-timing", {"key_class": "punctuation"}),
                 ("keystroke-text", {"key_char": "@"})]),
        (["space"], [("keystroke-timing", {"key_class": "space"}),
                     ("keystroke-text", {"key_char": " "})]),
        (["enter"], [("keystroke-timing", {"key_class": "editing"}),
                     ("shortcut", {"key_name": "enter"}),
                     ("keystroke-text", {"key_char": "\n"})]),
        (["backspace"], [("keystroke-timing", {"key_class": "editing"}),
                         ("shortcut", {"key_name": "backspace"}),
                         ("keystroke-text", {"key_char": "\b"})]),
        (["left"], [("keystroke-timing", {"key_class": "navigation"}),
                    ("shortcut", {"key_name": "left"}),
                    ("keystroke-text", {"canonical_key_name": "left"})]),
        (["f5"], [("keystroke-timing", {"key_class": "function"}),
                  ("shortcut", {"key_name": "f5"})]),
        (["shift"], [("keystroke-timing", {"key_class": "modifier"})]),
        (["ctrl", "c"], [("keystroke-timing", {"key_class": "letter"}),
                         ("shortcut", {"type": "key.shortcut", "keys": ["ctrl", "c"]})]),
        (["ctrl", "shift", "T"], [("keystroke-timing", {"key_class": "letter"}),
                                  ("shortcut", {"type": "key.shortcut",
                                                "keys": ["ctrl", "shift", "t"]})]),
        # AltGr types; it commands nothing.
        (["alt_r", "@"], [("keystroke-timing", {"key_class": "punctuation"}),
                          ("keystroke-text", {"key_char": "@"})]),
    ],
)  # fmt: skip
def test_a_press_is_offered_to_each_category_it_could_be_captured_under(
    keys: list[str], offers: list[tuple[str, dict[str, object]]]
) -> None:
    assert _read(*(_key(each) for each in keys)) == offers


def test_a_release_says_what_its_press_typed_and_a_command_types_nothing() -> None:
    released = _key("2", down=False, code="k11")
    assert ("keystroke-text", {"key_char": "@"}) in _read(_key("@", code="k11"), released)
    command = [_key("ctrl"), _key("c"), _key("ctrl", down=False), _key("c", down=False)]
    assert _read(*command) == [("keystroke-timing", {"key_class": "letter"})]
    assert ("keystroke-text", {"key_char": "c"}) in _read(*command, _key("c"))


def _others(observations: Iterable[Observation]) -> list[set[Surface | None]]:
    return [each.others for each in settle(observations) if not isinstance(each.observation, Focus)]


def _move(at: int, surface: Surface | None = A) -> Move:
    return Move(t_ns=at, surface=surface, x=0, y=0)


def test_what_lies_near_a_change_belongs_to_both_windows_and_no_further() -> None:
    change = 10 * LAG_NS
    seen: list[Observation] = [
        Focus(t_ns=0, surface=A),
        _move(change - LAG_NS - 1),
        _move(change - LAG_NS),
        Focus(t_ns=change, surface=B),
        _move(change + LAG_NS, B),
        _move(change + LAG_NS + 1, B),
    ]
    assert _others(seen) == [set(), {B}, {A}, set()]


def test_a_label_that_contradicts_the_window_in_front_means_both() -> None:
    seen: list[Observation] = [Focus(t_ns=0, surface=A), _move(10 * LAG_NS, B)]
    assert _others(seen) == [{A}]
    unknown: list[Observation] = [Focus(t_ns=0, surface=A), _move(10 * LAG_NS, None)]
    assert _others(unknown) == [{A}]


def test_focus_that_comes_back_at_once_does_not_clear_what_was_between() -> None:
    seen: list[Observation] = [
        Focus(t_ns=0, surface=A),
        _move(10 * LAG_NS),
        Focus(t_ns=10 * LAG_NS + 1, surface=B),
        Focus(t_ns=10 * LAG_NS + 2, surface=A),
        _move(10 * LAG_NS + 3),
    ]
    assert _others(seen) == [{B}, {B}]


def _kept(at: int, kind: str = "mouse.move") -> Kept:
    body: dict[str, object] = {"type": kind, "x": at, "y": 0}
    return Kept(t_ns=at, application="a", category="pointer", body=body)


def test_a_path_is_broken_by_what_happened_between_but_not_by_a_closed_category() -> None:
    def kinds(*outcomes: Kept | LeftOut) -> list[str]:
        return [
            str(each.body["type"]) if isinstance(each, Kept) else each.reason
            for each in pack_paths(outcomes)
        ]

    assert kinds(_kept(0), _kept(1), _kept(2)) == ["mouse.path"]
    assert kinds(_kept(0), LeftOut(1, "category_denied", "keyboard"), _kept(2)) == [
        "category_denied",
        "mouse.path",
    ]
    assert kinds(_kept(0), LeftOut(1, "app_not_allowed", "pointer"), _kept(2)) == [
        "mouse.move",
        "app_not_allowed",
        "mouse.move",
    ]
    assert kinds(_kept(0), _kept(2_000_000_000)) == ["mouse.move", "mouse.move"]
    assert kinds(_kept(0), _kept(1, "mouse.scroll"), _kept(2)) == [
        "mouse.move",
        "mouse.scroll",
        "mouse.move",
    ]
