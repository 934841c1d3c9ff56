"""Which characters of a field a finding covers, and which others say the same.

Besides the spans of the detector: lone tokens that look like a chosen password, values repeated in
another field, what was deleted next to a finding, and numbers typed into a row of small boxes.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from governance.redaction import sensitive
from governance.redaction.editing import Field, Node, common, head, tail
from governance.redaction.engine import Deadline, Detector
from governance.redaction.findings import Span
from governance.redaction.schema import MASK
from governance.redaction.texts import residue

_STRUCTURED: Final = frozenset(
    {"CREDIT_CARD", "IBAN", "US_SSN", "NATIONAL_ID", "TAX_ID", "PHONE", "OTP"}
)
_LONE_TOKEN: Final = re.compile(r"^(?!\S*@\S*\.\w)[^\s/\\=()<>{}\[\]|;,\"'`:]{8,64}$")
_ORDINARY_TOKEN: Final = re.compile(
    r"[A-Za-z]+-\d+|v?\d+(?:[.\-]\w+)+|[\w-]+\.[a-z]{2,5}|[\d.,$€£%+*#-]+|[A-Z]{1,5}[-#]?\d+"
)
_CODE_BOXES: Final = 4
_SHORTEST_SHARED: Final = 4
_WHOLE_BELOW, _AROUND = 600, 250


def values_pattern(values: Collection[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds any of the values as whole words, or None without values."""
    words = {word for value in values if len(word := value.strip()) >= _SHORTEST_SHARED}
    words = {word for word in words if any(c.isalnum() for c in word)}
    if not words:
        return None
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile(
        "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first), re.IGNORECASE
    )


def views(each: Field) -> list[list[Node]]:
    """Return the distinct high-water marks, and the typed order where the caret is not known."""
    views = list(each.views)
    if each.is_uncertain:
        views.append(sorted(each.nodes, key=lambda node: (node.source, node.offset)))
    distinct: dict[str, list[Node]] = {}
    for view in views:
        text = "".join(node.character for node in view)
        if text.strip():
            distinct.setdefault(text, view)
    return list(distinct.values())


@dataclass(slots=True)
class Scan:
    """Looks at one field's high-water marks in turn.

    Of a long text only what changed since the last look is read again, with words around it:
    thousands of corrections of one letter must not cost thousands of whole texts.
    """

    detector: Detector
    deadline: Deadline
    label: str
    role: str
    seen: str = ""
    is_sensitive: bool = False

    def spans(self, text: str) -> list[Span]:
        """Return what identifies in the part of the text that the last one did not have."""
        start, end = _changed(self.seen, text)
        self.seen = text
        part = text[start:end]
        found = self.detector.spans(part, label=self.label, role=self.role, deadline=self.deadline)
        self.is_sensitive = self.is_sensitive or sensitive.is_met(part)
        found = residue(part, [*found, *lone_passwords(part, self.role, found)])
        return [Span(start + span.start, start + span.end, span.type) for span in found]


def _changed(seen: str, text: str) -> tuple[int, int]:
    """Return the range of a text that differs from one seen before, widened to some words."""
    if min(len(seen), len(text)) < _WHOLE_BELOW:
        return 0, len(text)
    start = common(seen, text, str.startswith, head)
    end = len(text) - min(common(seen, text, str.endswith, tail), len(text) - start)
    first = text.rfind(" ", 0, max(0, start - _AROUND)) + 1
    last = text.find(" ", end + _AROUND)
    return first, len(text) if last < 0 else last


def flags(nodes: list[Node]) -> dict[int, str]:
    return {offset: node.flag for offset, node in enumerate(nodes) if node.flag}


def flag(view: list[Node], spans: Iterable[Span]) -> None:
    for span in spans:
        for node in view[span.start : span.end]:
            if node.character != MASK:
                node.flag = node.flag or span.type


def lone_passwords(text: str, role: str, spans: list[Span]) -> list[Span]:
    """Return lines that are one token as people choose for passwords, and nothing ordinary."""
    if role != "document" and (role not in ("textbox", "") or spans):
        return []
    found = []
    start = 0
    for line in text.split("\n"):
        token = line.strip()
        if (
            _LONE_TOKEN.match(token)
            and any(c.isdigit() for c in token)
            and _kinds(token) > 1
            and not _ORDINARY_TOKEN.fullmatch(token)
        ):
            found.append(Span(start, start + len(line), "PASSWORD"))
        start += len(line) + 1
    return found


def _kinds(token: str) -> int:
    return (
        any(c.islower() for c in token)
        + any(c.isupper() for c in token)
        + any(not c.isalnum() for c in token)
    )


def flag_tombstones(nodes: list[Node]) -> None:
    """Let what was deleted inside or right after a flagged run share its flag.

    Mistyped digits of a number and the abandoned tail of a name say as much as what stayed.
    """
    index = 0
    while index < len(nodes):
        kind = nodes[index].flag
        end = index + 1
        if kind is None:
            index = end
            continue
        while end < len(nodes) and nodes[end].flag is None and not nodes[end].live:
            end += 1
        inside = end < len(nodes) and nodes[end].flag == kind
        for node in nodes[index + 1 : end]:
            if node.character == MASK:
                continue
            if not inside and node.character in " \n":
                break
            node.flag = kind
        index = end


def flag_boxes(boxes: list[list[Node]], detector: Detector) -> None:
    if len(boxes) < 2:  # noqa: PLR2004  one box is a field like any other
        return
    nodes = [node for box in boxes for node in box]
    if len(boxes) >= _CODE_BOXES and all(len(box) == 1 for box in boxes):
        flag(nodes, [Span(0, len(nodes), "OTP")])
        return
    text = "".join(node.character for node in nodes)
    spans = detector.spans(text, role="document")
    flag(nodes, [span for span in spans if span.type in _STRUCTURED])
