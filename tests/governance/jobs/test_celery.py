"""The queue is a doorbell: whoever holds the broker holds nothing."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from kombu.exceptions import OperationalError
from redis import Redis

from governance.celery import Scheduler, app
from governance.jobs import selectors, services, tasks


@pytest.fixture(autouse=True)
def _never_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_swept_at", float("-inf"))


def test_the_settings_are_those_of_the_processing_contract() -> None:
    expected = {
        "task_acks_late": False,
        "task_reject_on_worker_lost": False,
        "task_ignore_result": True,
        "accept_content": ["json"],
        "worker_prefetch_multiplier": 1,
        "task_publish_retry": False,
        "worker_max_tasks_per_child": 200,
        "worker_enable_remote_control": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_timeout": 1.0,
        "result_backend": None,
    }
    assert {name: app.conf[name] for name in expected} == expected
    assert app.conf.worker_max_memory_per_child > 0


@pytest.mark.real
def test_beat_has_a_place_for_its_memory_whatever_the_broker_is(tmp_path: Path) -> None:
    """Found with Redis: only the filesystem broker made the directory that beat writes to."""
    environment = os.environ | {"REMIT_VAR": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1/0"}
    script = "import governance.celery as c; print(c.app.conf.beat_schedule_filename)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).parent.is_dir()


@pytest.mark.django_db  # Celery runs Django's checks when it imports tasks, and one reads.
def test_everything_beat_starts_exists() -> None:
    """Beat names tasks by text, so a renamed one would be dropped without a word."""
    app.autodiscover_tasks(force=True)
    started = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert started <= set(app.tasks)


@pytest.mark.parametrize("queue", ["redact", "a queue nobody listens to"])
def test_a_bell_is_rung_where_somebody_listens(monkeypatch: pytest.MonkeyPatch, queue: str) -> None:
    rung: list[object] = []
    monkeypatch.setattr(tasks, "_silent_until", 0.0)
    monkeypatch.setattr(tasks.run_job, "apply_async", lambda **sent: rung.append(sent["queue"]))
    tasks.ring(uuid4(), queue)
    assert rung == ["redact" if queue == "redact" else "default"]


@pytest.mark.django_db
def test_a_sweep_is_the_workers_sign_of_life() -> None:
    assert selectors.seconds_since(selectors.WORKER) is None
    tasks.sweep_jobs()
    age = selectors.seconds_since(selectors.WORKER)
    assert age is not None
    assert 0 <= age < 5


@pytest.mark.django_db
def test_of_many_sweeps_that_waited_one_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    monkeypatch.setattr(services, "sweep", lambda: done.append(1))
    for _ in range(5):
        tasks.sweep_jobs()
    assert len(done) == 1


def test_what_beat_asks_for_expires_by_nobody_s_clock() -> None:
    """A worker that is ahead of beat by more than a period would else do nothing, for ever."""
    sweep = app.conf.beat_schedule["sweep"]
    assert sweep["schedule"] == settings.REMIT_SWEEP_SECONDS
    assert sweep["task"] in app.tasks
    assert not any("expires" in one.get("options", {}) for one in app.conf.beat_schedule.values())


def test_a_clock_that_goes_back_does_not_stall_beat(tmp_path: Path) -> None:
    """While beat runs, and when it reads its memory after a start."""
    schedule = str(tmp_path / "schedule")
    for _ in range(2):
        beat = Scheduler(app, schedule_filename=schedule)
        entry = beat.schedule["sweep"]
        entry.last_run_at = entry.default_now() + timedelta(days=1)
        beat.tick()
        waits = entry.schedule.remaining_estimate(beat.schedule["sweep"].last_run_at)
        assert waits <= timedelta(seconds=settings.REMIT_SWEEP_SECONDS)
        entry.last_run_at += timedelta(days=1)
        beat.close()


def test_a_message_carries_one_opaque_id() -> None:
    job_id = uuid4()
    with _overheard() as messages:
        tasks.ring(job_id, "default")
    (text,) = messages
    assert "run_job" in text
    assert _body(text)[0] == [str(job_id)]
    assert _body(text)[1] == {}


@contextlib.contextmanager
def _overheard() -> Iterator[list[str]]:
    """Take from the broker, whichever it is, what was sent meanwhile."""
    messages: list[str] = []
    if settings.REDIS_URL:
        broker = Redis.from_url(settings.REDIS_URL, decode_responses=True)
        broker.delete("default")
        yield messages
        messages += [str(text) for text in broker.lrange("default", 0, -1)]
        broker.delete("default")
        broker.close()
        return
    folder = Path(app.conf.broker_transport_options["data_folder_out"])
    assert folder.stat().st_mode & 0o077 == 0
    before = set(folder.iterdir())
    yield messages
    for message in set(folder.iterdir()) - before:
        messages.append(message.read_text(encoding="utf-8"))
        message.unlink()


def _body(text: str) -> list[object]:
    import base64
    import json

    body = json.loads(base64.b64decode(json.loads(text)["body"]))
    assert isinstance(body, list)
    return body


def test_a_broker_that_is_away_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    def fail(**options: object) -> None:
        calls.append(options)
        raise OperationalError

    monkeypatch.setattr(tasks, "_silent_until", 0.0)
    monkeypatch.setattr(tasks.run_job, "apply_async", fail)
    tasks.ring(uuid4(), "default")
    tasks.ring(uuid4(), "default")
    assert len(calls) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("forged", ["", "no id", "1; DROP TABLE jobs_job", str(UUID(int=7))])
def test_a_forged_message_does_nothing(forged: str) -> None:
    tasks.run_job(forged)


@pytest.mark.django_db
def test_the_tasks_do_what_the_services_do() -> None:
    done: list[str] = []
    services.handler("test:task")(lambda ref, fence: done.append(ref))
    try:
        first = services.add(kind="test:task", ref="1")
        tasks.run_job(str(first.id))
        services.add(kind="test:task", ref="2")
        tasks.sweep_jobs()
    finally:
        services._works.pop("test:task")
    assert done == ["1", "2"]
    assert isinstance(first.id, UUID)
