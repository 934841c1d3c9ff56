"""What a stored frame says of its own redaction: by what it was done, and how much, never of whom.

Pure. Counts are of what the frame itself shows was removed; a person reads them beside it.
"""

from collections import Counter
from collections.abc import Iterable

from governance.redaction.schema import Event, KeyPress, ScreenFrame, TextInput


def removed(events: Iterable[Event]) -> dict[str, int]:
    """Return how many findings were removed from a cell's events, by type.

    Masked keys side by side are one finding, and so is a field with anything masked in it.
    """
    counts: Counter[str] = Counter()
    last: tuple[str | None, str | None] = (None, None)
    for event in events:
        if isinstance(event, KeyPress):
            if event.type == "key.down":
                here = (event.field, event.redacted)
                if event.redacted is not None and here != last:
                    counts[event.redacted] += 1
                last = here
        elif isinstance(event, TextInput):
            if event.redacted is not None:
                counts[event.redacted] += 1
        elif isinstance(event, ScreenFrame):
            counts.update(event.removed or {})
    return dict(sorted(counts.items()))
