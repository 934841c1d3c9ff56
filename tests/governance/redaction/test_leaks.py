"""Nothing of the leak vectors survives, and a detector with a planted bug is found out."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from governance.redaction import (
    engine,
    flagging,
    keystrokes,
    normalize,
    pipeline,
    rewriting,
    streams,
    strokes,
)
from governance.redaction.findings import Span
from tests.governance.redaction.leak_vectors import HARBOUR, leaks

Plant = Callable[[pytest.MonkeyPatch], None]


def test_nothing_of_the_vectors_survives() -> None:
    assert leaks() == []


def _shifted(start: int, end: int) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        spans = engine.Detector.spans

        def off_by_one(self: engine.Detector, text: str, **known: Any) -> list[Span]:
            found = spans(self, text, **known)
            return [Span(s.start + start, s.end + end, s.type) for s in found]

        patch.setattr(engine.Detector, "spans", off_by_one)

    return plant


def _instead(owner: object, name: str, value: object) -> Plant:
    return lambda patch: patch.setattr(owner, name, value)


def _one_detector_for_all(patch: pytest.MonkeyPatch) -> None:
    first = pipeline._detector(HARBOUR.directory, None, None)
    patch.setattr(pipeline, "_detector", lambda *_: first)


def _nothing(*_: object, **__: object) -> None:
    return None


BUGS: dict[str, Plant] = {
    "spans end too early": _shifted(0, -1),
    "spans begin too late": _shifted(1, 0),
    "zero-width characters stay": _instead(normalize, "_DROPPED", frozenset()),
    "percent signs are not read": _instead(normalize, "_PERCENT", re.compile("(?!)")),
    "wide digits are not read": _instead(normalize, "_TABLE", {}),
    "labels are skipped": _instead(rewriting, "clean_labels", lambda items, *_, **__: items),
    "only the last text is read": _instead(
        keystrokes, "views", lambda each: flagging.views(each)[-1:]
    ),
    "deleted digits stay": _instead(keystrokes, "flag_tombstones", _nothing),
    "boxes are not joined": _instead(keystrokes, "flag_boxes", _nothing),
    "a found value stays elsewhere": _instead(
        keystrokes.Reconstruction, "_search_values", _nothing
    ),
    "key-ups stay": _instead(keystrokes.Reconstruction, "_release", _nothing),
    "virtual keys stay": _instead(rewriting, "_one_reading", lambda event, _: event),
    "compositions stay": _instead(streams, "_TEXT_LEAF", {"paste": "text"}),
    "the rhythm stays": _instead(streams, "_even", _nothing),
    "one organisation's people are looked for in another's": _one_detector_for_all,
    "a key-up is a key of its own": _instead(strokes, "pairs_of", lambda _: {}),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found_out(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    BUGS[bug](monkeypatch)
    assert leaks() != []
