"""The promises of the job table: nothing lost, nothing twice, nothing for ever."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, transaction

from audit import sql
from audit.errors import LogUnavailableError
from governance.jobs import clock, doorbell, selectors, services
from governance.jobs.clock import database_now
from governance.jobs.errors import FenceLostError, PostponeError
from governance.jobs.models import Job, JobState
from governance.jobs.services import Fence
from governance.vault.errors import (
    KeyServiceError,
    KeyStoreBehindError,
    StorageUnavailableError,
)

pytestmark = pytest.mark.django_db


class Worker:
    """Work that can be told to fail, and remembers what it did."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.given_up: list[str] = []
        self.failure: Exception | None = None

    def work(self, ref: str, fence: Fence) -> None:
        if self.failure is not None:
            raise self.failure
        self.done.append(ref)


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()

    def give_up(ref: str) -> None:
        assert transaction.get_connection().in_atomic_block
        worker.given_up.append(ref)

    services.handler("test:work", quarantined=give_up)(worker.work)
    yield worker
    services._works.pop("test:work")
    services._works.pop("quarantined:test:work")


def let_pass(job_id: UUID, seconds: int) -> None:
    """Move a job's times back, as if that much time had passed."""
    job = Job.objects.get(pk=job_id)
    job.run_at -= timedelta(seconds=seconds)
    if job.leased_until is not None:
        job.leased_until -= timedelta(seconds=seconds)
    job.save()


def test_work_is_done_once_however_often_it_is_added_and_rung_for(worker: Worker) -> None:
    first = services.add(kind="test:work", ref="a")
    again = services.add(kind="test:work", ref="a")
    assert first.id == again.id
    assert services.run(first.id)
    assert not services.run(first.id)
    services.add(kind="test:work", ref="a")
    assert services.run_due() == 0
    assert worker.done == ["a"]
    assert Job.objects.get(pk=first.id).state == JobState.DONE


def test_work_of_a_change_that_rolled_back_does_not_exist(worker: Worker) -> None:
    with transaction.atomic():
        services.add(kind="test:work", ref="a")
        transaction.set_rollback(True)
    assert services.run_due() == 0
    assert selectors.find(kind="test:work", ref="a") is None


def test_work_for_later_waits(worker: Worker) -> None:
    later = database_now() + timedelta(hours=1)
    job = services.add(kind="test:work", ref="a", run_at=later)
    assert services.run_due() == 0
    assert not services.run(job.id)
    let_pass(job.id, 3601)
    assert services.run_due() == 1


def test_an_unknown_id_is_no_work() -> None:
    assert not services.run(uuid4())


def test_a_leased_job_is_left_alone_until_its_lease_ends(worker: Worker) -> None:
    job = services.add(kind="test:work", ref="a")
    assert services._lease(job.id) is not None
    assert not services.run(job.id)
    assert services.run_due() == 0
    let_pass(job.id, 61)
    assert services.sweep() == 1
    assert worker.done == ["a"]


def test_a_late_worker_may_write_nothing(worker: Worker) -> None:
    job = services.add(kind="test:work", ref="a")
    leased = services._lease(job.id)
    assert leased is not None
    _, _, late = leased
    late.assert_held()
    let_pass(job.id, 61)
    taken = services._lease(job.id)
    assert taken is not None
    _, _, current = taken
    assert current.number == late.number + 1
    for act in (late.assert_held, late.renew, lambda: services.finish(late)):
        with pytest.raises(FenceLostError), transaction.atomic():
            act()
    assert Job.objects.get(pk=job.id).state == JobState.LEASED
    services.finish(current)
    assert Job.objects.get(pk=job.id).state == JobState.DONE


def test_a_late_failure_does_not_take_the_job_from_its_new_holder(worker: Worker) -> None:
    job = services.add(kind="test:work", ref="a")
    leased = services._lease(job.id)
    assert leased is not None
    let_pass(job.id, 61)
    assert services._lease(job.id) is not None
    services._failed(leased[2], "ValueError")
    services._postpone(leased[2], 1)
    row = Job.objects.get(pk=job.id)
    assert (row.state, row.last_error_class) == (JobState.LEASED, "")


def test_a_renewed_lease_keeps_the_job(worker: Worker) -> None:
    job = services.add(kind="test:work", ref="a")
    leased = services._lease(job.id)
    assert leased is not None
    let_pass(job.id, 59)
    leased[2].renew()
    let_pass(job.id, 30)
    assert services.run_due() == 0


def test_the_attempt_is_counted_before_the_work_begins(worker: Worker) -> None:
    job = services.add(kind="test:work", ref="a")
    seen: list[int] = []

    def look(ref: str, fence: Fence) -> None:
        seen.append(Job.objects.get(pk=job.id).attempts)

    services._works["test:work"] = look
    services.run(job.id)
    assert seen == [1]


def test_poison_is_given_up_after_five_attempts_and_who_waits_is_told(worker: Worker) -> None:
    worker.failure = ValueError("a name that must not be kept")
    bad = services.add(kind="test:work", ref="bad")
    for attempt in range(1, 6):
        assert services.run(bad.id)
        assert not services.run(bad.id), "It waits before it is tried again."
        assert Job.objects.get(pk=bad.id).attempts == attempt
        if attempt < 5:
            let_pass(bad.id, 61)
    worker.failure = None
    let_pass(bad.id, 3600)
    services.add(kind="test:work", ref="good")
    services.run_due()
    view = selectors.find(kind="test:work", ref="bad")
    assert view is not None
    assert (view.state, view.last_error_class) == (JobState.QUARANTINED, "ValueError")
    assert worker.done == ["good"]
    assert worker.given_up == ["bad"]
    assert selectors.backlog().quarantined == 1


def test_a_job_that_kills_its_worker_is_given_up_too(worker: Worker) -> None:
    job = services.add(kind="test:work", ref="killer")
    for _ in range(5):
        assert services._lease(job.id) is not None
        let_pass(job.id, 61)
    assert not services.run(job.id)
    assert Job.objects.get(pk=job.id).state == JobState.QUARANTINED
    services.run_due()
    assert worker.done == []
    assert worker.given_up == ["killer"]


def test_waiting_for_the_log_uses_up_no_attempt(worker: Worker) -> None:
    worker.failure = PostponeError(5)
    job = services.add(kind="test:work", ref="a")
    for _ in range(10):
        assert services.run(job.id)
        let_pass(job.id, 6)
    worker.failure = None
    assert services.run_due() == 1
    assert worker.done == ["a"]


@pytest.mark.parametrize("outage", [KeyServiceError, StorageUnavailableError, KeyStoreBehindError])
def test_an_outage_of_keys_or_storage_uses_up_no_attempt(
    worker: Worker, outage: type[Exception]
) -> None:
    """Five attempts last a minute and a half; a sealed service may take an hour to be opened."""
    worker.failure = outage()
    job = services.add(kind="test:work", ref="a")
    for _ in range(10):
        assert services.run(job.id)
        let_pass(job.id, 16)
    worker.failure = None
    assert services.run_due() == 1
    assert worker.done == ["a"]
    assert worker.given_up == []


def test_an_interrupt_is_not_swallowed(worker: Worker) -> None:
    def stop(ref: str, fence: Fence) -> None:
        raise KeyboardInterrupt

    services._works["test:work"] = stop
    job = services.add(kind="test:work", ref="a")
    with pytest.raises(KeyboardInterrupt):
        services.run(job.id)
    assert Job.objects.get(pk=job.id).state == JobState.LEASED


def test_a_handler_that_finished_by_itself_is_done_once(worker: Worker) -> None:
    def work(ref: str, fence: Fence) -> None:
        with transaction.atomic():
            fence.assert_held()
            services.finish(fence)

    services._works["test:work"] = work
    job = services.add(kind="test:work", ref="a")
    services.run(job.id)
    assert Job.objects.get(pk=job.id).state == JobState.DONE


def test_unknown_work_is_not_forgotten() -> None:
    job = services.add(kind="test:nobody", ref="a")
    services.run(job.id)
    row = Job.objects.get(pk=job.id)
    assert (row.state, row.last_error_class) == (JobState.READY, "UnknownKindError")


def test_many_are_done_in_bounded_portions(worker: Worker) -> None:
    for number in range(20):
        services.add(kind="test:work", ref=str(number))
    assert services.run_due(limit=12) == 12
    assert selectors.backlog().open == 8
    assert services.run_due(seconds=0) == 0
    assert services.run_due() == 8
    assert sorted(worker.done, key=int) == [str(number) for number in range(20)]


def test_late_work_shows(worker: Worker) -> None:
    job = services.add(kind="test:work", ref="a")
    assert selectors.backlog().late == 0
    let_pass(job.id, 120)
    assert selectors.backlog().late == 1


def test_the_bell_rings_after_the_commit_and_only_for_new_work(
    worker: Worker,
    django_capture_on_commit_callbacks: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rung: list[tuple[UUID, str]] = []
    monkeypatch.setattr(doorbell, "_bells", [])
    doorbell.hang(lambda job_id, queue: rung.append((job_id, queue)))
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator] # A fixture's callable.
        job = services.add(kind="test:work", ref="a", queue="redact")
        services.add(kind="test:work", ref="a", queue="redact")
        assert rung == []
    assert rung == [(job.id, "redact")]


def test_one_ring_serves_all_that_waits_in_its_queue_and_nothing_else(worker: Worker) -> None:
    first = services.add(kind="test:work", ref="0", queue="redact")
    for number in range(1, 4):
        services.add(kind="test:work", ref=str(number), queue="redact")
    services.add(kind="test:work", ref="other", queue="default")
    services.answer(first.id)
    assert sorted(worker.done) == ["0", "1", "2", "3"]
    services.answer(uuid4())
    assert len(worker.done) == 4


def test_who_stops_at_a_bound_rings_for_the_rest(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[UUID, str]] = []
    monkeypatch.setattr(doorbell, "_bells", [lambda *asked: rung.append(asked)])
    jobs = [services.add(kind="test:work", ref=str(number)) for number in range(4)]
    services.answer(jobs[0].id, limit=2)
    assert len(worker.done) == 3
    (left,) = {job.id for job in jobs} - set(
        Job.objects.filter(state="done").values_list("id", flat=True)
    )
    assert rung == [(left, "default")]
    services.answer(left)
    assert len(rung) == 1


def test_a_clock_that_goes_back_leaves_nothing_waiting_for_the_time_it_told(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Added, or leased by a worker that died, when the database's clock was 20 hours ahead."""
    honest, twenty_hours = clock.expression, 20 * 3600
    with monkeypatch.context() as patch:

        def ahead(*, seconds: int = 0) -> str:
            return honest(seconds=seconds + twenty_hours)

        patch.setattr(clock, "expression", ahead)
        services.add(kind="test:work", ref="added")
        held = services.add(kind="test:work", ref="held")
        assert services._lease(held.id) is not None
    soon = database_now() + timedelta(hours=1)
    later = services.add(kind="test:work", ref="later", run_at=soon)
    assert services.run_due() == 2
    assert sorted(worker.done) == ["added", "held"]
    assert Job.objects.get(id=later.id).state == JobState.READY


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL knows times.")
@pytest.mark.parametrize("second", ["05.000", "05.120", "59.999"])
def test_sqlite_s_clock_writes_times_as_they_are_compared(second: str) -> None:
    """Else what was added at a whole second would be later than that second."""
    at = f"2026-01-02 03:04:{second}"
    (told,) = sql.row("SELECT " + clock.expression().replace("'now'", f"'{at}'"))
    assert told == connection.ops.adapt_datetimefield_value(datetime.fromisoformat(f"{at}Z"))


def test_a_database_that_is_away_uses_up_no_attempt(worker: Worker) -> None:
    for failure in (OperationalError(), LogUnavailableError("away")):
        worker.failure = failure
        job = services.add(kind="test:work", ref=type(failure).__name__)
        for _ in range(7):
            assert services.run(job.id)
            let_pass(job.id, 61)
        assert Job.objects.get(id=job.id).state == JobState.READY


def test_a_backlog_that_kills_its_worker_is_done_one_by_one(worker: Worker) -> None:
    class DiedError(BaseException):
        pass

    tried: list[int] = []

    def together(leased: Sequence[tuple[str, Fence]]) -> None:
        tried.append(len(leased))
        raise DiedError

    services.handler("test:work", together=together)(worker.work)
    try:
        added = [services.add(kind="test:work", ref=f"{number}") for number in range(8)]
        with pytest.raises(DiedError):
            services.run_due()
        assert (tried, worker.done) == ([8], [])
        for job in added:
            let_pass(job.id, 1000)
        services.run_due()
        assert (tried, sorted(worker.done)) == ([8], [f"{number}" for number in range(8)])
        attempts = set(Job.objects.values_list("state", "attempts"))
        assert attempts == {(JobState.DONE, 2)}
    finally:
        services._together.pop("test:work")


def test_where_a_backlog_fails_together_each_is_done_by_itself(worker: Worker) -> None:
    def together(leased: Sequence[tuple[str, Fence]]) -> None:
        with transaction.atomic():
            services.finish(leased[0][1])
        raise ValueError

    services.handler("test:work", together=together)(worker.work)
    try:
        for number in range(8):
            services.add(kind="test:work", ref=f"{number}")
        services.run_due()
    finally:
        services._together.pop("test:work")
    assert len(worker.done) == 7
    assert set(Job.objects.values_list("state", "attempts")) == {(JobState.DONE, 1)}
