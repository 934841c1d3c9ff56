"""What must hold after any fault, whatever died: I1 to I14, over what clients saw and what is left.

Pure functions: `history` is what clients asked for and were answered, `state` what the store holds
once everything that was under way has come to an end. Each returns sentences; none means it holds.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Cell = tuple[str, str, str]
"""Subject, application, category."""

ENDED_BY_DELETION = {"superseded", "deleted", "erased"}
_CONFLICT = 409
VALID = {"ConsentGiven", "RenewedConsentGiven"}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a client did or was told, in the order of the clients' own clock."""

    what: str
    phase: str = "acked"
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    subject: str
    device: str
    digest: str
    entry: int


@dataclass(frozen=True, slots=True)
class Outcome:
    state: str
    accepted: int
    entry: int


@dataclass(frozen=True, slots=True)
class Job:
    kind: str
    ref: str
    state: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Frame:
    batch: str
    cell: Cell
    generation: int
    events: int
    entry: int
    is_live: bool
    # Oldest first; the last one counts.
    states: tuple[str, ...]
    has_bytes: bool
    # What a holder of every key that is left can make of it.
    opens: bool
    object_key: str
    # When its events happened, as the plaintext says; none when it does not open.
    times: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Key:
    kind: str
    owner: str
    scope: str
    generation: int
    epoch: int
    opens: bool


@dataclass(frozen=True, slots=True)
class SealKey:
    """What agents seal to: whether its private half is a file that belongs to the public one."""

    id: str
    is_destroyed: bool
    has_file: bool
    opens: bool


@dataclass(frozen=True, slots=True)
class Decision:
    subject: str
    purpose: str
    application: str
    category: str
    status: str
    entry: int


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    event: str
    verdict: str
    purpose: str
    act: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of a release: who is in it, under which cells, and whether it was called back."""

    release: str
    state: str
    purpose: str
    subject: str
    name: str
    object_key: str
    is_recalled: bool
    cells: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Order:
    subject: str
    cell: tuple[str, str] | None
    steps: tuple[str, ...]
    is_certified: bool


@dataclass(frozen=True, slots=True)
class Policy:
    device: str
    policy_epoch: int
    consent_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that is left, read by the tests' own eyes."""

    batches: Mapping[str, Batch]
    outcomes: Mapping[str, Outcome]
    sealed: Mapping[str, str]
    jobs: Sequence[Job]
    frames: Mapping[str, Frame]
    stray_blobs: Sequence[str]
    objects: frozenset[str]
    wanted_objects: frozenset[str]
    keys: Sequence[Key]
    seal_keys: Sequence[SealKey]
    generations: Mapping[tuple[str, str], int]
    buried: frozenset[str]
    journal: Sequence[tuple[str, str]]
    entries: Mapping[str, Entry]
    decisions: Sequence[Decision]
    # Subject, first and last nanosecond of what a person asked to forget.
    forgotten: Sequence[tuple[str, int, int]]
    files: Sequence[File]
    building: frozenset[str]
    orders: Sequence[Order]
    live_exports: frozenset[str]
    policies: Sequence[Policy]
    key_files: frozenset[int]
    epochs: frozenset[int]
    manifests: int
    # The sentence of the log's own deep check, empty when it found nothing.
    log_fault: str
    # Size -> root as the leaves in the database give them, for the sizes in the history.
    roots: Mapping[int, str]
    canaries: Sequence[str]
    # By table, before every job was run again and after it.
    digests: Mapping[str, str]
    digests_after_again: Mapping[str, str]

    def valid_purposes(self, cell: Cell, *, before: int | None = None) -> set[str]:
        """Return the purposes whose consent held for a cell (before an entry, or now)."""
        latest: dict[str, Decision] = {}
        for one in self.decisions:
            if (one.subject, one.application, one.category) == cell and (
                before is None or one.entry < before
            ):
                known = latest.get(one.purpose)
                if known is None or one.entry > known.entry:
                    latest[one.purpose] = one
        return {purpose for purpose, one in latest.items() if one.status in VALID}

    def erased(self) -> set[str]:
        """Return whose erasure was ordered."""
        return {order.subject for order in self.orders if order.cell is None}


History = Sequence[Event]
Sentences = Iterator[str]


def acked(history: History, what: str) -> list[Mapping[str, Any]]:
    """Return the facts of everything of a kind that a client was told is done."""
    return [event.facts for event in history if event.what == what and event.phase == "acked"]


def i1_acknowledged_is_there_once_and_ends(history: History, state: State) -> Sentences:
    """Every acknowledged batch is there, as it was sent, and came to an end."""
    jobs = {job.ref: job for job in state.jobs if job.kind == "capture:redact"}
    for facts in acked(history, "upload"):
        batch = state.batches.get(facts["batch"])
        if batch is None:
            yield f"batch {facts['batch']} was acknowledged and is not there"
        elif batch.digest != facts["digest"]:
            yield f"batch {facts['batch']} holds other bytes than were sent"
    yield from _told_otherwise(history, state)
    for key, batch in state.batches.items():
        job = jobs.get(key)
        if job is None:
            yield f"batch {key} has no job"
        ended = key in state.outcomes or (
            job is not None and job.state == "done" and key not in state.sealed
        )
        if not ended:
            yield f"batch {key} of {batch.subject} never came to an end"


def _told_otherwise(history: History, state: State) -> Sentences:
    last = {event.facts["batch"]: event for event in history if event.what == "upload"}
    for key, event in last.items():
        if event.phase == "refused" and event.facts["status"] == _CONFLICT and key in state.batches:
            yield f"batch {key} is there and its agent was told otherwise"


def i2_nothing_twice(history: History, state: State) -> Sentences:
    """No batch has two outcomes, no cell of a batch two frames, no frame a batch without end."""
    live = Counter((one.batch, one.cell) for one in state.frames.values() if one.is_live)
    yield from (f"{key} is stored {count} times" for key, count in live.items() if count > 1)
    first: Counter[str] = Counter()
    for key, frame in state.frames.items():
        outcome = state.outcomes.get(frame.batch)
        if outcome is None:
            yield f"frame {key} belongs to a batch without an outcome"
        elif frame.entry == outcome.entry:
            first[frame.batch] += frame.events
    for key, outcome in state.outcomes.items():
        if outcome.accepted != first[key]:
            yield f"batch {key}: {outcome.accepted} accepted, {first[key]} stored"
        if key in state.sealed and outcome.state != "quarantined":
            yield f"batch {key} ended and its original is kept"
    yield from _answered_twice(history)
    probes = sum(job.kind in {"probe:once", "probe:slow"} for job in state.jobs)
    effects = sum(entry.act == "probe" for entry in state.entries.values())
    if effects > probes:
        yield f"{probes} jobs had {effects} effects"


def _answered_twice(history: History) -> Sentences:
    entries: dict[str, set[str]] = {}
    for facts in acked(history, "upload"):
        entries.setdefault(facts["batch"], set()).add(facts.get("entry", ""))
    for batch, found in entries.items():
        if len(found) > 1:
            yield f"batch {batch} was acknowledged under {len(found)} entries"


def i3_nothing_after_a_withdrawal(history: History, state: State) -> Sentences:
    """No record was stored that no consent covered then; none is kept that none covers now."""
    for key, frame in state.frames.items():
        if not state.valid_purposes(frame.cell, before=frame.entry) and "stored" in frame.states:
            outcome = state.outcomes.get(frame.batch)
            if outcome is not None and outcome.entry == frame.entry:
                yield f"frame {key} was stored after the consent for it had ended"
        if frame.is_live and not state.valid_purposes(frame.cell):
            yield f"frame {key} lives on without consent"
        if _holds_forgotten(frame, state):
            yield f"frame {key} can be opened and holds what was to be forgotten"
    for facts in acked(history, "withdraw"):
        held = state.valid_purposes((facts["subject"], facts["application"], facts["category"]))
        if facts["purpose"] in held:
            yield f"the withdrawal of {facts['purpose']} was acknowledged and is not there"


def _holds_forgotten(frame: Frame, state: State) -> bool:
    return any(
        subject == frame.cell[0] and start <= at < end
        for subject, start, end in state.forgotten
        for at in frame.times
    )


def i4_no_byte_without_an_entry(history: History, state: State) -> Sentences:
    """Every use of a key stands under a committed entry that allows it, and so does every read."""
    opened = {entry for entry, _ in state.journal}
    for entry in opened:
        found = state.entries.get(entry)
        if found is None:
            yield f"a key was used under entry {entry}, which is not in the log"
        elif (found.event, found.verdict) != ("access:allowed", "allow"):
            yield f"a key was used under entry {entry}, a {found.event}"
    allowed = Counter(
        entry.purpose for entry in state.entries.values() if entry.event == "access:allowed"
    )
    # `got` counts what reached a client, also of reads that then failed.
    got = Counter(
        str(event.facts["purpose"]) for event in history if event.what == "read" and event.facts
    )
    for purpose, count in got.items():
        if count > allowed[purpose]:
            yield f"{count} reads for {purpose} and {allowed[purpose]} entries that allow one"


def i5_one_log(history: History, state: State) -> Sentences:
    """Every head anybody saw is a head of the log that is there now."""
    for facts in acked(history, "checkpoint"):
        if state.roots.get(facts["size"]) != facts["root"]:
            yield f"the head of {facts['size']} entries that a client saw is of another log"


def i6_the_log_is_whole(history: History, state: State) -> Sentences:
    """The log's deep check finds nothing."""
    if state.log_fault:
        yield state.log_fault


def i7_no_plaintext(history: History, state: State) -> Sentences:
    """No file holds captured words."""
    yield from (f"plaintext in {where}" for where in state.canaries)


def i8_erased_is_erased(history: History, state: State) -> Sentences:
    """Nothing of an erased person opens; an order is finished, in order, and says the truth."""
    for facts in acked(history, "erase"):
        if facts["subject"] not in state.erased():
            yield f"the erasure of {facts['subject']} was acknowledged and is not there"
    for subject in state.erased():
        yield from _left_of(subject, state)
    for order in state.orders:
        wanted = STATIONS[: len(order.steps)]
        if order.steps != wanted:
            yield f"the erasure of {order.subject} went {order.steps}"
        if len(order.steps) < len(STATIONS):
            yield f"the erasure of {order.subject} ({order.cell}) stopped at {order.steps[-1:]}"
        if order.cell is None and order.is_certified != ("Completed" in order.steps):
            yield f"the certificate of {order.subject} and the last step disagree"


STATIONS = (
    "Ordered",
    "Restricted",
    "KeyDestroyed",
    "ObjectsPurged",
    "RecipientsNotified",
    "Verified",
    "Completed",
)


def _left_of(subject: str, state: State) -> Sentences:
    if subject not in state.buried:
        yield f"{subject} is erased and the ledger does not know"
    yield from (f"a key of {subject} is left: {key}" for key in state.keys if key.owner == subject)
    for key, frame in state.frames.items():
        if frame.cell[0] == subject and (frame.is_live or frame.has_bytes or frame.opens):
            yield f"frame {key} of {subject} is left"
    yield from (
        f"a sealed batch of {subject}" for owner in state.sealed.values() if owner == subject
    )


def i9_recalled_is_recalled(history: History, state: State) -> Sentences:
    """No release holds whom no consent covers; what was called back is destroyed."""
    alive = {key.scope for key in state.keys if key.kind == "object"}
    for file in state.files:
        covered = all(
            file.purpose in state.valid_purposes((file.subject, *cell)) for cell in file.cells
        )
        ref = f"release/{file.release}/{file.name}"
        if not file.is_recalled and not covered:
            yield f"{ref} holds {file.subject} without consent and was not recalled"
        if file.is_recalled and (ref in alive or file.object_key in state.objects):
            yield f"{ref} was recalled and is still there"
        if not file.is_recalled and (ref not in alive or file.object_key not in state.objects):
            yield f"{ref} is published and cannot be opened"


def i10_nothing_waits(history: History, state: State) -> Sentences:
    """After recovery no job is open, and none was given up but what was meant to be."""
    poisoned = {facts["ref"] for facts in acked(history, "poison")}
    for job in state.jobs:
        if job.state not in {"done", "quarantined"}:
            yield f"{job.kind} {job.ref} is {job.state} after {job.attempts} attempts"
        elif job.state == "quarantined" and job.ref not in poisoned:
            yield f"{job.kind} {job.ref} was given up"


def i11_twice_is_once(history: History, state: State) -> Sentences:
    """Doing every job again changed nothing."""
    for table, digest in state.digests.items():
        if state.digests_after_again[table] != digest:
            yield f"running every job again changed {table}"


def i12_policies_only_advance(history: History, state: State) -> Sentences:
    """No device was handed an older policy or consent after a newer one."""
    seen: dict[str, Policy] = {}
    for policy in state.policies:
        before = seen.get(policy.device)
        if before is not None and (
            policy.policy_epoch < before.policy_epoch or policy.consent_epoch < before.consent_epoch
        ):
            yield f"device {policy.device} went back from {before} to {policy}"
        seen[policy.device] = policy


def i13_a_key_lives_with_what_it_opens(history: History, state: State) -> Sentences:
    """Live records open; keys of what ended are gone; every key that is left unwraps."""
    used = {(one.cell, one.generation) for one in state.frames.values() if one.is_live}
    ended = {
        (one.cell, one.generation)
        for one in state.frames.values()
        if one.states[-1:] and one.states[-1] in ENDED_BY_DELETION
    }
    for name, frame in state.frames.items():
        if frame.is_live and not frame.opens:
            yield f"live frame {name} does not open"
        if not frame.is_live and (frame.has_bytes or frame.opens):
            yield f"frame {name} ended and its bytes are left"
    for key in state.keys:
        if not key.opens:
            yield f"a key does not unwrap: {key}"
        yield from _needless(key, used, ended, state)
    yield from (f"ciphertext without a frame: {one}" for one in state.stray_blobs)
    yield from (f"an object that no row names: {one}" for one in _strays(history, state))
    yield from _of_seal_keys(history, state)
    if not state.epochs <= state.key_files:
        yield f"epochs {state.epochs - state.key_files} lost their file"
    if needless := {number for number in state.key_files if number < max(state.epochs, default=0)}:
        yield f"the key files of epochs {needless} are left"


def _of_seal_keys(history: History, state: State) -> Sentences:
    destroyed = {key.id for key in state.seal_keys if key.is_destroyed}
    for key in state.seal_keys:
        if key.is_destroyed and key.has_file:
            yield f"seal key {key.id} is destroyed and its file is left"
        if not key.is_destroyed and not key.opens:
            yield f"seal key {key.id} is offered or awaited and opens nothing"
    for facts in acked(history, "end seal keys"):
        if facts["gone"] not in destroyed:
            yield f"seal key {facts['gone']} was to be destroyed and is there"
        if facts["left"] in destroyed:
            yield f"seal key {facts['left']} was destroyed while batches waited for it"


def _strays(history: History, state: State) -> set[str]:
    """Return stored objects that no row names; a crash before the row may leave one (F05)."""
    if any(event.what == "crash" for event in history):
        return set()
    return set(state.objects - state.wanted_objects)


def _needless(
    key: Key, used: set[tuple[Cell, int]], ended: set[tuple[Cell, int]], state: State
) -> Sentences:
    if key.kind == "object":
        published = {f"release/{f.release}/{f.name}" for f in state.files if not f.is_recalled}
        known = published | {f"export/{ref}" for ref in state.live_exports}
        if key.scope not in known and key.scope.split("/")[1] not in state.building:
            yield f"the key of an object that is not published is left: {key.scope}"
    if key.kind != "cell":
        return
    application, _, category = key.scope.partition("/")
    place = ((key.owner, application, category), key.generation)
    if place in used:
        return
    if place in ended:
        yield f"the key of what was deleted is left: {place}"
    elif key.generation != state.generations.get((key.owner, key.scope)):
        yield f"the key of an empty generation is left: {place}"


def i14_the_rows_are_what_the_log_says(history: History, state: State) -> Sentences:
    """Rows and entries tell one story: as many of the one as of the other."""
    events = Counter(entry.event for entry in state.entries.values())
    stored = sum(
        entry.event == "capture:redacted" and entry.act == "store"
        for entry in state.entries.values()
    )
    ended = Counter(outcome.state for outcome in state.outcomes.values())
    tables = (
        ("capture:ingested", events["capture:ingested"], len(state.batches)),
        ("capture:redacted", stored, ended["done"] + ended["refused"]),
        ("capture:refused", events["capture:refused"], ended["quarantined"]),
        ("release:published", events["release:published"], state.manifests),
    )
    for event, said, there in tables:
        if said != there:
            yield f"the log tells of {said} {event}, the tables of {there}"
    private = (
        ("release:recalled", sum(file.is_recalled for file in state.files)),
        ("erasure:requested", len(state.erased())),
        ("erasure:completed", sum("Completed" in order.steps for order in state.orders)),
    )
    for event, there in private:
        # Nobody can open what concerned a person who was erased.
        if not events[event] <= there <= events[event] + events["private:told"]:
            yield f"the log tells of {events[event]} {event}, the tables of {there}"


Invariant = Callable[[History, State], Sentences]
ALL: Mapping[str, Invariant] = {
    "I1": i1_acknowledged_is_there_once_and_ends,
    "I2": i2_nothing_twice,
    "I3": i3_nothing_after_a_withdrawal,
    "I4": i4_no_byte_without_an_entry,
    "I5": i5_one_log,
    "I6": i6_the_log_is_whole,
    "I7": i7_no_plaintext,
    "I8": i8_erased_is_erased,
    "I9": i9_recalled_is_recalled,
    "I10": i10_nothing_waits,
    "I11": i11_twice_is_once,
    "I12": i12_policies_only_advance,
    "I13": i13_a_key_lives_with_what_it_opens,
    "I14": i14_the_rows_are_what_the_log_says,
}


def check_invariants(history: History, state: State) -> list[str]:
    """Return every violation, each beginning with the name of the invariant that it breaks."""
    return [
        f"{name}: {sentence}" for name, holds in ALL.items() for sentence in holds(history, state)
    ]
