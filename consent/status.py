"""What a person's answer about one cell can be, and every change it may undergo.

The values are the local names of the Data Privacy Vocabulary 2.3, unchanged, so that a receipt
and a row say the same word. The table below is the whole state machine: what is not listed is
refused.
"""

from dataclasses import dataclass
from enum import StrEnum


class ConsentStatus(StrEnum):
    """The state of one cell: a person, a purpose, an application, a category of data."""

    UNKNOWN = "ConsentUnknown"
    REQUESTED = "ConsentRequested"
    DEFERRED = "ConsentRequestDeferred"
    REFUSED = "ConsentRefused"
    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    WITHDRAWN = "ConsentWithdrawn"
    REVOKED = "ConsentRevoked"
    EXPIRED = "ConsentExpired"
    INVALIDATED = "ConsentInvalidated"


class Party(StrEnum):
    """Who may bring a change about. No one but the subject ever says yes (GDPR Art. 4(11))."""

    SUBJECT = "subject"
    CLOCK = "clock"
    OFFICER = "officer"


VALID = frozenset({ConsentStatus.GIVEN, ConsentStatus.RENEWED})
"""The only states under which anything may happen. All others mean no."""

OPEN = frozenset({ConsentStatus.UNKNOWN, ConsentStatus.REQUESTED, ConsentStatus.DEFERRED})
"""No answer yet."""

ENDED = frozenset(
    {
        ConsentStatus.WITHDRAWN,
        ConsentStatus.REVOKED,
        ConsentStatus.EXPIRED,
        ConsentStatus.INVALIDATED,
    }
)
"""Was valid once and is not any more: what was captured under it has to go."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed change: from any of `sources` to `target`, by any of `parties`."""

    sources: frozenset[ConsentStatus]
    target: ConsentStatus
    parties: frozenset[Party]


_SUBJECT = frozenset({Party.SUBJECT})
_OFFICE = frozenset({Party.OFFICER, Party.CLOCK})

TRANSITIONS = (
    Transition(
        frozenset({ConsentStatus.UNKNOWN}),
        ConsentStatus.REQUESTED,
        frozenset({Party.CLOCK}),
    ),
    Transition(
        frozenset({ConsentStatus.REQUESTED}),
        ConsentStatus.UNKNOWN,
        frozenset({Party.CLOCK}),
    ),
    Transition(frozenset({ConsentStatus.REQUESTED}), ConsentStatus.DEFERRED, _SUBJECT),
    # An invalidated record is closed for good; a new yes opens a new record (services.decide).
    Transition(
        OPEN | {ConsentStatus.REFUSED} | ENDED,
        ConsentStatus.GIVEN,
        _SUBJECT,
    ),
    Transition(VALID, ConsentStatus.RENEWED, _SUBJECT),
    Transition(OPEN, ConsentStatus.REFUSED, _SUBJECT),
    Transition(VALID, ConsentStatus.WITHDRAWN, _SUBJECT),
    Transition(VALID, ConsentStatus.EXPIRED, frozenset({Party.CLOCK})),
    Transition(VALID, ConsentStatus.REVOKED, _OFFICE),
    Transition(VALID, ConsentStatus.INVALIDATED, frozenset({Party.OFFICER})),
)


def is_allowed(*, source: ConsentStatus, target: ConsentStatus, party: Party) -> bool:
    """Return whether the table lists this change for this party."""
    return any(
        source in row.sources and target is row.target and party in row.parties
        for row in TRANSITIONS
    )


def answer(current: ConsentStatus, *, yes: bool) -> ConsentStatus | None:
    """Return the status that a plain yes or no means now, or None when nothing changes.

    A page asks one question with two answers of equal weight; whether a no is a refusal or a
    withdrawal depends only on what was answered before.
    """
    if yes:
        return None if current in VALID else ConsentStatus.GIVEN
    if current in VALID:
        return ConsentStatus.WITHDRAWN
    return ConsentStatus.REFUSED if current in OPEN else None
