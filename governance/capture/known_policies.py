"""Which policy each device has in force, from the memory of this web process.

Promise: what is said here, `agent_policy.current` would say, or would have said a moment ago: a
change is honoured STALE_SECONDS after its COMMIT at the latest, as a rule after LOOK_SECONDS. The
process reads on where it stood in what the database's own triggers write about people
(capture_policychange, migration 0002) and compares the policies' generation. When it cannot, or
did not for too long, it knows nothing, and the caller asks the slow way.

An answer rests on four tables. Two are watched by triggers; the generation is read each time; and
a policy that was issued to a device later has other epochs or came after the end of this one's
time. tests/governance/capture/test_known_policies.py holds the statement below to that.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import DatabaseError, connection
from django.utils import timezone

from audit import sql
from governance.capture.agent_policy import RENEW

LOOK_SECONDS: Final = 0.1
STALE_SECONDS: Final = 0.5
# Long before what changed is tidied away (capture.expiry).
_IDLE_SECONDS: Final = 30.0
_MOST_CHANGES: Final = 10_000
# Marks of changes outlive every answer that was known before them.
_TURN_ANSWERS: Final = RENEW.total_seconds()
_TURN_MARKS: Final = 2 * _TURN_ANSWERS

LATEST: Final = """
    SELECT i.etag, i.issued_at, i.expires_at, d.subject
    FROM policies_generation g
    JOIN accounts_device d ON d.id = %s AND d.revoked_at IS NULL
    LEFT JOIN consent_epoch e ON e.subject = d.subject
    JOIN capture_issuedpolicy i ON i.device_id = d.id
        AND i.policy_epoch = g.epoch AND i.consent_epoch = COALESCE(e.epoch, 0)
    WHERE g.id = 1 AND i.issued_at <= %s
    ORDER BY i.issued_at DESC LIMIT 1
"""
# One row at least: from where to read on, the generation, and what changed since.
_CHANGES: Final = {
    "sqlite": """
        SELECT (SELECT COALESCE(MAX(id), 0) + 1 FROM capture_policychange),
               (SELECT epoch FROM policies_generation WHERE id = 1), c.id, c.subject
        FROM (SELECT 1) one LEFT JOIN capture_policychange c ON c.id >= %s LIMIT %s
    """,
    # What a transaction wrote that is open now will show under its number, or a later one.
    "postgresql": """
        SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
               (SELECT epoch FROM policies_generation WHERE id = 1), c.id, c.subject
        FROM (SELECT 1) one LEFT JOIN capture_policychange c ON c.position >= %s LIMIT %s
    """,
}
_ENVELOPE: Final = """
    SELECT envelope FROM capture_issuedpolicy WHERE device_id = %s AND etag = %s
    ORDER BY issued_at DESC LIMIT 1
"""
_NOTHING_YET: Final = 2**62


class Answer(NamedTuple):
    """The policy in force for a device, when that holds, and after how many looks it was read."""

    etag: str
    since: float
    until: float
    subject: str
    look: int


@dataclass(slots=True)
class _Halves:
    """A dict that forgets what is older than one turn, at the latest after two."""

    seconds: float
    new: dict[str, Any] = field(default_factory=dict)
    old: dict[str, Any] = field(default_factory=dict)
    turned: float = 0.0

    def turn(self, now: float) -> None:
        if now - self.turned >= self.seconds:
            self.old, self.new, self.turned = self.new, {}, now


@dataclass(slots=True)
class _Memory:
    """What this process read, and how far. `looks` numbers the readings of what changed."""

    answers: _Halves = field(default_factory=lambda: _Halves(_TURN_ANSWERS))
    # The number of the look that found a person changed.
    marks: _Halves = field(default_factory=lambda: _Halves(_TURN_MARKS))
    looks: int = 0
    # What was read before this look counts no more.
    floor: int = 0
    read_at: float = -_IDLE_SECONDS
    position: int | None = None
    generation: int | None = None
    seen: frozenset[int] = frozenset()
    reading: threading.Lock = field(default_factory=threading.Lock)


_memory = _Memory()


def remembered(device: str) -> str | None:
    """Return the same as `etag`, where nothing needs to be read for it."""
    memory = _memory
    if time.monotonic() - memory.read_at >= LOOK_SECONDS:
        return None
    known = _known(memory, device)
    return known.etag if known else None


def etag(device: str) -> str | None:
    """Return the ETag of the policy that a device, by its id, has in force; None: ask elsewhere."""
    memory = _memory
    try:
        if not _is_up_to_date(memory):
            return None
        known = _known(memory, device) or _learn(memory, device)
    except DatabaseError:
        forget()
        return None
    return known.etag if known else None


def envelope(device: str, etag: str) -> bytes | None:
    """Return the signed bytes of a policy that is in force for a device."""
    try:
        found = sql.row(_ENVELOPE, [UUID(device), etag], as_octets=True)
    except DatabaseError:
        forget()
        return None
    return bytes(found[0]) if found else None


def forget() -> None:
    """Know nothing any more."""
    global _memory  # noqa: PLW0603 - one memory for each process.
    _memory = _Memory()


def _known(memory: _Memory, device: str) -> Answer | None:
    answers, marks = memory.answers, memory.marks
    known: Answer | None = answers.new.get(device) or answers.old.get(device)
    if known is None:
        return None
    _, since, until, subject, look = known
    mark = marks.new.get(subject) or marks.old.get(subject, 0)
    is_so = look >= memory.floor and look >= mark and since <= time.time() < until
    return known if is_so else None


def _learn(memory: _Memory, device: str) -> Answer | None:
    look = memory.looks
    found = sql.row(LATEST, [UUID(device), timezone.now()])
    if found is None:
        return None
    issued, expires = sql.moment(found[1]), sql.moment(found[2])
    until = min(issued + RENEW, expires).timestamp()
    known = Answer(found[0], issued.timestamp(), until, found[3], look)
    memory.answers.new[device] = known
    return known if known.since <= time.time() < known.until else None


def _is_up_to_date(memory: _Memory) -> bool:
    """Read what changed when that is due; False when it is too long ago all the same."""
    if time.monotonic() - memory.read_at >= LOOK_SECONDS and memory.reading.acquire(blocking=False):
        try:
            _look(memory)
        finally:
            memory.reading.release()
    return time.monotonic() - memory.read_at < STALE_SECONDS


def _look(memory: _Memory) -> None:
    now = time.monotonic()
    begins_anew = memory.position is None or now - memory.read_at >= _IDLE_SECONDS
    position = _NOTHING_YET if begins_anew else memory.position
    found = sql.rows(_CHANGES[connection.vendor], [position, _MOST_CHANGES])
    changed: dict[int, str] = {number: who for _, _, number, who in found if number is not None}
    look = memory.looks + 1
    memory.answers.turn(now)
    memory.marks.turn(now)
    memory.marks.new.update({who: look for n, who in changed.items() if n not in memory.seen})
    if begins_anew or found[0][1] != memory.generation or len(found) >= _MOST_CHANGES:
        memory.floor = look
    # On PostgreSQL the same rows come again while an older transaction is open.
    memory.seen = frozenset(changed)
    memory.position = max(found[0][0], memory.position or 0)
    memory.generation = found[0][1]
    # Last: what is read from here on is newer than what was looked at.
    memory.looks = look
    memory.read_at = now
