"""Whole frames that nobody may keep, because of whom or what they show.

Promises: what an application showed in a batch is kept whole or not at all, never cut to fit; what
is not kept leaves a count under one reason for every cause, so that the count names nobody.
"""

from collections import Counter
from collections.abc import Collection
from typing import Final

from governance.capture import never_capture
from governance.redaction.events import Event
from governance.redaction.findings import Shown
from governance.redaction.identifiers import Forms
from governance.redaction.pipeline import Redacted

REASON: Final = "protected"
_CREDENTIALS: Final = frozenset({"PASSWORD", "SECRET", "OTP"})


def kept(redacted: Redacted, forms: Forms) -> tuple[list[Event], Counter[str]]:
    """Return the events that may stay, and how many may not, by reason.

    `forms` say whom they show.
    """
    events = redacted.events
    barred = never_capture.met(forms) | redacted.sensitive | _with_credentials(redacted.shown)
    if not barred:
        return events, Counter()
    left = [event for event in events if event.app not in barred]
    return left, Counter({REASON: len(events) - len(left)})


def _with_credentials(shown: Collection[Shown]) -> set[str]:
    """Return the applications that showed a password, a token or a code, or repeated one."""
    met = [one for one in shown if one.type in _CREDENTIALS]
    values = {one.value.casefold().strip() for one in met}
    again = [one for one in shown if one.value.casefold().strip() in values]
    return {one.application for one in (*met, *again)}
