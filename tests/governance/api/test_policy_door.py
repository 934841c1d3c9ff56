"""Polls by the short way are those of the view: the same answer, the same refusals."""

import base64
import time
from typing import Any

import pytest
from django.conf import settings

from consent.status import ConsentStatus
from governance.accounts import services as accounts
from governance.api import agent as agent_api
from governance.api import policy_door
from governance.api.device_authentication import new_session
from governance.capture import agent_policy
from governance.wsgi import application
from remit_agent import signing
from tests import make

pytestmark = pytest.mark.usefixtures("kept_connections")

PATH = policy_door.PATH


@pytest.fixture
def agent(nordhafen: make.House) -> make.Endpoint:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    return make.endpoint(nordhafen, "mira")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """No poll may be held open any more."""
    monkeypatch.setattr(agent_api, "_waiters", _None())


class _None:
    def acquire(self, *, blocking: bool) -> bool:
        return False


def environ(agent: make.Endpoint, etag: str | None, **more: str) -> dict[str, Any]:
    session, key, _ = new_session(agent.device.id)
    origin = settings.REMIT_EXTERNAL_ORIGIN
    signed = signing.sign_request(
        target=signing.Target(method="GET", uri=origin + PATH),
        headers={}, body=None, signer=signing.SessionSigner(session, key), now_s=int(time.time()),
    )  # fmt: skip
    headers = {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in signed.items()}
    if etag is not None:
        headers["HTTP_IF_NONE_MATCH"] = etag
    scheme, _, host = origin.partition("://")
    plain = {"REQUEST_METHOD": "GET", "PATH_INFO": PATH, "wsgi.url_scheme": scheme,
             "HTTP_HOST": host, "SERVER_NAME": "x", "SERVER_PORT": "80",
             "HTTP_PREFER": "wait=15"}  # fmt: skip
    return plain | headers | more


def by_django(request: dict[str, Any]) -> tuple[str, dict[str, str]]:
    import io

    from governance.wsgi import django

    told: list[Any] = []

    def start(status: str, headers: Any, *_: Any) -> Any:
        told.extend((status, dict(headers)))

    django(request | {"wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()}, start)
    return told[0], told[1]


def etag_of(agent: make.Endpoint) -> str:
    return agent_policy.current(device_id=agent.device.id, subject=agent.subject).etag


def test_nothing_new_is_said_with_the_headers_of_django_s_own(
    agent: make.Endpoint, full: None
) -> None:
    etag = etag_of(agent)
    answer = policy_door.unchanged(environ(agent, etag))
    assert answer is not None
    status, headers = by_django(environ(agent, etag))
    ours = dict(answer.items())
    for found in (ours, headers):
        assert len(found.pop("Request-Id")) == 36
    # What the framework says to browsers: 304 has no body, no words and one method that matters.
    for name in ("Allow", "Content-Language", "Content-Length", "Vary"):
        headers.pop(name, None)
    assert status == policy_door.UNCHANGED
    assert set(ours.items()) ^ set(headers.items()) == set()
    assert ours["Poll-After"] == "1"


def test_r05_after_a_withdrawal_the_very_next_poll_is_another_policy(
    nordhafen: make.House, agent: make.Endpoint, full: None
) -> None:
    etag = etag_of(agent)
    assert policy_door.unchanged(environ(agent, etag)) is not None
    cells = [(make.TRAIN, make.DESK, "pointer")]
    make.decide(nordhafen, "mira", cells, ConsentStatus.WITHDRAWN)
    assert policy_door.unchanged(environ(agent, etag)) is None
    assert etag_of(agent) != etag


def test_whoever_is_revoked_unsigned_or_unknown_is_left_to_django(
    nordhafen: make.House, agent: make.Endpoint, full: None
) -> None:
    etag = etag_of(agent)
    good = environ(agent, etag)
    for change in (
        {"HTTP_SIGNATURE": "remit=:" + base64.b64encode(bytes(32)).decode() + ":"},
        {"HTTP_IF_NONE_MATCH": '"0"'},
        {"HTTP_HOST": "elsewhere.example"},
        {"QUERY_STRING": "a=1"},
        {"REQUEST_METHOD": "HEAD"},
    ):
        assert policy_door.unchanged(good | change) is None, change
    accounts.revoke_device(device_id=agent.device.id, actor=nordhafen.actor("mira"))
    assert policy_door.unchanged(good) is None


def test_where_a_poll_can_be_held_open_it_is(agent: make.Endpoint) -> None:
    etag = etag_of(agent)
    assert policy_door.unchanged(environ(agent, etag)) is None
    assert policy_door.unchanged(environ(agent, etag, HTTP_PREFER="")) is not None


def test_the_more_ask_the_later_each_comes_back(
    agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, after in ((1, 1), (1000, 1), (5001, 6), (100_000, 20)):
        monkeypatch.setattr(agent_api, "_crowd", agent_api._Crowd(number, time.monotonic() + 9))
        assert agent_api._poll_after() == after


def test_the_service_is_served_behind_the_door() -> None:
    assert isinstance(application._rest, policy_door.PolicyDoor)
