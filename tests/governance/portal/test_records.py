"""A record for its reader: typed text with chips, the pointer's way, words for values."""

from governance.portal import records
from governance.portal.drawing import draw
from governance.portal.typed import REMOVED, SOME, Run, typed


def key(character: str, *, redacted: str | None = None) -> dict[str, object]:
    event: dict[str, object] = {"type": "key.down", "key_char": character}
    return event if redacted is None else event | {"redacted": redacted}


def test_what_was_removed_stands_as_one_chip_of_its_kind() -> None:
    events = [*map(key, "to "), *(key("•", redacted="EMAIL") for _ in range(5)), key("!")]
    (stretch,) = typed(events)
    assert stretch.runs == (Run("text", "to "), Run(REMOVED, "EMAIL", 5), Run("text", "!"))


def test_a_field_with_two_blanks_does_not_guess_their_kinds() -> None:
    event = {
        "type": "text.input",
        "field_label": "Notes",
        "redacted": "PERSON",
        "text": "•• at •••",
    }
    (field,) = typed([event])
    assert field.label == "Notes"
    assert [run.text for run in field.runs if run.sort == REMOVED] == [SOME, SOME]


def test_a_path_is_drawn_from_its_start_by_its_steps() -> None:
    path = {"type": "mouse.path", "x": 10, "y": 20, "points": [[1, 5, 0], [1, 0, -5]]}
    drawing = draw([path, {"type": "mouse.down", "x": 15, "y": 15}])
    assert drawing is not None
    assert drawing.paths == ("10,20 15,20 15,15",)
    assert drawing.clicks == ((15, 15),)
    assert draw([{"type": "key.shortcut", "keys": ["ctrl", "s"]}]) is None


def test_single_letters_are_told_as_text_and_not_as_lines() -> None:
    gap = {"type": "capture.gap", "reason": "secure_field", "t_ns": 0}
    reading = records.read([key("a"), gap], most=10)
    assert [line.values for line in reading.lines] == ["a password field, which is never captured"]
    assert reading.total == len(reading.stored.splitlines()) == 2
