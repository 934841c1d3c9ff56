"""What a monitoring system reads: numbers about the service, for whoever shows the token."""

import math
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from governance.jobs import selectors as jobs
from governance.jobs import services
from governance.web import health
from tests import make

pytestmark = pytest.mark.django_db

TOKEN = "a token of this test"


def told(client: Client, token: str = TOKEN) -> dict[str, float]:
    answer = client.get("/metrics", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    families = text_string_to_metric_families(answer.content.decode())
    return {sample.name: sample.value for each in families for sample in each.samples}


@pytest.fixture
def with_token(settings: Settings) -> None:
    settings.REMIT_METRICS_TOKEN = TOKEN


def test_without_a_token_in_the_settings_there_is_no_such_page(client: Client) -> None:
    for shown in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer None"}):
        assert client.get("/metrics", headers=shown).status_code == 404


@pytest.mark.usefixtures("with_token")
@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer another", TOKEN, f"Basic {TOKEN}"])
def test_whoever_shows_no_token_or_another_sees_no_number(client: Client, shown: str) -> None:
    answer = client.get("/metrics", headers={"authorization": shown})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert b"remit_" not in answer.content


@pytest.mark.usefixtures("with_token")
def test_an_empty_house_is_not_ready_and_has_heard_of_nobody(client: Client) -> None:
    numbers = told(client)
    assert numbers["remit_ready"] == 0
    assert math.isnan(numbers["remit_log_silence_seconds"])
    assert math.isnan(numbers["remit_worker_silence_seconds"])


@pytest.mark.usefixtures("with_token")
def test_a_house_at_work_says_how_far_it_is(client: Client, open_log: Callable[[], None]) -> None:
    services.give_sign(jobs.WORKER)
    services.give_sign(health.DEMO_SIGN)
    services.add(kind="test:soon", ref="1")
    numbers = told(client)
    assert (numbers["remit_ready"], numbers["remit_jobs_late"]) == (1, 0)
    assert 0 <= numbers["remit_worker_silence_seconds"] < 60
    services.add(kind="test:late", ref="1", run_at=timezone.now() - timedelta(hours=1))
    assert told(client)["remit_jobs_late"] == 1


@pytest.mark.usefixtures("with_token")
def test_r18_no_number_moves_when_somebody_decides(nordhafen: make.House, client: Client) -> None:
    def still() -> dict[str, float]:
        numbers = told(client)
        return {name: n for name, n in numbers.items() if not name.endswith("_seconds")}

    before = still()
    make.decide(nordhafen, "carla", [(make.TRAIN, make.DESK, "pointer")])
    assert still() == before
