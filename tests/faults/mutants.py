"""Bugs planted on purpose: a harness that does not find them finds nothing.

Each is planted by patching inside a forked child, never in the product, and says where to look.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.db import connection, transaction

import consent.selectors
from audit import journal
from audit.actions import Action
from audit.ids import uuid7
from audit.models import Entry
from governance.api import agent as api
from governance.capture import gate, intake, runs, storing
from governance.jobs import services as jobs
from governance.jobs.clock import database_now
from governance.jobs.models import Job, JobState
from governance.releases import building
from governance.rights import erasure
from governance.rights.states import ErasureState
from governance.vault import files, reading, seal_keys, shredding
from governance.vault.reading import Permit


def _nothing() -> None:
    """Plant no bug."""


def _put(place: object, name: str, planted: object) -> None:
    setattr(place, name, planted)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug: where it is looked for, how it is planted, whether the sweeper works.

    `near` is part of the label of the points that are tried first.
    """

    words: str
    where: str
    plant: Callable[[], None] = _nothing
    sweeps: bool = True
    near: str = "COMMIT"
    vendors: tuple[str, ...] = ("sqlite", "postgresql")


def _no_lock() -> None:
    """Consent is read without holding anybody up."""

    def lock(*, subject: str, exclusive: bool) -> int:
        return consent.selectors.epoch(subject=subject)

    _put(consent.selectors, "lock", lock)


def _audit_after_bytes() -> None:
    """The entry is written once the record is out."""

    def admit(read: Any, counts: Mapping[str, int], **_: Any) -> dict[str, Permit]:
        return {subject: Permit(uuid7(), 0) for subject in counts}

    close = gate._close

    def closed(read: Any, permits: Mapping[str, Permit], outcome: str) -> None:
        for subject in permits:
            with transaction.atomic():
                gate._allow(read, {subject: 1}, (), {subject: 0})
        close(read, permits, outcome)

    def granted(permit: Permit) -> Any:
        return SimpleNamespace(uuid=permit.entry, covers=lambda _: True)

    _put(gate, "_admit_subjects", admit)
    _put(gate, "_close", closed)
    _put(reading, "_granted", granted)


def _answer_before_commit() -> None:
    """The answer goes out while the transaction is still under way."""
    accept = intake.accept_batch

    def answered(**facts: Any) -> intake.Acknowledgement:
        outer = transaction.atomic()
        vars(outer)["_from_testcase"] = True  # Lets a durable block nest.
        with outer:
            answer = accept(**facts)
            transaction.set_rollback(True)

        def later() -> None:
            time.sleep(2)
            accept(**facts)

        threading.Thread(target=later, daemon=True).start()
        return answer

    _put(api, "intake", SimpleNamespace(accept_batch=answered, Uploader=intake.Uploader))


def _no_fence() -> None:
    """A worker whose lease ran out writes all the same."""
    _put(jobs.Fence, "assert_held", lambda _: database_now())
    _put(jobs, "_mine", lambda fence: Job.objects.filter(pk=fence.job))
    ended = {"state": JobState.DONE, "leased_until": None, "last_error_class": ""}

    def done(fences: Sequence[jobs.Fence]) -> Any:
        Job.objects.filter(pk__in=[fence.job for fence in fences]).update(**ended)
        return [database_now() for _ in fences]

    _put(jobs, "_done", done)


def _keys_before_the_order() -> None:
    """The keys go before anything says that they shall."""
    order = erasure.order_subject

    def ordered(*, subject: str, **facts: Any) -> Any:
        shredding.destroy_subject(subject=subject)
        return order(subject=subject, **facts)

    _put(erasure, "order_subject", ordered)


def _receipt_before_the_deed() -> None:
    """The station is reached before the keys are destroyed."""

    def destroy(order: Any) -> None:
        if erasure._reached(order, ErasureState.KEY_DESTROYED):
            return
        erasure._reach(
            order, ErasureState.KEY_DESTROYED, action=Action.KEY_SHREDDED, figures={"keys": 1}
        )
        erasure._shred(order)

    _put(erasure, "destroy_keys", destroy)


def _no_idempotency() -> None:
    """A batch that is there already is taken for a new one."""
    _put(intake, "_earlier", lambda _uploader, _upload: None)


def _no_second_look() -> None:
    """What was judged is stored whatever happened since."""
    real = storing.facts
    seen: dict[str, Any] = {}

    def remembered(batch: Any, **facts: Any) -> Any:
        return seen.setdefault(batch.subject, real(batch, **facts))

    _put(runs, "facts", remembered)
    _put(storing, "facts", remembered)


def _no_transaction() -> None:
    """Entry and rows are written one after the other."""

    @contextlib.contextmanager
    def loose(**_: Any) -> Iterator[None]:
        yield

    _put(storing, "transaction", SimpleNamespace(atomic=loose))

    def one_by_one(acts: Sequence[tuple[Action, journal.Facts]]) -> list[Entry]:
        return [journal.append_now(action, **facts) for action, facts in acts]

    _put(storing, "journal", SimpleNamespace(append_each=one_by_one))
    _no_lock()
    _put(jobs.Fence, "assert_held", lambda _: database_now())
    append = journal.append

    def anyhow(action: Action, **facts: Any) -> Any:
        if connection.in_atomic_block:
            return append(action, **facts)
        return journal.append_now(action, **facts)

    _put(journal, "append", anyhow)


def _original_kept() -> None:
    """The sealed original stays."""
    _put(storing, "_destroying_originals", lambda _batches: [])


def _seal_keys_kept() -> None:
    """A seal key is said to be destroyed and its private half stays."""
    _put(seal_keys, "files", SimpleNamespace(**vars(files) | {"destroy": lambda _path: None}))


def _no_question_before_publishing() -> None:
    """A release holds whoever was in it when it was begun."""
    _put(building, "_is_whole", lambda _release, _one, _usable: True)


MUTANTS: Mapping[str, Mutant] = {
    "no lock": Mutant(
        "Consent is not locked.",
        "redaction while consent is withdrawn",
        _no_lock,
        vendors=("postgresql",),
    ),
    "audit after bytes": Mutant("The entry comes last.", "read", _audit_after_bytes),
    "202 before commit": Mutant("The answer comes first.", "intake", _answer_before_commit),
    "fence removed": Mutant(
        "Late workers write.", "work while a second worker takes over", _no_fence
    ),
    "tombstone after key delete": Mutant(
        "Keys first.", "erasure", _keys_before_the_order, near="rights_erasureorder"
    ),
    "receipt before verify": Mutant("Receipt first.", "erasure", _receipt_before_the_deed),
    "sweep off": Mutant("Nobody comes back.", "redaction", sweeps=False),
    "idempotency off": Mutant("Repeats are new.", "intake", _no_idempotency),
    "no consent check at store": Mutant(
        "Judged once.", "redaction while consent is withdrawn", _no_second_look
    ),
    "log outside transaction": Mutant("Row by row.", "redaction", _no_transaction),
    "original kept": Mutant("Nothing is destroyed.", "redaction", _original_kept),
    "seal keys kept": Mutant("The private half stays.", "seal keys", _seal_keys_kept),
    "released unasked": Mutant(
        "Asked once.", "release while consent is withdrawn", _no_question_before_publishing
    ),
}


def here() -> list[str]:
    """Return the bugs that mean something on this database: SQLite needs no row locks."""
    return [name for name, mutant in MUTANTS.items() if connection.vendor in mutant.vendors]
