"""Whole frames that nobody may keep, because of whom or what they show.

Promises: what an application showed in a batch is kept whole or not at all, never cut to fit; what
is not kept leaves a count, under one reason for all causes that would tell of somebody.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

from governance.capture import never_capture
from governance.policies.selectors import ActivePolicy
from governance.redaction import identifiers
from governance.redaction.events import Event
from governance.redaction.findings import Shown
from governance.redaction.identifiers import Forms
from governance.redaction.pipeline import Redacted

REASON: Final = "protected"
# The policy says it to everybody, so this cause need not be hidden among the others.
ELSEWHERE: Final = "participant_elsewhere"
_CREDENTIALS: Final = frozenset({"PASSWORD", "SECRET", "OTP"})


def kept(
    redacted: Redacted, forms: Forms, policies: Mapping[str, ActivePolicy]
) -> tuple[list[Event], Counter[str]]:
    """Return the events that may stay, and how many may not, by reason.

    `forms` say whom they show, and `policies` from where those may be (R58).
    """
    barred = dict.fromkeys(_beside_strangers(forms, policies), ELSEWHERE)
    told = never_capture.met(forms) | redacted.sensitive | _with_credentials(redacted.shown)
    barred |= dict.fromkeys(told, REASON)
    refused = Counter(barred[event.app] for event in redacted.events if event.app in barred)
    return [event for event in redacted.events if event.app not in barred], refused


def _beside_strangers(forms: Forms, policies: Mapping[str, ActivePolicy]) -> set[str]:
    """Return the applications that showed somebody from where their policy covers nobody."""
    found = set()
    for (application, _category), shown in forms.items():
        policy = policies.get(application)
        covered = policy.content.participants if policy else []
        if covered and not all(identifiers.is_from(form, covered) for form in shown):
            found.add(application)
    return found


def _with_credentials(shown: Collection[Shown]) -> set[str]:
    """Return the applications that showed a password, a token or a code, or repeated one."""
    met = [one for one in shown if one.type in _CREDENTIALS]
    values = {one.value.casefold().strip() for one in met}
    again = [one for one in shown if one.value.casefold().strip() in values]
    return {one.application for one in (*met, *again)}
