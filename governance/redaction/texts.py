"""One text made safe and looked at again: the fixed point of finding and replacing."""

import re
from typing import Final

from governance.redaction import operators
from governance.redaction.engine import NO_DEADLINE, Deadline, Detector
from governance.redaction.errors import ResidueError
from governance.redaction.findings import Span
from governance.redaction.schema import MASK

# What replacing once uncovers, a second look finds; more than this is no honest text.
ROUNDS: Final = 6
_REPLACED: Final = re.compile(r"<[A-Z_]{2,24}(?:_[0-9a-f]{1,12})?>|•+")


def residue(text: str, spans: list[Span]) -> list[Span]:
    """Return the spans that cover a letter or digit which no replacement wrote."""
    written = bytearray(len(text))
    for match in _REPLACED.finditer(text):
        written[match.start() : match.end()] = b"\1" * len(match[0])
    return [
        span
        for span in spans
        if any(text[i].isalnum() and not written[i] for i in range(span.start, span.end))
    ]


def blank(
    detector: Detector,
    text: str,
    *,
    label: str = "",
    role: str = "",
    deadline: Deadline = NO_DEADLINE,
) -> tuple[str, list[Span]]:
    """Return the text with what identifies dotted out, and the spans; counts and offsets kept.

    Raises `ResidueError` when looking again keeps finding more.
    """
    found: list[Span] = []
    for _ in range(ROUNDS):
        spans = detector.spans(text, label=label, role=role, deadline=deadline)
        left = residue(text, spans)
        if not left:
            return text, found
        found.extend(left)
        text = operators.blank(text, left)
    raise ResidueError


def replace(
    detector: Detector, text: str, *, label: str = "", role: str = "", key: bytes | None = None
) -> tuple[str, list[Span]]:
    """Return the text with placeholders and pseudonyms in it, and the spans of the original."""
    spans = detector.spans(text, label=label, role=role)
    replaced = operators.replace(text, spans, key=key)
    if not residue(replaced, detector.spans(replaced, label=label, role=role)):
        return replaced, spans
    dotted, found = blank(detector, text, label=label, role=role)
    covered = [Span(m.start(), m.end(), _type_at(found, m.start())) for m in _dots(dotted)]
    replaced = operators.replace(text, covered, key=key)
    # A placeholder is no dot: what stands beside it may look like something else now.
    return blank(detector, replaced, label=label, role=role)[0], covered


def _dots(text: str) -> list[re.Match[str]]:
    return list(re.finditer(f"{MASK}+", text))


def _type_at(spans: list[Span], position: int) -> str:
    return next((s.type for s in spans if s.start <= position < s.end), "OTHER")
