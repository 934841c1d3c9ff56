"""Strikes an operation at each of its points in turn, lets the world go on, and judges.

Struck is: killed, or stopped until somebody else has done something. Runs in a process of its own
(`python -m tests.faults`), on file databases and real commits.
"""

import contextlib
import gc
import itertools
import json
import os
import pickle
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from audit import health, sequencer
from governance.jobs import doorbell
from governance.jobs.models import Job, JobState
from tests.faults import observing, operations, races, syscalls
from tests.faults.crashpoints import Points, die, ended, forked, watched
from tests.faults.history import History
from tests.faults.invariants import check_invariants
from tests.faults.laboratory import Laboratory, close
from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.operations import MEETINGS, OPERATIONS, Operation, World
from tests.faults.probes import PROBE

_HONEST = Mutant("", "")
# How long somebody else may sleep, all in all, before they are taken to wait for a lock.
_PATIENCE_SECONDS = 0.4
_LOOK_SECONDS = 0.002


@dataclass(slots=True)
class Result:
    """What an enumeration found."""

    name: str
    points: int
    struck: int = 0
    # How many different statements, COMMITs and file effects the points are.
    kinds: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


class Enumeration:
    """Operations to be struck at their points, with or without a planted bug."""

    def __init__(self, lab: Laboratory, folder: Path) -> None:
        self._lab = lab
        self._folder = folder
        self._log = folder / "child.log"
        self._history = History(folder / "history.jsonl")
        self._world: World | None = None
        self._kept: dict[str, World] = {}
        self.mutant = _HONEST

    def lay(self) -> None:
        """Make the house in databases whose tables are laid."""
        self._lab.lay()
        _turn(self._history)
        self._world = operations.base()
        _turn(self._history)
        # Whoever is forked from here finds everything loaded that judging takes.
        observing.observe([], again=_again, look_closely=True)
        # A collection in a fork would touch, and so copy, every page that it shares with this one.
        gc.collect()
        gc.freeze()
        self._lab.keep("base")

    def at_the_base(self) -> World:
        """Bring back the house as it was laid."""
        assert self._world is not None
        self._lab.bring_back("base")
        return self._world.copy()

    def prepared(self, operation: Operation) -> World:
        """Return the world right before the operation; the first time, make and keep it."""
        if operation.name not in self._kept:
            self._lab.bring_back("base")
            made = self._folder / "world.pickle"
            assert self._world is not None
            copy = self._world.copy()

            def prepare() -> None:
                operation.prepare(copy)
                made.write_bytes(pickle.dumps(copy))

            if ended(forked(prepare, log=self._log)) != "done":
                raise RuntimeError(self._log.read_text())
            self._lab.keep(operation.name)
            self._kept[operation.name] = pickle.loads(made.read_bytes())
        self._history.clear()
        return self._kept[operation.name]

    def undisturbed(self, operation: Operation) -> tuple[list[str], list[str]]:
        """Let the operation come to its end; return the points it passed, and what is wrong."""
        listed = self._folder / "labels.json"
        world = self.prepared(operation)
        self._lab.bring_back(operation.name)

        def run() -> None:
            points = Points()
            self._act(operation, world, points)
            listed.write_text(json.dumps(points.labels))

        if ended(forked(run, log=self._log)) != "done":
            raise RuntimeError(self._log.read_text())
        labels: list[str] = json.loads(listed.read_text())
        return labels, self._afterwards(operation, world, closely=True)

    def killed(self, operation: Operation, point: int) -> list[str]:
        """Kill the operation at a point; return what is wrong afterwards."""
        world = self.prepared(operation)
        self._lab.bring_back(operation.name)
        points = Points(at=point, do=die)
        how = ended(forked(lambda: self._act(operation, world, points), log=self._log))
        if how == "failed":
            return [f"the operation failed: {self._log.read_text()[-2000:]}"]
        self._history.add("crash", point=point, killed=how == "killed")
        self._lab.wait_for_the_dead()
        return self._afterwards(operation, world, closely=point % 10 == 0)

    def system_calls(self, operation: Operation) -> list[str]:
        """Let the operation come to its end; return its system calls that write."""
        world = self.prepared(operation)
        self._lab.bring_back(operation.name)
        return syscalls.listed(lambda: operation.act(world, self._history), log=self._log)

    def killed_at_a_call(self, operation: Operation, number: int) -> list[str]:
        """Kill the operation as it enters a system call; return what is wrong afterwards."""
        world = self.prepared(operation)
        self._lab.bring_back(operation.name)
        syscalls.killed_at(lambda: operation.act(world, self._history), number, log=self._log)
        self._history.add("crash", point=number)
        return self._afterwards(operation, world, closely=number % 10 == 0)

    def met(self, operation: Operation, meanwhile: operations.Step, point: int) -> list[str]:
        """Stop the operation at a point while somebody else acts; return what is wrong after."""
        world = self.prepared(operation)
        self._lab.bring_back(operation.name)
        here, there = os.pipe()
        resumed, resume = os.pipe()

        def pause() -> None:
            os.write(there, b"x")
            os.read(resumed, 1)

        points = Points(at=point, do=pause)
        first = forked(lambda: self._act(operation, world, points), log=self._log)
        os.close(there)
        os.read(here, 1)  # It stands at the point, or it has ended.
        second = forked(lambda: self._meet(meanwhile, world), log=self._log)
        second_ended = _wait(second, seconds=_PATIENCE_SECONDS)
        os.write(resume, b"x")
        outcomes = [ended(first), second_ended or ended(second)]
        for descriptor in (here, resumed, resume):
            os.close(descriptor)
        if "failed" in outcomes:
            return [f"one of the two failed: {self._log.read_text()[-2000:]}"]
        return self._afterwards(operation, world, closely=False)

    def _meet(self, meanwhile: operations.Step, world: World) -> None:
        self.mutant.plant()
        meanwhile(world, self._history)

    def _act(self, operation: Operation, world: World, points: Points) -> None:
        self.mutant.plant()
        with watched(points):
            operation.act(world, self._history)
            points.passes("the end")

    def _afterwards(self, operation: Operation, world: World, *, closely: bool) -> list[str]:
        found = self._folder / "found.json"

        def recover() -> None:
            self.mutant.plant()
            crashes = [event for event in self._history.read() if event.what == "crash"]
            # Every other client never asks again; then it must be all or nothing without them.
            if crashes and (operation.comes_round or crashes[0].facts["point"] % 2):
                operation.next(world, self._history)
            if self.mutant.sweeps:
                operations.recover()
            _turn(self._history)
            history = self._history.read()
            state = observing.observe(history, again=_again, look_closely=closely)
            found.write_text(json.dumps(check_invariants(history, state)))

        found.unlink(missing_ok=True)
        if ended(forked(recover, log=self._log)) != "done":
            return [f"the recovery failed: {self._log.read_text()[-2000:]}"]
        violations: list[str] = json.loads(found.read_text())
        return violations


def _wait(pid: int, *, seconds: float) -> str | None:
    """Return how a child ended, or None when it slept for so long; not while it wants to run."""
    stat, slept = Path(f"/proc/{pid}/stat"), 0.0
    while slept < seconds:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return "done" if status == 0 else "failed"
        began = time.monotonic()
        time.sleep(_LOOK_SECONDS)
        if stat.read_text().rpartition(")")[2].split()[0] == "S":
            slept += time.monotonic() - began
    return None


def _turn(history: History) -> None:
    """Sequence and publish; note the head that clients see."""
    with sequencer.opened() as log:
        log.turn()
        history.add("checkpoint", size=log.size, root=log.root(log.size).hex())
    health.forget()


def _again() -> None:
    """Do every job once more, as a worker would that never learnt it was done."""
    done = Job.objects.filter(state=JobState.DONE).exclude(kind=PROBE)
    done.update(state=JobState.READY, attempts=0)
    operations.settle()


def chosen(labels: Sequence[str], sample: int | None) -> list[int]:
    """Return all points, or some: first one of each kind, by turns with where something is true."""
    every = list(range(len(labels)))
    if sample is None or sample >= len(every):
        return every
    source = random.Random(len(every))
    source.shuffle(every)
    one_each = dict(reversed([(labels[point], point) for point in every]))
    true = [at for label, at in one_each.items() if "COMMIT" in label or "file:" in label]
    others = [at for at in one_each.values() if at not in true]
    by_turns = itertools.chain.from_iterable(itertools.zip_longest(true, others))
    ordered = dict.fromkeys([*(at for at in by_turns if at is not None), *every])
    return sorted(itertools.islice(ordered, sample))


@contextlib.contextmanager
def laid() -> Iterator[Enumeration]:
    """Give an enumeration on databases of its own."""
    health._HEARTBEAT_STALE = timedelta(days=1)  # type: ignore[misc]
    doorbell._bells.clear()
    folder = Path(settings.REMIT_VAR).with_name("laboratory")
    folder.mkdir()
    lab = Laboratory(folder)
    try:
        enumeration = Enumeration(lab, folder)
        enumeration.lay()
        yield enumeration
    finally:
        lab.clear()
        close()


def strike(
    enumeration: Enumeration, name: str, *, sample: int | None, of_each: bool = False
) -> Result:
    """Kill an operation, or let it meet another, at its points; the name says which.

    `of_each`: at one of each statement, COMMIT and file effect at least, however small the sample.
    """
    started = time.monotonic()
    operation, meanwhile = _of(name)
    labels, found = enumeration.undisturbed(operation)
    result = Result(name, len(labels))
    result.violations += [f"{name} without any fault: {each}" for each in found]
    result.kinds = len(set(labels))
    if sample is not None and of_each:
        sample = max(sample, result.kinds)
    for point in chosen(labels, sample):
        found = _struck(enumeration, operation, meanwhile, point)
        result.struck += 1
        result.violations += [f"{name} at {labels[point]} ({point}): {each}" for each in found]
    result.seconds = round(time.monotonic() - started, 2)
    return result


def catch(enumeration: Enumeration, name: str, *, sample: int) -> Result:
    """Plant a bug and look for it; stop at the first violation."""
    enumeration.mutant = MUTANTS[name]
    try:
        started = time.monotonic()
        operation, meanwhile = _of(enumeration.mutant.where)
        labels, found = enumeration.undisturbed(operation)
        result = Result(
            name, len(labels), violations=[f"without any fault: {one}" for one in found]
        )
        near = [at for at, label in enumerate(labels) if enumeration.mutant.near in label]
        for point in [*near[:sample], *chosen(labels, sample)]:
            if result.violations:
                break
            found = _struck(enumeration, operation, meanwhile, point)
            result.struck += 1
            result.violations += [f"at {labels[point]} ({point}): {each}" for each in found]
        result.seconds = round(time.monotonic() - started, 2)
        return result
    finally:
        enumeration.mutant = _HONEST


def _of(name: str) -> tuple[Operation, operations.Step | None]:
    if name in OPERATIONS:
        return OPERATIONS[name], None
    return MEETINGS[name]


def _struck(
    enumeration: Enumeration,
    operation: Operation,
    meanwhile: operations.Step | None,
    point: int,
) -> list[str]:
    if meanwhile is None:
        return enumeration.killed(operation, point)
    return enumeration.met(operation, meanwhile, point)


def race(enumeration: Enumeration, rounds: int, *, seed: int = 0, mutant: str = "") -> Result:
    """Race against withdrawals, in this process and its threads; with a bug when one is named."""
    started = time.monotonic()
    if mutant:
        MUTANTS[mutant].plant()
    tally = races.run(enumeration.at_the_base(), range(seed, seed + rounds))
    return Result(
        "races",
        points=tally.first,
        struck=tally.races,
        seconds=round(time.monotonic() - started, 2),
        violations=tally.escaped,
    )


def call_by_call(enumeration: Enumeration, name: str, *, sample: int | None = None) -> Result:
    """Kill an operation at its system calls, all or some."""
    started = time.monotonic()
    operation = OPERATIONS[name]
    calls = enumeration.system_calls(operation)
    result = Result(f"{name}, call by call", points=len(calls))
    for number in chosen(calls, sample):
        result.struck += 1
        found = enumeration.killed_at_a_call(operation, number)
        result.violations += [f"{name} at {calls[number]} ({number}): {one}" for one in found]
    result.seconds = round(time.monotonic() - started, 2)
    return result
