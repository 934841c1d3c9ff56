"""What an office decides, and how long an office stays open: a second factor, and idle sign-out.

Promises: nobody approves, activates, brings back or releases anything, or decides what becomes of
other people's recordings, without a passkey or a code shown in this session a moment ago, whatever
way they signed in (REMIT_OFFICE_SECOND_FACTOR); and the session of whoever holds an office ends
once nobody asked for anything in it for REMIT_OFFICE_IDLE_SECONDS; what a page asks by itself does
not count. What takes something back or stops it never asks.
"""

from typing import Final

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.utils import timezone

from governance.accounts import sessions as held

# Second keys: what two people must do, and what puts something in force.
APPROVALS: Final = frozenset(
    {
        "policy.approve",
        "policy.activate",
        "policy.resume",
        "stop.lift",
        "assessment.decide",
        "agreement.confirm",
        "request.approve",
        # It destroys for good what others recorded, on one word.
        "bystander.answer",
    }
)
FACTORS: Final = frozenset({"passkey", "code"})
_FACTOR_AT: Final = "factor_at"
_SEEN_AT: Final = "seen_at"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FRESH_SECONDS: Final = 300
# What a page asks while nobody does anything (static/live.js).
_BY_ITSELF: Final = "X-Remit-By-Itself"
# So often at most is it written down that somebody is still there.
_STEP_SECONDS: Final = 60


def note(request: HttpRequest, *, way: str) -> None:
    """Remember that a second factor was shown; another way of signing in is none."""
    if way in FACTORS:
        request.session[_FACTOR_AT] = _now()


def is_missing(request: HttpRequest, action: str) -> bool:
    """Say whether this request decides something and no second factor was shown for it."""
    if not settings.REMIT_OFFICE_SECOND_FACTOR or action not in APPROVALS:
        return False
    if request.method in _SAFE:
        return False
    age = _now() - int(request.session.get(_FACTOR_AT, 0))
    return not 0 <= age < (settings.REMIT_STEP_UP_SECONDS or _FRESH_SECONDS)


def is_idle(request: HttpRequest) -> bool:
    """End the session of an office in which nothing was asked for long, and say so."""
    most = settings.REMIT_OFFICE_IDLE_SECONDS
    now = _now()
    seen = int(request.session.get(_SEEN_AT, now))
    if most and now - seen > most:
        held.forget(session_key=request.session.session_key or "")
        logout(request)
        return True
    is_new = _SEEN_AT not in request.session
    is_somebody = _BY_ITSELF not in request.headers and now - seen >= min(_STEP_SECONDS, most)
    if most and (is_new or is_somebody):
        request.session[_SEEN_AT] = now
    return False


def _now() -> int:
    return int(timezone.now().timestamp())
