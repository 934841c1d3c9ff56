"""R32: an account belongs to one person. Who is signed in where is theirs to see and to end."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from audit.actors import Actor
from audit.models import Entry
from governance.accounts import services, sessions
from governance.accounts.models import HeldSession, Person

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"


@pytest.fixture(autouse=True)
def mira() -> Person:
    return services.create_person(
        username="mira", display_name="Mira", password="right", actor=Actor.system("seed")
    )


def signed_in(agent: str = FIREFOX, client: Client | None = None) -> Client:
    client = client or Client(headers={"user-agent": agent})
    assert client.post("/sign-in/", {"username": "mira", "password": "right"}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def warned(client: Client) -> bool:
    return "signed in on another computer" in client.get("/").content.decode()


def test_r32_two_sessions_of_one_account_on_two_computers_are_shown_to_both() -> None:
    first = signed_in()
    assert not warned(first)
    second = signed_in(CHROME)
    assert warned(first)
    assert warned(second)
    page = first.get("/account/").content.decode()
    assert "Firefox · Linux" in page
    assert "Chrome · Windows" in page
    assert "140" not in page


def test_r32_the_same_computer_twice_is_no_warning() -> None:
    first = signed_in()
    again = Client(headers={"user-agent": FIREFOX})
    again.cookies["remit-computer"] = first.cookies["remit-computer"].value
    signed_in(client=again)
    assert not warned(first)
    assert not warned(again)


def test_r32_any_session_is_ended_from_any_other() -> None:
    first, second = signed_in(), signed_in(CHROME)
    other = HeldSession.objects.get(session_key=second.session.session_key)
    assert first.post(f"/account/sessions/{other.id}/end/").status_code == 302
    assert is_in(first)
    assert not is_in(second)
    assert not warned(first)
    assert Entry.objects.latest("id").event == "session:ended"


def test_another_s_session_is_not_there() -> None:
    services.create_person(
        username="carla", display_name="Carla", password="right", actor=Actor.system("seed")
    )
    own = signed_in()
    carla = Client()
    carla.post("/sign-in/", {"username": "carla", "password": "right"})
    theirs = HeldSession.objects.get(session_key=own.session.session_key)
    assert carla.post(f"/account/sessions/{theirs.id}/end/").status_code == 404
    assert is_in(own)


def test_signing_out_everywhere_else_keeps_this_one() -> None:
    clients = [signed_in() for _ in range(3)]
    assert clients[0].post("/account/sessions/end/").status_code == 302
    assert [is_in(client) for client in clients] == [True, False, False]


def test_a_row_ends_with_its_session_and_their_number_is_bounded() -> None:
    client = signed_in()
    client.post("/sign-out/")
    assert not HeldSession.objects.exists()
    for _ in range(sessions.MOST_SESSIONS + 3):
        signed_in()
    assert HeldSession.objects.count() == sessions.MOST_SESSIONS
    assert Session.objects.count() == sessions.MOST_SESSIONS


def test_changing_the_role_goes_on_with_the_same_session(mira: Person) -> None:
    client = signed_in()
    before = HeldSession.objects.get()
    client.post("/role/", {"role": "employee"})
    after = HeldSession.objects.get()
    assert after.id == before.id
    assert after.session_key != before.session_key
    assert is_in(client)


def test_a_mark_of_a_computer_signs_nobody_in() -> None:
    first = signed_in()
    client = Client()
    client.cookies["remit-computer"] = first.cookies["remit-computer"].value
    assert not is_in(client)


def test_strangers_do_not_keep_a_known_computer_out() -> None:
    own = signed_in()
    own.post("/sign-out/")
    for number in range(25):
        sent = {"username": "mira", "password": "guess"}
        Client(REMOTE_ADDR=f"198.51.100.{number}").post("/sign-in/", sent)
    sent = {"username": "mira", "password": "right"}
    assert Client().post("/sign-in/", sent).status_code == 429
    signed_in(client=own)
    assert is_in(own)
