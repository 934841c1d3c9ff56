"""Events become the steps a training team can load."""

from typing import Any

import pytest

from governance.releases import agentnet


def event(seq: int, kind: str, /, ms: int = 0, **leaves: object) -> dict[str, Any]:
    return {"seq": seq, "t_ns": ms * 1_000_000, "type": kind, "app": "desk", **leaves}


def code(*events: dict[str, Any]) -> list[str]:
    found = agentnet.episode(task_id="t", instruction="i", events=events)
    return [step["value"]["code"] for step in found["traj"]] if found else []


BUTTON: dict[str, Any] = {"x": 5, "y": 6.5, "button": "left"}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], []),
        ([event(0, "key.down", key_class="letter")], []),
        (
            [
                event(0, "mouse.move", x=1, y=2),
                event(1, "mouse.path", x=3, y=4, points=[[9, 1, 1]]),
            ],
            ["pyautogui.moveTo(x=4, y=5)"],
        ),
        (
            [event(0, "mouse.down", **BUTTON), event(1, "mouse.up", **BUTTON)],
            ["pyautogui.click(x=5, y=6.5)"],
        ),
        (
            [
                event(n, kind, 90 * n, **BUTTON)
                for n, kind in enumerate(["mouse.down", "mouse.up"] * 2)
            ],
            ["pyautogui.doubleClick(x=5, y=6.5)"],
        ),
        (
            [event(0, "mouse.down", **BUTTON), event(1, "mouse.up", x=50, y=6, button="left")],
            ["pyautogui.moveTo(x=5, y=6.5); pyautogui.dragTo(x=50, y=6, button='left')"],
        ),
        (
            [
                event(0, "key.down", key_char="h"),
                event(1, "key.up", key_char="h"),
                event(2, "key.down", key_char="•", redacted="PERSON"),
                event(3, "key.down", key_char="•", redacted="PERSON"),
                event(4, "key.down", key_char="!"),
                event(5, "key.down", canonical_key_name="enter"),
            ],
            ["pyautogui.write(message='h<PERSON>!')", "pyautogui.press('enter')"],
        ),
        (
            [event(0, "key.shortcut", keys=["ctrl", "s"])],
            ["pyautogui.hotkey('ctrl', 's')"],
        ),
        (
            [
                event(0, "text.input", field="f1", field_role="textbox", text="j"),
                event(1, "text.input", field="f1", field_role="textbox", text="••", redacted="PIN"),
                event(2, "mouse.scroll", x=1, y=1, dx=0, dy=-3),
            ],
            ["pyautogui.write(message='<PIN>')", "pyautogui.scroll(-3, x=1, y=1)"],
        ),
        (
            [event(0, "menu.select", control_role="menuitem", control_label="Meals")],
            ["computer.select(role='menuitem', label='Meals')"],
        ),
    ],
)  # fmt: skip
def test_events_become_pyautogui(events: list[dict[str, Any]], expected: list[str]) -> None:
    assert code(*events) == expected


def test_what_is_missing_shows_as_a_gap_and_never_why() -> None:
    found = agentnet.episode(
        task_id="t",
        instruction="i",
        events=[
            event(0, "key.shortcut", keys=["f5"]),
            event(1, "capture.gap", reason="secure_field", from_seq=1, to_seq=4),
            event(5, "nav.url", url_pattern="claims"),
            event(6, "key.shortcut", 2000, keys=["f6"]),
        ],
    )
    assert found is not None
    assert [step["gap_before"] for step in found["traj"]] == [False, True]
    assert found["traj"][1]["t_rel_ms"] == 2000
    assert found["traj"][1]["value"]["observation"] == "The page or window is claims."
    assert "secure" not in str(found)


def test_frames_of_one_batch_are_read_in_the_order_of_their_events() -> None:
    a, b = event(0, "app.focus"), event(1, "key.down", key_char="a")
    later = event(0, "app.focus")
    ordered = list(agentnet.ordered_by_session([("2", [later]), ("1", [b]), ("1", [a])]))
    assert ordered == [a, b, later]
