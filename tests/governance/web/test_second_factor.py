"""A password alone opens no account that has a second factor, and a code counts once."""

import json
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from audit.actors import Actor
from audit.models import Entry
from governance.accounts import services
from governance.accounts.limits import Source
from governance.accounts.models import Person
from governance.web import second_factor

pytestmark = pytest.mark.django_db


@pytest.fixture
def mira() -> Person:
    return services.create_person(
        username="mira", display_name="Mira", password="right", actor=Actor.system("seed")
    )


def entries() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("event", flat=True))


def sign_in(client: Client, password: str = "right", **more: str) -> Any:
    return client.post("/sign-in/", {"username": "mira", "password": password} | more)


def code(seed: str, *, later: int = 0) -> str:
    counter = int(time.time()) // 30 + later
    return str(totp.format_hotp_value(totp.hotp_value(seed, counter)))


def set_up(client: Client) -> str:
    """Set up an authenticator app as a person does, and return its seed."""
    page = client.get("/account/app/").content.decode()
    found = re.search(r'class="seed">([A-Z2-7 ]+)<', page)
    assert found
    seed = found[1].replace(" ", "")
    assert client.post("/account/app/", {"code": code(seed, later=-1)}).status_code == 302
    return seed


@pytest.fixture
def seed(mira: Person) -> str:
    client = Client()
    sign_in(client)
    return set_up(client)


def test_the_code_is_asked_for_after_the_password(seed: str) -> None:
    client = Client()
    asked = sign_in(client, next="/consent/")
    assert asked["Location"] == "/sign-in/second/"
    assert client.get("/consent/").status_code == 302
    assert client.get("/sign-in/second/").status_code == 200
    wrong = client.post("/sign-in/second/", {"code": "000000"})
    assert wrong.status_code == 422
    before = entries()
    right = client.post("/sign-in/second/", {"code": code(seed)})
    assert right["Location"] == "/consent/"
    assert client.get("/consent/").status_code == 200
    assert entries()[len(before) :] == ["session:started"]
    assert before[-2:] == ["credential:added", "session:refused"]


def test_a_code_counts_once_in_whichever_process(seed: str) -> None:
    first, second = Client(), Client()
    sign_in(first), sign_in(second)
    once = code(seed)
    assert first.post("/sign-in/second/", {"code": once}).status_code == 302
    assert second.post("/sign-in/second/", {"code": once}).status_code == 422
    assert second.post("/sign-in/second/", {"code": code(seed, later=-1)}).status_code == 422
    assert second.post("/sign-in/second/", {"code": code(seed, later=1)}).status_code == 302


def test_guessing_codes_is_slow(seed: str) -> None:
    client = Client()
    sign_in(client)
    for _ in range(5):
        assert client.post("/sign-in/second/", {"code": "000000"}).status_code == 422
    waits = client.post("/sign-in/second/", {"code": code(seed)})
    assert waits.status_code == 429
    assert int(waits["Retry-After"]) > 0


def test_recovery_codes_let_in_once_each_and_are_shown_once(mira: Person, seed: str) -> None:
    own = Client()
    sign_in(own)
    own.post("/sign-in/second/", {"code": code(seed)})
    page = own.post("/account/codes/").content.decode()
    codes = re.findall(r"<li><code>(\d+)</code>", page)
    assert len(codes) == 10
    assert codes[0] not in own.get("/account/").content.decode()
    for number, status in ((0, 302), (0, 422), (1, 302)):
        client = Client()
        sign_in(client)
        assert client.post("/sign-in/second/", {"code": codes[number]}).status_code == status


def test_nothing_in_the_database_yields_a_code(mira: Person, seed: str) -> None:
    rows = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert seed not in rows
    sealed = Authenticator.objects.get().data["secret"]
    assert len(sealed) > 60


def test_a_changed_key_needs_its_predecessor_named(
    mira: Person, seed: str, settings: Settings
) -> None:
    from governance.accounts.errors import SecretUnreadableError

    old, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 12
    here = Source("192.0.2.1")
    with pytest.raises(SecretUnreadableError):
        second_factor.check_code(person=mira, code=code(seed), origin=here)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert second_factor.check_code(person=mira, code=code(seed), origin=here)


def test_no_column_tells_when_somebody_was_here(mira: Person, seed: str) -> None:
    client = Client()
    sign_in(client)
    client.post("/sign-in/second/", {"code": code(seed)})
    assert set(Authenticator.objects.values_list("last_used_at", flat=True)) == {None}


def test_the_api_asks_for_the_code_too(seed: str) -> None:
    client = Client()
    body = {"username": "mira", "password": "right"}

    def post(more: dict[str, str]) -> Any:
        return client.post("/api/v1/session", body | more, content_type="application/json")

    missing = post({})
    assert missing.status_code == 401
    assert missing.json()["type"] == "/problems/second-factor-required"
    assert post({"code": "000000"}).status_code == 401
    assert post({"code": code(seed)}).status_code == 201


def test_removing_the_last_one_removes_the_recovery_codes(mira: Person, seed: str) -> None:
    client = Client()
    sign_in(client)
    client.post("/sign-in/second/", {"code": code(seed)})
    client.post("/account/codes/")
    assert client.post("/account/remove/0/").status_code == 302
    assert not Authenticator.objects.exists()
    assert entries()[-1] == "credential:removed"
    assert sign_in(Client())["Location"] == "/"


class TestConfirming:
    """Adding a way in, and saying yes, is for who has just shown that it is they."""

    @pytest.fixture(autouse=True)
    def asks(self, settings: Settings) -> None:
        settings.REMIT_STEP_UP_SECONDS = 300

    def test_after_five_minutes_the_person_is_asked_again(
        self, mira: Person, time_machine: Callable[[datetime], None]
    ) -> None:
        client = Client()
        sign_in(client)
        assert client.get("/account/app/").status_code == 200
        time_machine(timezone.now() + timedelta(minutes=6))
        asked = client.get("/account/app/")
        assert asked["Location"] == "/account/confirm/?next=%2Faccount%2Fapp%2F"
        wrong = client.post("/account/confirm/", {"password": "no", "next": "/account/app/"})
        assert wrong.status_code == 422
        right = client.post("/account/confirm/", {"password": "right", "next": "/account/app/"})
        assert right["Location"] == "/account/app/"
        assert client.get("/account/app/").status_code == 200
        assert entries()[-2:] == ["session:refused", "private:told"]

    def test_a_password_alone_does_not_confirm_who_has_a_second_factor(
        self, mira: Person, seed: str, time_machine: Callable[[datetime], None]
    ) -> None:
        client = Client()
        sign_in(client)
        client.post("/sign-in/second/", {"code": code(seed)})
        time_machine(timezone.now() + timedelta(minutes=6))
        assert client.post("/account/confirm/", {"password": "right"}).status_code == 422
        assert b'name="password"' not in client.get("/account/confirm/").content
        ahead = code(seed, later=1)
        assert client.post("/account/confirm/", {"code": ahead}).status_code == 302

    def test_the_page_leads_only_to_ours(self, mira: Person) -> None:
        client = Client()
        sign_in(client)
        sent = {"password": "right", "next": "https://mallory.example/"}
        assert client.post("/account/confirm/", sent)["Location"] == "/account/"


def answer_of_a_passkey(data: bytes) -> str:
    said = b'{"type":"webauthn.get","challenge":"AAAA","origin":"http://localhost"}'
    parts = {
        "clientDataJSON": said,
        "authenticatorData": data,
        "signature": b"s",
        "userHandle": b"1",
    }
    written = {name: urlsafe_b64encode(part).decode().rstrip("=") for name, part in parts.items()}
    return json.dumps({"id": "eHh4", "rawId": "eHh4", "type": "public-key", "response": written})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"r" * 32 + b"\x01\0\0\0\0",
        b"r" * 32 + b"\x81\0\0\0\0",
        b"r" * 32 + b"\x81\0\0\0\0\x19",
        b"r" * 32 + b"\x81\0\0\0\0" + b"\x81" * 9000,
    ],
    ids=["nothing", "well-formed", "no-extension", "half-a-number", "ten-thousand-brackets"],
)
def test_what_is_no_passkey_is_refused_and_leaves_no_session(data: bytes) -> None:
    stranger = Client()
    stranger.get("/sign-in/passkey/")
    sent = {"credential": answer_of_a_passkey(data)}
    assert stranger.post("/sign-in/passkey/", sent).status_code == 422
    assert not Session.objects.exists()


def test_a_passkey_confirms_only_with_its_pin_or_finger(mira: Person) -> None:
    request = RequestFactory().get("/account/confirm/")
    request.session = Client().session
    with request_context(request):
        asked = webauthn.begin_authentication(mira)
    assert asked["publicKey"]["userVerification"] == "required"
