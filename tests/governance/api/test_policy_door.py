"""Polls by the short way are those of the view: the same answer, the same refusals."""

import base64
import hmac
import io
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from consent.status import ConsentStatus
from governance.accounts import services as accounts
from governance.api import agent as agent_api
from governance.api import policy_door
from governance.api.device_authentication import new_session, session_key
from governance.capture import agent_policy, known_policies
from governance.wsgi import application, django
from remit_agent import signing
from tests import make

pytestmark = pytest.mark.usefixtures("kept_connections", "nothing_known")

PATH = policy_door.PATH


@pytest.fixture
def agent(nordhafen: make.House) -> make.Endpoint:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    return make.endpoint(nordhafen, "mira")


@pytest.fixture
def nothing_known() -> Iterator[None]:
    """A web process that just began."""
    known_policies.forget()
    yield
    known_policies.forget()


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


def by_django(request: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    told: list[Any] = []

    def start(status: str, headers: Any, *_: Any) -> Any:
        told.extend((status, dict(headers)))

    body = django(request | {"wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()}, start)
    return told[0], told[1], b"".join(body)


def by_the_door(request: dict[str, Any]) -> tuple[str, dict[str, str], bytes] | None:
    answer = policy_door.poll(request)
    if answer is None:
        return None
    headers = dict(answer[1])
    assert len(headers) == len(answer[1]), "A header stands there twice."
    return answer[0], headers, answer[2]


def etag_of(agent: make.Endpoint) -> str:
    return agent_policy.current(device_id=agent.device.id, subject=agent.subject).etag


@pytest.mark.parametrize("is_known", [True, False])
def test_the_answer_has_the_headers_and_the_body_of_django_s_own(
    agent: make.Endpoint, full: None, is_known: bool
) -> None:
    etag = etag_of(agent) if is_known else '"another"'
    etag_of(agent)
    answer = by_the_door(environ(agent, etag))
    assert answer is not None
    status, headers, body = by_django(environ(agent, etag))
    for found in (answer[1], headers):
        assert len(found.pop("Request-Id")) == 36
    # What the framework says to browsers: a machine reads no other language, and GETs.
    for name in ("Allow", "Content-Language", "Vary"):
        headers.pop(name, None)
    if is_known:
        # What is said of a body, where there is none.
        headers = {name: headers[name] for name in ("ETag", "Cache-Control", "Poll-After")}
    assert status == (policy_door.UNCHANGED if is_known else policy_door.CHANGED)
    assert answer == (status, headers, body)
    assert answer[1]["Poll-After"] == "1"


def test_r05_the_poll_after_a_withdrawal_is_answered_with_another_policy(
    nordhafen: make.House, agent: make.Endpoint, full: None
) -> None:
    etag = etag_of(agent)
    assert status_of(environ(agent, etag)) == policy_door.UNCHANGED
    cells = [(make.TRAIN, make.DESK, "pointer")]
    make.decide(nordhafen, "mira", cells, ConsentStatus.WITHDRAWN)
    time.sleep(known_policies.LOOK_SECONDS)
    assert status_of(environ(agent, etag)) is None
    assert etag_of(agent) != etag
    assert status_of(environ(agent, etag)) == policy_door.CHANGED


def status_of(request: dict[str, Any]) -> str | None:
    answer = by_the_door(request)
    return answer and answer[0]


def test_whoever_is_revoked_unsigned_or_unknown_is_left_to_django(
    nordhafen: make.House, agent: make.Endpoint, full: None
) -> None:
    etag = etag_of(agent)
    good = environ(agent, etag)
    for change in (
        {"HTTP_SIGNATURE": "remit=:" + base64.b64encode(bytes(32)).decode() + ":"},
        {"HTTP_SIGNATURE": "remit=:\u00e9"},
        {"HTTP_HOST": "elsewhere.example"},
        {"HTTP_ACCEPT": "text/html"},
        {"QUERY_STRING": "a=1"},
        {"REQUEST_METHOD": "HEAD"},
    ):
        assert policy_door.poll(good | change) is None, change
    assert policy_door.poll(good) is not None
    accounts.revoke_device(device_id=agent.device.id, actor=nordhafen.actor("mira"))
    time.sleep(known_policies.LOOK_SECONDS)
    assert policy_door.poll(good) is None


@pytest.mark.parametrize(
    "times", [{"created": -400}, {"created": 400}, {"expires": 0}, {"expires": 121}, {"ends": -1}]
)
def test_a_signature_out_of_its_time_is_left_to_django(
    agent: make.Endpoint, full: None, times: dict[str, int]
) -> None:
    etag = etag_of(agent)
    assert by_the_door(signed(agent, etag)) is not None
    assert by_the_door(signed(agent, etag, **times)) is None
    assert by_django(signed(agent, etag, **times))[0].startswith("401")


def signed(
    agent: make.Endpoint, etag: str, *, created: int = 0, expires: int = 60, ends: int = 900
) -> dict[str, Any]:
    """A poll with a good signature, made by hand, at these seconds from now."""
    now = int(time.time())
    session = f"{agent.device.id}.{now + ends}.{'a' * 16}"
    parameters = (
        f'("@method" "@target-uri");created={now + created};expires={now + created + expires}'
        f';nonce="0123456789";keyid="{session}";alg="hmac-sha256";tag="remit-agent-1"'
    )
    base = (
        f'"@method": GET\n"@target-uri": {settings.REMIT_EXTERNAL_ORIGIN}{PATH}\n'
        f'"@signature-params": {parameters}'
    )
    mac = hmac.digest(session_key(session), base.encode(), "sha256")
    return environ(agent, etag) | {
        "HTTP_SIGNATURE_INPUT": f"remit={parameters}",
        "HTTP_SIGNATURE": f"remit=:{base64.b64encode(mac).decode()}:",
    }


def test_whatever_is_changed_in_a_request_the_door_never_says_more_than_the_view(
    agent: make.Endpoint, full: None
) -> None:
    etag, chance = etag_of(agent), random.Random(7)
    good = environ(agent, etag)
    answered = 0
    for _ in range(120):
        changed = mutated(good, chance)
        answer = by_the_door(changed)
        if answer is not None:
            answered += 1
            status, _, body = by_django(changed)
            assert (answer[0], answer[2]) == (status, body), changed
    assert answered


def mutated(good: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return a request with one character of one header changed, doubled or taken away."""
    name = chance.choice([name for name in good if name.startswith("HTTP_")])
    text = good[name]
    at = chance.randrange(len(text))
    other = chance.choice(["", text[at] * 2, chance.choice('aZ0;=:"., \t\n\u00b2')])
    return good | {name: text[:at] + other + text[at + 1 :]}


def test_where_a_poll_can_be_held_open_it_is(agent: make.Endpoint) -> None:
    etag = etag_of(agent)
    assert policy_door.poll(environ(agent, etag)) is None
    assert policy_door.poll(environ(agent, etag, HTTP_PREFER="")) is not None


def test_the_more_ask_the_later_each_comes_back(
    agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, after in ((1, 1), (1000, 1), (5001, 6), (100_000, 20)):
        monkeypatch.setattr(agent_api, "_crowd", agent_api._Crowd(number, time.monotonic() + 9))
        assert agent_api._poll_after() == after


def test_the_service_is_served_behind_the_door() -> None:
    assert isinstance(application, policy_door.PolicyDoor)
