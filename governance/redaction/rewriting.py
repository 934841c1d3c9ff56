"""Findings written back into the events, and the one form in which events are stored.

Structure stays: how many events, in which order, of which kinds. A masked key keeps its place and
says the type of what it helped to type. Times are made coarse per category, and even inside a
masked burst, because the rhythm between keys says what was typed.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from governance.redaction import operators, texts
from governance.redaction.engine import Detector
from governance.redaction.events import Event, categories_of, category_of
from governance.redaction.findings import Shown, Span
from governance.redaction.flagging import values_pattern
from governance.redaction.keystrokes import Findings
from governance.redaction.schema import MASK, KeyPress, TextInput
from governance.redaction.strokes import pairs_of

_TIMING_STEP: Final = 20_000_000
_TEXT_STEP: Final = 1_000_000_000
_STEPS: Final = {"keystroke-timing": _TIMING_STEP, "keystroke-text": _TEXT_STEP}
_UNREADABLE: Final = "UNREADABLE"
_REPEATED: Final = "REPEATED"


def write_back(events: list[Event], findings: Findings) -> list[Event]:
    """Return the events with every finding masked in the event it came from."""
    written: list[Event] = []
    for position, event in enumerate(events):
        if isinstance(event, KeyPress) and position in findings.events:
            written.append(_masked(event, findings.events[position]))
        elif isinstance(event, TextInput) and findings.characters.get(position):
            written.append(_dotted(event, findings.characters[position]))
        else:
            written.append(event)
    return written


def _masked(event: KeyPress, kind: str) -> KeyPress:
    """Return a key that says nothing but that it was typed, where, and the type of the finding."""
    return replace(
        event,
        key_char=MASK,
        key_name=None,
        key_vk=None,
        canonical_key_name=None,
        canonical_key_char=None,
        canonical_key_vk=None,
        redacted=kind,
    )


def _dotted(event: TextInput, flagged: dict[int, str]) -> TextInput:
    spans: list[Span] = []
    for offset in sorted(flagged):
        kind = flagged[offset]
        if spans and spans[-1].end == offset and spans[-1].type == kind:
            spans[-1] = Span(spans[-1].start, offset + 1, kind)
        else:
            spans.append(Span(offset, offset + 1, kind))
    return replace(event, text=operators.blank(event.text, spans), redacted=spans[0].type)


def clean_labels(
    events: list[Event],
    detector: Detector,
    *,
    values: set[str],
    counts: Counter[str],
    shown: set[Shown],
) -> list[Event]:
    """Return the events with labels that name nobody: "Message to Jane Doe" does."""
    pattern = values_pattern(values)
    cleaned: dict[tuple[str, str, str], str] = {}

    def clean(application: str, category: str, label: str) -> str:
        if (key := (application, category, label)) not in cleaned:
            text, spans = texts.replace(detector, label)
            counts.update(span.type for span in spans)
            if pattern:
                spans += [Span(*match.span(), _REPEATED) for match in pattern.finditer(label)]
                text = pattern.sub(f"<{_REPEATED}>", text)
            for span in spans:
                shown.add(Shown(application, category, span.type, label[span.start : span.end]))
            cleaned[key] = text[:120]
        return cleaned[key]

    result: list[Event] = []
    for event in events:
        for leaf in ("field_label", "control_label"):
            label = getattr(event, leaf, None)
            if label:
                category = category_of(event) or ""
                event = replace(event, **{leaf: clean(event.app, category, label)})  # noqa: PLW2901
        result.append(event)
    return result


def to_stored_form(events: list[Event]) -> list[Event]:
    """Return the events as stored: one reading of each key, opaque fields, coarse times."""
    pairs = pairs_of(events)
    fields: dict[tuple[str, str], str] = {}
    stored: list[Event] = []
    for position, event in enumerate(events):
        plain = event
        if isinstance(event, KeyPress):
            source = stored[pairs[position]] if position in pairs else None
            plain = _one_reading(event, source)
        stored.append(_renamed(plain, fields))
    return _coarse(_evened(stored))


def _one_reading(event: KeyPress, pressed: Event | None) -> KeyPress:
    """Keep the character or the name of the key that was read, and nothing that says it again.

    A key-up takes the reading of its key-down: it has nothing of its own to say.
    """
    if event.key_class is not None or event.key_name is not None:
        return event
    source = pressed if isinstance(pressed, KeyPress) else event
    characters = source.key_char or source.canonical_key_char
    name = None if characters else source.canonical_key_name
    if characters is None and name is None:
        return _masked(event, _UNREADABLE)
    return replace(
        event,
        key_char=characters,
        key_vk=None,
        canonical_key_name=name,
        canonical_key_char=None,
        canonical_key_vk=None,
        redacted=source.redacted,
    )


def _renamed(event: Event, fields: dict[tuple[str, str], str]) -> Event:
    """Return the event with its field numbered: the page's own ids may spell anything."""
    field = getattr(event, "field", None)
    if field is None:
        return event
    name = fields.setdefault((event.app, field), f"f{len(fields) + 1}")
    return replace(event, field=name)


def _evened(events: list[Event]) -> list[Event]:
    """Space the events of each masked burst evenly between its first and its last."""
    result = list(events)
    burst: list[int] = []
    for position, event in enumerate([*events, None]):
        is_key = isinstance(event, KeyPress)
        if isinstance(event, KeyPress) and event.redacted is not None:
            burst.append(position)
        elif burst and not (is_key and event is not None and event.type == "key.up"):
            _space(result, burst[0], burst[-1])
            burst = []
    return result


def _space(events: list[Event], first: int, last: int) -> None:
    start = events[first].t_ns
    duration = max(0, events[last].t_ns - start)
    for position in range(first, last + 1):
        moved = start + duration * (position - first) // max(1, last - first)
        events[position] = replace(events[position], t_ns=moved)


def _coarse(events: Iterable[Event]) -> list[Event]:
    result: list[Event] = []
    for event in events:
        step = next((_STEPS[c] for c in categories_of(event) if c in _STEPS), None)
        result.append(replace(event, t_ns=event.t_ns // step * step) if step else event)
    return result
