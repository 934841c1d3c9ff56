"""Whether access may be open: the log must be sequencing, signing and witnessing.

Promises: when the log has stalled, access closes (LogUnavailableError, 503). Exits, that is
withdrawals, erasure requests and denials, never ask here. A judgement is reused for a second.
"""

import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Min
from django.db.models.functions import Coalesce, Now

from audit.errors import LogUnavailableError
from audit.models import Outbox, TreeState

_HEARTBEAT_STALE: Final = timedelta(seconds=30)
_REUSE_SECONDS: Final = 1.0

_judged: dict[str, tuple[float, str | None]] = {}


def require_open() -> None:
    """Return when access may be open. Raises LogUnavailableError with the first reason found."""
    if reason := why_closed():
        raise LogUnavailableError(reason)


def why_closed() -> str | None:
    """Return in a few words why access is closed, or None while it is open."""
    at, reason = _judged.get(settings.REMIT_LOG_ORIGIN, (float("-inf"), None))
    if time.monotonic() - at > _REUSE_SECONDS:
        reason = _judge()
        _judged[settings.REMIT_LOG_ORIGIN] = (time.monotonic(), reason)
    return reason


def forget() -> None:
    """Drop the reused judgement, so that the next question looks again."""
    _judged.clear()


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the log is, and since when it is silent or behind; NaN for what never happened."""

    published: int
    is_halted: bool
    silence_seconds: float
    late_seconds: float


def freshness() -> Freshness:
    """Return what a monitoring system may know of the log. Raises DatabaseError."""
    states = TreeState.objects.annotate(now=Now())
    state = states.filter(pk=settings.REMIT_LOG_ORIGIN).first()
    if state is None:
        return Freshness(0, is_halted=False, silence_seconds=math.nan, late_seconds=0)
    beat, behind = state.heartbeat_at, state.behind_since
    return Freshness(
        published=state.published_size,
        is_halted=bool(state.halted),
        silence_seconds=math.nan if beat is None else (state.now - beat).total_seconds(),
        late_seconds=0 if behind is None else (state.now - behind).total_seconds(),
    )


def _judge() -> str | None:
    try:
        # Every time compared here was written by the database's clock; so is now.
        states = TreeState.objects.annotate(now=Now())
        state = states.filter(pk=settings.REMIT_LOG_ORIGIN).first()
        oldest = Outbox.objects.aggregate(at=Min(Coalesce("not_before", "queued_at")))["at"]
    except DatabaseError:
        return "the database does not answer"
    if state is not None and state.halted:
        return "the log has halted"
    if state is None or state.heartbeat_at is None:
        return "no sequencer has run"
    return _stale(state, oldest, state.now)


def _stale(state: TreeState, oldest: datetime | None, now: datetime) -> str | None:
    """Return the first limit that is passed; each row reads: what, since when, how long at most."""
    limits = (
        ("the sequencer is silent", state.heartbeat_at, _HEARTBEAT_STALE),
        ("entries wait", oldest, timedelta(seconds=settings.REMIT_LOG_OUTBOX_STALE_SECONDS)),
        (
            "the head is not published",
            state.behind_since,
            timedelta(seconds=settings.REMIT_LOG_CHECKPOINT_STALE_SECONDS),
        ),
        (
            "no quorum of witnesses",
            state.quorum_at or state.created_at,
            timedelta(seconds=settings.REMIT_WITNESS_STALE_SECONDS),
        ),
    )
    for reason, since, most in limits:
        if since is not None and now - since > most:
            return reason
    return None
