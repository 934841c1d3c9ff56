"""What a person asked to forget: spans of time whose events nobody keeps or carries over."""

from collections.abc import Iterable
from datetime import datetime

from governance.capture.models import ForgottenSpan

Events = list[dict[str, object]]


def outside(events: Events, spans: Iterable[tuple[datetime, datetime]]) -> Events:
    """Return the events that happened in none of these spans; a span's end is outside it."""
    exact = [(_nanoseconds(start), _nanoseconds(end)) for start, end in spans]
    return [
        event
        for event in events
        if not any(start <= int(str(event["t_ns"])) < end for start, end in exact)
    ]


def without(events: Events, *, subject: str) -> Events:
    """Return the events that the person did not ask to forget, up to this transaction."""
    spans = ForgottenSpan.objects.filter(subject=subject).values_list("start", "end")
    return outside(events, list(spans))


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000_000)
