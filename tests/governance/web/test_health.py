"""Ready means that every part an answer may need is there, and says no more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit import health as log_health
from governance.jobs import selectors as jobs
from governance.jobs import services
from governance.jobs.models import Sign
from governance.web import health

pytestmark = pytest.mark.django_db


def status(client: Client) -> tuple[int, str]:
    answer = client.get("/healthz/ready")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()["status"]


def test_a_living_process_says_so_without_looking_further(client: Client) -> None:
    answer = client.get("/healthz/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})
    assert client.post("/healthz/live").status_code == 405


def test_it_waits_for_each_part_in_turn(
    client: Client, open_log: Callable[[], None], settings: Any
) -> None:
    settings.REMIT_DEMO = True
    assert status(client) == (503, "waiting for the worker")
    services.give_sign(jobs.WORKER)
    assert status(client) == (503, "waiting for the demo")
    services.give_sign(health.DEMO_SIGN)
    assert status(client) == (200, "ready")


def test_outside_the_demo_there_is_no_story_to_wait_for(
    client: Client, open_log: Callable[[], None], settings: Any
) -> None:
    settings.REMIT_DEMO = False
    services.give_sign(jobs.WORKER)
    assert status(client) == (200, "ready")


def test_a_worker_that_fell_silent_is_missed(
    client: Client, open_log: Callable[[], None], settings: Any
) -> None:
    settings.REMIT_DEMO = False
    services.give_sign(jobs.WORKER)
    sign = Sign.objects.get(pk=jobs.WORKER)
    sign.at -= timedelta(seconds=settings.REMIT_SWEEP_SECONDS * 3 + 31)
    sign.save()
    assert status(client) == (503, "waiting for the worker")


def test_without_a_log_nothing_is_ready(client: Client) -> None:
    log_health.forget()
    services.give_sign(jobs.WORKER)
    services.give_sign(health.DEMO_SIGN)
    assert status(client) == (503, "waiting for the log")
    assert client.get("/healthz/ready").headers["Retry-After"] == "1"
    log_health.forget()


def test_tables_that_are_behind_are_noticed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_migrated", set())
    monkeypatch.setattr(
        "governance.web.health.MigrationExecutor.migration_plan", lambda *_: ["a step"]
    )
    assert status(client) == (503, "waiting for the databases")
