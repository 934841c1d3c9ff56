"""From kept outcomes to numbered events: packed pointer paths, wall time, explained gaps.

Promises: numbers start at 0 and have no holes; whatever was left out stands as one `capture.gap`
of one number, however much it was, with the times of the events around it and never its own, so
that a gap tells neither rhythm nor amount. Time is start + t / speed (decisions 32).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from remit_agent.filter import Kept, LeftOut, Outcome
from remit_agent.keyboard import Body

MAX_PATH_POINTS: Final = 512
MAX_PATH_PAUSE_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Numbered:
    """An event as it is sent; no category is session control."""

    category: str | None
    event: Body
    picture: bytes | None = None

    @property
    def t_ns(self) -> int:
        """Its wall time."""
        return int(str(self.event["t_ns"]))


@dataclass(frozen=True, slots=True)
class Timeline:
    """Maps recording time to wall time."""

    start_ns: int
    speed: float = 1.0

    def wall(self, t_ns: int) -> int:
        """Return the wall time of a moment of the recording."""
        return self.start_ns + int(t_ns / self.speed)


@dataclass(slots=True)
class Session:
    """The numbering of one capture session. `copy` lets a refused batch be numbered again."""

    timeline: Timeline
    next_seq: int = 0
    last_ns: int | None = None
    policy_digest: str | None = None
    gaps: dict[str, set[str]] = field(default_factory=dict)

    def copy(self) -> "Session":
        """Return an independent copy of the state."""
        gaps = {reason: set(sources) for reason, sources in self.gaps.items()}
        return Session(self.timeline, self.next_seq, self.last_ns, self.policy_digest, gaps)

    def number(
        self, outcomes: Iterable[Outcome], *, policy_digest: str, is_last: bool = False
    ) -> list[Numbered]:
        """Return the events of one stretch; none when nothing of it was kept."""
        numbered: list[Numbered] = []
        denied: set[str] = set()
        for outcome in pack_paths(outcomes):
            if isinstance(outcome, LeftOut):
                gaps = denied if outcome.reason == "category_denied" else None
                (self.gaps.setdefault(outcome.reason, set()) if gaps is None else gaps).add(
                    outcome.source
                )
                continue
            numbered.extend(self._event(outcome, policy_digest))
        if numbered:
            numbered.extend(self._closing(numbered, denied, is_last=is_last))
        elif denied:
            self.gaps.setdefault("category_denied", set()).update(denied)
        return numbered

    def _event(self, kept: Kept, policy_digest: str) -> Iterator[Numbered]:
        wall = self.timeline.wall(kept.t_ns)
        since = self.last_ns if self.last_ns is not None else wall
        if self.policy_digest != policy_digest:
            self.policy_digest = policy_digest
            announced: Body = {"type": "capture.policy", "policy_digest": policy_digest}
            yield self._numbered(None, kept.application, wall, announced)
        for reason in sorted(self.gaps):
            yield self._gap(kept.application, reason, self.gaps[reason], (min(since, wall), wall))
        self.gaps.clear()
        body = kept.body
        if "points" in body:
            body = body | {"points": self._relative(kept)}
        self.last_ns = wall
        numbered = self._numbered(kept.category, kept.application, wall, body, kept.quantum_ns)
        yield replace(numbered, picture=kept.picture)

    def _closing(
        self, numbered: Sequence[Numbered], denied: set[str], *, is_last: bool
    ) -> Iterator[Numbered]:
        """Yield the gaps of a stretch that no later event will explain."""
        application = str(numbered[-1].event["app"])
        span = (numbered[0].t_ns, max(each.t_ns for each in numbered))
        if denied:
            yield self._gap(application, "category_denied", denied, span)
        if is_last:
            for reason in sorted(self.gaps):
                yield self._gap(application, reason, self.gaps[reason], (span[1], span[1]))
            self.gaps.clear()

    def _gap(
        self, application: str, reason: str, sources: set[str], span: tuple[int, int]
    ) -> Numbered:
        body: Body = {
            "type": "capture.gap",
            "from_seq": self.next_seq,
            "to_seq": self.next_seq,
            "t_from": span[0],
            "t_to": span[1],
            "sources": sorted(sources),
            "reason": reason,
        }
        return self._numbered(None, application, span[1], body)

    def _numbered(
        self, category: str | None, application: str, wall: int, body: Body, quantum_ns: int = 1
    ) -> Numbered:
        head: Body = {"seq": self.next_seq, "t_ns": wall - wall % quantum_ns, "app": application}
        self.next_seq += 1
        return Numbered(category, head | body)

    def _relative(self, kept: Kept) -> list[list[int]]:
        """Return [dt_ms, dx, dy] steps; times rounded from the start, so errors do not add up."""
        steps: list[list[int]] = []
        x, y, at_ms = int(str(kept.body["x"])), int(str(kept.body["y"])), 0
        start = self.timeline.wall(kept.t_ns)
        points = kept.body["points"]
        for t_ns, to_x, to_y in points if isinstance(points, list) else []:
            now_ms = (self.timeline.wall(t_ns) - start) // 1_000_000
            steps.append([now_ms - at_ms, to_x - x, to_y - y])
            x, y, at_ms = to_x, to_y, now_ms
        return steps


def pack_paths(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Yield the outcomes with runs of pointer moves packed into `mouse.path` (98 % of a recording).

    Until numbered, a path's points are absolute (t_ns, x, y). What breaks a run is another event,
    another application, a pause, or something left out for more than its category.
    """
    run: list[Kept] = []
    for outcome in outcomes:
        if isinstance(outcome, Kept) and _continues(run, outcome):
            run.append(outcome)
            continue
        if isinstance(outcome, LeftOut) and outcome.reason == "category_denied":
            yield outcome
            continue
        if run:
            yield _path(run)
        run = [outcome] if isinstance(outcome, Kept) and _is_move(outcome) else []
        if not run:
            yield outcome
    if run:
        yield _path(run)


def _is_move(kept: Kept) -> bool:
    return kept.body["type"] == "mouse.move"


def _continues(run: Sequence[Kept], kept: Kept) -> bool:
    return (
        bool(run)
        and _is_move(kept)
        and kept.application == run[-1].application
        and kept.t_ns - run[-1].t_ns <= MAX_PATH_PAUSE_NS
        and len(run) <= MAX_PATH_POINTS
    )


def _path(run: Sequence[Kept]) -> Kept:
    first = run[0]
    if len(run) == 1:
        return first
    points = [(each.t_ns, each.body["x"], each.body["y"]) for each in run[1:]]
    place: Body = {"x": first.body["x"], "y": first.body["y"]}
    return Kept(
        t_ns=first.t_ns,
        application=first.application,
        category=first.category,
        body={"type": "mouse.path", "points": points} | place,
    )
