"""One record of captured events in, the same record without anyone in it out.

Promise: the number, order and kinds of events stay; what identifies someone is gone from every leaf
of the record; a second look at the result finds nothing, or `RedactionError` is raised and the
caller quarantines the record. Deterministic. What it leaves to others: which events may be kept at
all (capture), and facts about people that name no one (capture policies).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from governance.redaction import rewriting, texts
from governance.redaction.directory import Directory, Employee
from governance.redaction.engine import VERSION, Deadline, Detector, patterns_sha256
from governance.redaction.errors import ResidueError
from governance.redaction.events import Event
from governance.redaction.keystrokes import Findings, Reconstruction
from governance.redaction.schema import KeyPress, TextInput
from governance.redaction.strokes import steps_of

# Well under a job's lease of 60 seconds; an honest full batch takes two at most.
DEFAULT_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class RedactionContext:
    """What an organisation knows that a pattern cannot: its people, its numbers, its policy."""

    directory: tuple[Employee, ...] = ()
    employee_number: str | None = None
    policy_digest: str = ""
    seconds: float = DEFAULT_SECONDS


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted record; counts are entities by type, provenance says by what and never of whom."""

    events: list[Event]
    counts: dict[str, int]
    provenance: dict[str, str]


@lru_cache(maxsize=4)
def _detector(directory: tuple[Employee, ...], employee_number: str | None) -> Detector:
    return Detector(Directory(directory), employee_number=employee_number)


@lru_cache(maxsize=1)
def _patterns_digest() -> str:
    return patterns_sha256()


def redact(events: Sequence[Event], *, context: RedactionContext) -> Redacted:
    """Return the record redacted. Raises `RedactionError` when it cannot be made safe in time."""
    deadline = Deadline.after(context.seconds)
    detector = _detector(context.directory, context.employee_number)
    counts: Counter[str] = Counter()
    values: set[str] = set()
    current = list(events)
    for _ in range(texts.ROUNDS):
        findings = _search(current, detector, deadline, known=values)
        if not findings.counts:
            break
        counts.update(findings.counts)
        values |= findings.values
        current = rewriting.write_back(current, findings)
        deadline.check()
    else:
        raise ResidueError
    current = rewriting.clean_labels(current, detector, values=values, counts=counts)
    stored = rewriting.to_stored_form(current)
    if _search(stored, detector, deadline, known=values).counts:
        raise ResidueError
    return Redacted(
        events=stored,
        counts=dict(sorted(counts.items())),
        provenance={
            "version": VERSION,
            "patterns_sha256": _patterns_digest(),
            "policy_digest": context.policy_digest,
        },
    )


def _search(
    events: list[Event], detector: Detector, deadline: Deadline, *, known: set[str]
) -> Findings:
    """Rebuild the fields and look at them; a later round sees what the earlier ones wrote."""
    if not any(isinstance(event, KeyPress | TextInput) for event in events):
        return Findings()
    reconstruction = Reconstruction()
    reconstruction.feed(steps_of(events), deadline)
    return reconstruction.search(detector, deadline, known=known)
