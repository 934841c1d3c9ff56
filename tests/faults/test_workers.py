"""Workers that stall, die or starve, and beats that are missing or too many."""

import time
from pathlib import Path

import pytest

from tests.faults.service import Service, pause, resume

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]


def poison(service: Service, kind: str, *refs: str) -> None:
    """Add jobs that end whoever does them; the history knows that they shall be given up."""
    for ref in refs:
        service.history.add("poison", ref=ref)
    service.work(kind, *refs)


def hurry_to_the_end(service: Service, kind: str) -> None:
    """Let time pass until jobs of a kind are done or given up."""

    def ended() -> bool:
        service.hurry()
        time.sleep(0.5)
        return service.states(kind).keys() <= {"done", "quarantined"}

    service.wait(ended, what=kind, seconds=90)


def test_a_worker_that_stalls_past_its_lease_writes_nothing_late(
    service: Service, tmp_path: Path
) -> None:
    """F06: stopped (SIGSTOP) in the middle of work; a second worker does it, the first resumes."""
    service.ensure()
    before = service.effects()
    held = tmp_path / "held"
    service.work("probe:slow", str(held))
    service.wait(held.exists, what="the first worker")
    first = service.running["worker"]
    pause(first)
    second = service.start("worker", name="second")
    service.wait(lambda: len(set(held.read_text().split())) == 2, what="the second", seconds=60)
    held.with_suffix(".go").touch()
    service.wait(lambda: service.states("probe:slow") == {"done": 1}, what="the second's end")
    resume(first)
    time.sleep(2)
    assert service.effects() - before == 1
    attempts = "SELECT attempts, fence FROM jobs_job WHERE kind = 'probe:slow'"
    assert service.rows(attempts) == [(2, 2)]
    assert first.is_alive
    assert second.is_alive
    service.stop("second")
    service.judge()


def test_what_kills_every_worker_is_given_up_and_the_rest_is_done(service: Service) -> None:
    """F08: a job that ends its process by SIGSEGV among 100 others; five attempts, an alarm."""
    service.ensure()
    before = service.effects()
    poison(service, "probe:segfault", "s1", "s2")
    service.work("probe:once", *(f"beside-{number}" for number in range(100)))
    hurry_to_the_end(service, "probe:segfault")
    service.settle()
    found = "SELECT state, attempts FROM jobs_job WHERE kind = 'probe:segfault'"
    assert service.rows(found) == [("quarantined", 5)] * 2
    assert service.effects() - before == 100
    logs = "".join(one.log.read_text() for one in service.installed.started if one.log.exists())
    assert logs.count("job.quarantined") >= 2
    service.judge()


def test_a_worker_without_memory_gives_up_the_glutton_and_serves_the_others(
    service: Service,
) -> None:
    """F07: RLIMIT_AS; archive bombs are refused, a job that takes all memory is given up."""
    service.ensure()
    service.kill("worker")
    service.start("worker", under=("sh", "-c", 'ulimit -v 1500000; exec "$@"', "sh"))
    bombs = service.batches(2, form="bomb")
    service.deliver(bombs)
    service.deliver(service.batches(10))
    poison(service, "probe:glutton", "g1")
    hurry_to_the_end(service, "probe:glutton")
    service.settle()
    assert service.states("probe:glutton") == {"quarantined": 1}
    names = ", ".join(f"'{bomb.batch}'" for bomb in bombs)
    if "DATABASE_URL" not in service.installed.settings:
        names = names.replace("-", "")
    query = f"SELECT state, accepted FROM capture_batchoutcome WHERE batch_id IN ({names})"
    assert service.rows(query) == [("refused", 0)] * 2
    service.kill("worker")
    service.judge()


def test_three_beats_and_two_workers_do_everything_once(service: Service) -> None:
    """F10: whoever beats, a job is done by one worker once."""
    service.ensure()
    before = service.effects()
    for number in range(2):
        own = str(service.folder / f"schedule-{number}")
        service.start("beat", "--schedule", own, name=f"beat-{number}")
    service.start("worker", name="second")
    service.work("probe:once", *(f"slot-{number}" for number in range(200)))
    with service.load(service.batches(20)):
        time.sleep(3)
    service.settle()
    assert service.effects() - before == 200
    service.stop("beat-0", "beat-1", "second")
    service.judge()
