"""The development set through the detector: what must be found is, what must stay stays."""

from governance.redaction.streams import redact_stream
from tests.governance.redaction import scoring

NEVER_MISSED = {
    "EMAIL", "CREDIT_CARD", "IBAN", "US_SSN", "IP_ADDRESS", "MAC_ADDRESS", "SECRET", "CVV",
}  # fmt: skip


def test_texts_of_a_screen() -> None:
    rows = scoring.rows("text.jsonl")
    detector = scoring.detector()
    found = [
        [
            (s.start, s.end)
            for s in detector.spans(row["text"], label=row["label"], role=row["role"])
        ]
        for row in rows
    ]
    score = scoring.score_texts(rows, found)
    assert len(rows) == 500
    assert score.f2 >= 0.985, score.leaks
    assert score.touched <= 0.025
    assert score.entities.keys() >= NEVER_MISSED
    assert {k for k in NEVER_MISSED if score.found[k] < score.entities[k]} == set(), score.leaks


def test_streams_of_keystrokes() -> None:
    rows = scoring.rows("keystrokes.jsonl")
    detector = scoring.detector()
    redacted = [redact_stream(row, detector)["events"] for row in rows]
    score = scoring.score_streams(rows, redacted)
    assert len(rows) == 400
    assert score.recall >= 0.99, score.leaks
    assert score.precision >= 0.98
    assert all(
        scoring.same_structure(row["events"], after)
        for row, after in zip(rows, redacted, strict=True)
    )
