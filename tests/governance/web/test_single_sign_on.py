"""The organisation's own sign-on says who somebody is, and no more than that is kept."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from audit.actors import Actor
from audit.models import Entry
from governance.accounts import directory, services
from governance.accounts.models import HeldSession, Person
from tests.infrastructure.oidc import Provider, running_provider

pytestmark = [pytest.mark.django_db, pytest.mark.real]
SUBJECT = "hr-4711"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as server:
        yield server


@pytest.fixture(autouse=True)
def configured(provider: Provider, settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [provider.app()]}}


@pytest.fixture
def mira() -> Person:
    person = services.create_person(
        username="mira", display_name="Mira", actor=Actor.system("seed")
    )
    Person.objects.filter(pk=person.pk).update(external_id=SUBJECT)
    return person


def leave_for(client: Client, then: str = "/consent/") -> str:
    """Press the button, and return the provider's address that the page leads to."""
    page = client.post("/sign-in/sso/", {"next": then})
    assert page.status_code == 200
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.content.decode())
    assert found
    return unescape(found[1])


def come_back(client: Client, provider: Provider, address: str, subject: str = SUBJECT) -> Any:
    return client.get(provider.sign_in(address, subject=subject))


def entries() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("event", flat=True))


def test_a_person_of_the_directory_signs_in_and_is_bound_to_the_subject(
    provider: Provider, mira: Person
) -> None:
    client = Client()
    address = leave_for(client)
    assert "code_challenge_method=S256" in address
    assert "scope=openid&" in f"{address}&"
    before = len(entries())
    assert come_back(client, provider, address)["Location"] == "/consent/"
    assert client.get("/consent/").status_code == 200
    assert entries()[before:] == ["credential:added", "session:started"]
    bound = SocialAccount.objects.get()
    assert (bound.uid, bound.user_id, bound.extra_data) == (SUBJECT, mira.pk, {})
    assert HeldSession.objects.get().way == "single-sign-on"
    again = Client()
    joined = bound.date_joined
    before = len(entries())
    assert come_back(again, provider, leave_for(again))["Location"] == "/consent/"
    assert entries()[before:] == ["session:started"]
    bound.refresh_from_db()
    assert bound.last_login - joined < timedelta(seconds=1), "a column tells when somebody came"


@pytest.mark.parametrize("subject", ["stranger", "mira", ""])
def test_whom_the_directory_did_not_name_gets_in_nowhere(
    provider: Provider, mira: Person, subject: str
) -> None:
    client = Client()
    refused = come_back(client, provider, leave_for(client), subject=subject or "x@y.example")
    assert refused.status_code == 422
    assert client.get("/consent/").status_code == 302
    assert entries()[-1] == "session:refused"
    assert not SocialAccount.objects.exists()


def test_a_chosen_claim_finds_the_user_name(
    provider: Provider, mira: Person, settings: Settings
) -> None:
    import httpx

    httpx.put(f"{provider.issuer}/users/other-sub", json={"preferred_username": "mira"})
    settings.REMIT_OIDC_CLAIM = "preferred_username"
    own = provider.app(scope=["openid", "profile"])
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [own]}}
    client = Client()
    come_back(client, provider, leave_for(client), subject="other-sub")
    assert client.get("/consent/").status_code == 200
    assert SocialAccount.objects.get().uid == "other-sub"


def test_who_left_is_turned_away(provider: Provider, mira: Person) -> None:
    client = Client()
    come_back(client, provider, leave_for(client))
    Person.objects.update(is_active=False)
    again = Client()
    come_back(again, provider, leave_for(again))
    assert again.get("/consent/").status_code == 302
    assert client.get("/consent/").status_code == 302


def test_who_was_removed_and_came_back_as_somebody_new_is_bound_anew(
    provider: Provider, mira: Person
) -> None:
    client = Client()
    come_back(client, provider, leave_for(client))
    directory.end(mira.pk, remove=True)
    stranger = Client()
    assert come_back(stranger, provider, leave_for(stranger)).status_code == 422
    assert SocialAccount.objects.get().user_id == mira.pk
    described = directory.Described(username="mira", display_name="Mira", external_id=SUBJECT)
    again = directory.add(described)
    assert come_back(stranger, provider, leave_for(stranger))["Location"] == "/consent/"
    assert stranger.get("/consent/").status_code == 200
    assert client.get("/consent/").status_code == 302, "the one who left is signed in again"
    assert SocialAccount.objects.get().user_id == again.pk


def test_who_left_and_was_not_removed_stays_bound(provider: Provider, mira: Person) -> None:
    client = Client()
    come_back(client, provider, leave_for(client))
    directory.end(mira.pk)
    come_back(client, provider, leave_for(client))
    assert client.get("/consent/").status_code == 302
    assert SocialAccount.objects.get().user_id == mira.pk


def test_an_answer_counts_for_the_browser_that_asked_and_once(
    provider: Provider, mira: Person
) -> None:
    client, mallory = Client(), Client()
    back = provider.sign_in(leave_for(client), subject=SUBJECT)
    assert mallory.get(back).status_code == 422
    assert client.get(back).status_code == 302
    assert client.get(back).status_code in {302, 422}
    assert mallory.get(re.sub("state=[^&]+", "state=guess", back)).status_code == 422
    assert mallory.get("/consent/").status_code == 302


def test_another_issuer_is_refused(provider: Provider, mira: Person, settings: Settings) -> None:
    client = Client()
    back = provider.sign_in(leave_for(client), subject=SUBJECT)
    own = provider.app(server_url=f"{provider.issuer}/")
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [own]}}
    assert client.get(back).status_code == 422
    assert not SocialAccount.objects.exists()


def test_a_provider_that_is_away_is_said_so(mira: Person, settings: Settings) -> None:
    gone = Provider("http://127.0.0.1:9")
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [gone.app()]}}
    answer = Client().post("/sign-in/sso/", {"next": "/"})
    assert answer.status_code == 422
    assert "Single sign-on did not succeed" in answer.content.decode()


def test_a_fresh_sign_in_there_confirms_and_an_old_one_or_another_s_does_not(
    provider: Provider,
    mira: Person,
    settings: Settings,
    time_machine: Callable[[datetime], None],
) -> None:
    settings.REMIT_STEP_UP_SECONDS = 300
    client = Client()
    come_back(client, provider, leave_for(client))
    time_machine(timezone.now() + timedelta(minutes=6))
    assert client.get("/account/app/").status_code == 302
    address = leave_for(client, "/account/app/")
    assert "prompt=login" in address
    assert "max_age=0" in address
    stranger = come_back(client, provider, address, subject="stranger")
    assert stranger.status_code == 422
    assert client.get("/account/app/").status_code == 302
    answer = come_back(client, provider, leave_for(client, "/account/app/"))
    assert answer["Location"] == "/account/app/"
    assert client.get("/account/app/").status_code == 200
    assert entries()[-1] == "private:told"


@pytest.mark.parametrize("then", ["//evil.example/", "/\\evil.example/", "/\t/evil.example/"])
def test_a_confirmation_leads_to_no_other_site(provider: Provider, mira: Person, then: str) -> None:
    client = Client()
    come_back(client, provider, leave_for(client))
    assert come_back(client, provider, leave_for(client, then))["Location"] == "/"
