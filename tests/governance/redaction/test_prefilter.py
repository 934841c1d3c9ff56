"""Whatever says which patterns to try, the same entities are found."""

from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.redaction import engine, prefilter
from governance.redaction.findings import Span
from tests.governance.redaction import scoring

ROWS = scoring.rows("text.jsonl")
PROBES = engine.all_probes()
WORDS = st.sampled_from([word for row in ROWS for word in row["text"].split(" ")])
MADE_UP = st.lists(WORDS | st.text(max_size=6), max_size=8).map(" ".join)
no_automata = "the extra `fast` is not installed"


class Everything:
    """Tries every pattern: what a prefilter may save but not change."""

    def possible(self, text: str) -> Collection[int]:
        del text
        return range(len(PROBES))


def spans(which: prefilter.Prefilter, text: str, label: str, role: str) -> list[Span]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_prefilter", lambda: which)
        return scoring.detector().spans(text, label=label, role=role)


def assert_same(which: prefilter.Prefilter, text: str, label: str, role: str) -> None:
    assert spans(which, text, label, role) == spans(Everything(), text, label, role)


def test_literals_change_nothing() -> None:
    literals = prefilter.Literals(PROBES)
    for row in ROWS:
        assert_same(literals, row["text"], row["label"], row["role"])


@pytest.fixture(scope="module")
def automata() -> prefilter.Automata:
    pytest.importorskip("hyperscan", reason=no_automata)
    return prefilter.Automata(PROBES)


@pytest.mark.soak
def test_automata_change_nothing(automata: prefilter.Automata) -> None:
    for row in ROWS:
        assert_same(automata, row["text"], row["label"], row["role"])


@pytest.mark.soak
@given(MADE_UP)
@settings(deadline=None, max_examples=2000)
def test_automata_change_nothing_of_made_up_texts(automata: prefilter.Automata, text: str) -> None:
    assert_same(automata, text, "", "document")


def test_automata_take_over_once_they_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hyperscan", reason=no_automata)
    monkeypatch.setattr(prefilter, "TEXTS_BEFORE", 2)
    adaptive = prefilter.Adaptive(PROBES[-8:])
    kinds = []
    for _ in range(3):
        adaptive.possible("Dear Anna")
        kinds.append(type(adaptive._prefilter).__name__)
    assert kinds == ["Literals", "Automata", "Automata"]
