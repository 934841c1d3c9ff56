"""No value that a request brought stands in a log line, whoever wrote the line."""

import json
import logging

import pytest
from django.core.exceptions import DisallowedHost
from django.test import Client
from pytest_django.fixtures import Settings

from governance.web.logs import JsonFormatter

CANARY = "who-is-this.example"


@pytest.mark.django_db
def test_a_forged_host_is_refused_and_not_written_down(
    caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["remit.example"]
    with caplog.at_level(logging.WARNING):
        answer = Client().get("/sign-in/", headers={"host": CANARY})
    assert answer.status_code == 400
    assert CANARY not in answer.content.decode()
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert lines
    assert not [line for line in lines if CANARY in line]
    assert "DisallowedHost" in "".join(lines)


@pytest.mark.parametrize("has_trace", [True, False])
def test_a_message_that_quotes_an_exception_becomes_its_class(has_trace: bool) -> None:
    error = DisallowedHost(f"Invalid HTTP_HOST header: {CANARY!r}.")
    info = (DisallowedHost, error, None) if has_trace else None
    record = logging.LogRecord(
        "django.security.DisallowedHost", logging.ERROR, __file__, 1, str(error), (), info
    )
    assert json.loads(JsonFormatter().format(record))["message"] == "DisallowedHost"
