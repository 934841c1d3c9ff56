"""Says of each opened event whether it may stay, and counts by reason what may not.

Promise: an event stays only where its batch declared it, where consent, policy and pauses allow its
own time and now, and where its patterns are listed. The rules are `decisions.decide_cell`; it is
asked once for each span in which nothing changes, since between two changes it says the same.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from governance.capture import cells, sealed_batch
from governance.decisions import CellFacts, Deny, Reason, decide_cell
from governance.redaction import events as wire

_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# By type: the leaf that names a pattern, and where a policy lists such.
_PATTERN_LEAVES: Final = {
    kind: (leaf, patterns)
    for leaf, patterns in (("title_pattern", "titles"), ("url_pattern", "urls"))
    for kind, struct in wire.TYPES.items()
    if leaf in struct.__struct_fields__
}


class Judge:
    """Judges the events of one batch, each once."""

    def __init__(
        self,
        header: sealed_batch.Header,
        person: cells.PersonCells,
        *,
        received: datetime,
        now: datetime,
    ) -> None:
        """Take what was declared and what is true of the person; agent time ends at `received`."""
        self.refused: Counter[str] = Counter()
        self._cells = {
            (frame.application, frame.category): _Cell(
                frame,
                person.facts(frame.application, frame.category),
                received=received,
                now=now,
            )
            for frame in header.frames
        }
        self._applications = {frame.application for frame in header.frames}
        self._sequence = range(header.seq_from, header.seq_to + 1)
        self._policy_digest = header.policy_digest
        self._seen: set[int] = set()
        self._person = person

    def kept(self, events: Iterable[wire.Event]) -> list[wire.Event]:
        """Return the events that stay, in their order; count of the others why not."""
        stay = []
        for event in events:
            reason = self._refusal(event)
            if reason is None:
                stay.append(event)
            else:
                self.refused[reason] += 1
        return stay

    def _refusal(self, event: wire.Event) -> str | None:
        seq = event.seq
        if seq not in self._sequence or seq in self._seen:
            return Reason.NOT_DECLARED.value
        self._seen.add(seq)
        category = wire.category_of(event)
        if category is None:
            return None if self._is_declared(event) else Reason.NOT_DECLARED.value
        cell = self._cells.get((event.app, category))
        if cell is None:
            return Reason.NOT_DECLARED.value
        pattern = _PATTERN_LEAVES.get(event.type)
        return cell.refusal(event.t_ns) or (pattern and self._unlisted(event, *pattern))

    def _is_declared(self, event: wire.Event) -> bool:
        """Tell whether session control is of this batch; any other digest could be of anything."""
        digest = getattr(event, "policy_digest", self._policy_digest)
        return event.app in self._applications and digest == self._policy_digest

    def _unlisted(self, event: wire.Event, leaf: str, patterns: str) -> str | None:
        """Refuse a pattern id that the active policy does not list."""
        value = getattr(event, leaf)
        listed = getattr(self._person.policies[event.app].content, patterns)
        if value is not None and value not in {pattern.id for pattern in listed}:
            return Reason.PATTERN_NOT_LISTED.value
        return None


class _Cell:
    """One declared cell: the time it was declared for, and what the rules say of each moment."""

    def __init__(
        self,
        declared: sealed_batch.DeclaredFrame,
        facts: CellFacts,
        *,
        received: datetime,
        now: datetime,
    ) -> None:
        self._first, self._last = declared.t_min, declared.t_max
        self._facts = facts
        self._received = _microseconds(received)
        self._now = now
        spans = (*facts.consent, *facts.policy, *facts.pauses, *facts.place, *facts.told)
        edges = {edge for span in spans for edge in (span.start, span.end) if edge is not None}
        self._edges = sorted(map(_microseconds, edges))
        # By how many edges lie behind a moment: spans are half-open, so an edge belongs to what
        # it begins.
        self._verdicts: dict[int, str | None] = {}

    def refusal(self, t_ns: int) -> str | None:
        """Return why an event of this time may not stay, or None."""
        if not self._first <= t_ns <= self._last:
            return Reason.OUTSIDE_DECLARED_TIME.value
        # Agent time is bounded by receipt time.
        at = min(t_ns // 1000, self._received)
        behind = bisect_right(self._edges, at)
        if behind not in self._verdicts:
            verdict = decide_cell(self._facts, at=_START + at * _MICROSECOND, now=self._now)
            self._verdicts[behind] = verdict.reason.value if isinstance(verdict, Deny) else None
        return self._verdicts[behind]


def _microseconds(at: datetime) -> int:
    return (at - _START) // _MICROSECOND
