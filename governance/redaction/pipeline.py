"""One record of captured events in, the same record without anyone in it out.

Promise: the number, order and kinds of events stay; what identifies someone is gone from every leaf
of the record; a second look at the result finds nothing, or `RedactionError` is raised and the
caller quarantines the record. Deterministic. What it leaves to others: which events may be kept at
all (capture), and facts about people that name no one (capture policies).
"""

import gc
import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from governance.redaction import canaries, ner, rewriting, texts
from governance.redaction.directory import Directory, Employee
from governance.redaction.engine import VERSION, Deadline, Detector, patterns_sha256
from governance.redaction.errors import ResidueError
from governance.redaction.events import Event
from governance.redaction.findings import Shown
from governance.redaction.keystrokes import Findings, Reconstruction
from governance.redaction.picturing import SECONDS_EACH, Pictures
from governance.redaction.schema import KeyPress, ScreenFrame, TextInput
from governance.redaction.screens import vocabulary
from governance.redaction.strokes import steps_of

# Well under a job's lease of 60 seconds; an honest full batch takes two at most.
DEFAULT_SECONDS: Final = 20.0
# Changes when pictures would be painted otherwise.
SCREENS_VERSION: Final = "remit-screens/1"


@dataclass(frozen=True, slots=True)
class RedactionContext:
    """What an organisation knows that a pattern cannot: its people, its numbers, its policy."""

    directory: tuple[Employee, ...] = ()
    employee_number: str | None = None
    policy_digest: str = ""
    seconds: float = field(default_factory=lambda: DEFAULT_SECONDS)
    # What a run's canaries follow from; its batch, so that no two runs have the same.
    seed: str = ""
    # Where the model lies that reads names as well (profile full); None for the profile fast.
    model: Path | None = None


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted record; counts are entities by type, provenance says by what and never of whom.

    `refused` counts pictures that could not be taken, by reason; their events are gone.
    """

    events: list[Event]
    counts: dict[str, int]
    provenance: dict[str, object]
    refused: dict[str, int] = field(default_factory=dict)
    shown: frozenset[Shown] = field(default=frozenset(), repr=False)
    # The applications that told of somebody's health, belief and the like (GDPR 9, 10).
    sensitive: frozenset[str] = field(default=frozenset(), repr=False)


@lru_cache(maxsize=4)
def _detector(
    directory: tuple[Employee, ...], employee_number: str | None, model: Path | None
) -> Detector:
    detector = Detector(
        Directory(directory),
        employee_number=employee_number,
        model=_model(model) if model else None,
    )
    detector.spans("Warm", role="document")
    # Lists of words by the ten thousand, which live as long as the process: looking through them
    # for garbage again and again is a tenth of all work.
    gc.collect()
    gc.freeze()
    return detector


@lru_cache(maxsize=1)
def _model(files: Path) -> ner.Model:
    return ner.Model(files)


@lru_cache(maxsize=2)
def recipe(*, with_model: bool = False, employee_number: str | None = None) -> str:
    """Return the digest of what decides what is removed, from text and from pictures.

    What was redacted by another recipe is redacted again (capture.rereading).
    """
    digest = hashlib.sha256(patterns_sha256().encode())
    digest.update(vocabulary.digest_part())
    digest.update(SCREENS_VERSION.encode())
    if with_model:
        digest.update(ner.digest_part())
    if employee_number:
        digest.update(employee_number.encode())
    return digest.hexdigest()


def redact(
    events: Sequence[Event],
    *,
    context: RedactionContext,
    blobs: Mapping[str, bytes] | None = None,
    known: Collection[str] = (),
) -> Redacted:
    """Return the record redacted; `blobs` are the pictures its events name, `known` values go too.

    Raises `RedactionError` when it cannot be made safe in time.
    """
    pictures = Pictures(events, blobs or {})
    deadline = Deadline.after(context.seconds + SECONDS_EACH * pictures.number)
    detector = _detector(context.directory, context.employee_number, context.model)
    counts: Counter[str] = Counter()
    values = set(known)
    said = Findings()
    current = _without_text(
        list(events), detector, deadline, counts=counts, values=values, said=said
    )
    for _ in range(texts.ROUNDS if pictures.number else 0):
        # One register for all: what a picture shows goes from the text, and the other way round.
        found = pictures.paint(detector, deadline, known=values) - values
        if not found:
            break
        values |= found
        current = _without_text(
            current, detector, deadline, counts=counts, values=values, said=said
        )
    current = pictures.written(current)
    counts.update(pictures.counts)
    current = rewriting.clean_labels(
        current, detector, values=values, counts=counts, shown=said.shown
    )
    stored = rewriting.to_stored_form(current)
    if _search(stored, detector, deadline, known=values).counts:
        raise ResidueError
    return Redacted(
        events=stored,
        counts=dict(sorted(counts.items())),
        provenance=_provenance(stored, detector, context),
        refused=dict(sorted(pictures.refused.items())),
        shown=frozenset(said.shown | pictures.shown()),
        sensitive=frozenset(said.sensitive | pictures.sensitive),
    )


def _without_text(
    events: list[Event],
    detector: Detector,
    deadline: Deadline,
    *,
    counts: Counter[str],
    values: set[str],
    said: Findings,
) -> list[Event]:
    """Return the events without what their text says of anyone; add to the last three."""
    for _ in range(texts.ROUNDS):
        findings = _search(events, detector, deadline, known=values)
        said.sensitive |= findings.sensitive
        if not findings.counts:
            return events
        counts.update(findings.counts)
        values |= findings.values
        said.shown |= findings.shown
        events = rewriting.write_back(events, findings)
        deadline.check()
    raise ResidueError


def _provenance(
    events: Sequence[Event], detector: Detector, context: RedactionContext
) -> dict[str, object]:
    """Return by what the record was redacted, and how well that finds what was planted."""
    provenance: dict[str, object] = {
        "version": VERSION,
        "patterns_sha256": recipe(
            with_model=context.model is not None, employee_number=context.employee_number
        ),
        "policy_digest": context.policy_digest,
    }
    if any(isinstance(event, KeyPress | TextInput | ScreenFrame) for event in events):
        planted = canaries.run(detector, context.seed)
        provenance["canaries"] = {"planted": planted.planted, "found": planted.found}
    return provenance


def _search(
    events: list[Event], detector: Detector, deadline: Deadline, *, known: set[str]
) -> Findings:
    """Rebuild the fields and look at them; a later round sees what the earlier ones wrote."""
    if not any(isinstance(event, KeyPress | TextInput) for event in events):
        return Findings()
    reconstruction = Reconstruction()
    reconstruction.feed(steps_of(events), deadline)
    return reconstruction.search(detector, deadline, known=known)
