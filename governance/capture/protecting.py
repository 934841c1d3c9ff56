"""Whole frames that nobody may keep, because of whom or what they show.

Promises: what an application showed in a batch is kept whole or not at all, never cut to fit; what
is not kept leaves a count under one reason for every cause, so that the count names nobody.
"""

from collections import Counter
from typing import Final

from governance.capture import never_capture
from governance.redaction.events import Event
from governance.redaction.identifiers import Forms

REASON: Final = "protected"


def kept(events: list[Event], forms: Forms) -> tuple[list[Event], Counter[str]]:
    """Return the events that may stay, and how many may not, by reason.

    `forms` say whom they show.
    """
    barred = never_capture.met(forms)
    if not barred:
        return events, Counter()
    left = [event for event in events if event.app not in barred]
    return left, Counter({REASON: len(events) - len(left)})
