"""The language of a page: the one the person chose, else the browser's, else the first of ours."""

import re
from pathlib import Path

import pytest
from django.test import Client

from audit import health
from consent import services as consents
from governance.web import wording
from tests import make
from tests.governance.portal.test_pages import filled

pytestmark = pytest.mark.django_db


def signed_in(name: str, *, asks: str = "") -> Client:
    client = Client(headers={"accept-language": asks} if asks else None)
    assert client.post("/demo/persona/", {"persona": name}).status_code == 302
    return client


@pytest.mark.parametrize(
    ("asks", "language", "words"),
    [
        ("", "en", "Nobody has opened your data."),
        ("de-AT, en;q=0.5", "de", "Niemand hat Ihre Daten geöffnet."),
        ("pl, fr-CA;q=0.8, de;q=0.2", "fr", "Bonjour, Tariq Sample"),
        ("pl", "en", "Nobody has opened your data."),
        ("\u0000;;q=x", "en", "Nobody has opened your data."),
    ],
)
def test_without_a_choice_the_browser_says_which(
    nordhafen: make.House, asks: str, language: str, words: str
) -> None:
    answer = signed_in("tariq", asks=asks).get("/")
    assert f'<html lang="{language}"' in answer.text
    assert answer.headers["Content-Language"] == language
    assert words in answer.text


def test_a_choice_is_kept_with_the_person_and_goes_before_every_browser(
    nordhafen: make.House,
) -> None:
    here = signed_in("tariq")
    chosen = here.post("/language/", {"language": "de", "next": "/consent/"})
    assert chosen.headers["Location"] == "/consent/"
    assert '<html lang="de"' in here.get("/consent/").text
    elsewhere = signed_in("tariq", asks="fr")
    assert '<html lang="de"' in elsewhere.get("/").text
    elsewhere.post("/language/", {"language": "fr"})
    assert '<html lang="fr"' in here.get("/data/").text
    assert '<html lang="en"' in signed_in("mira").get("/").text


@pytest.mark.parametrize("language", ["", "pl", "de-AT", "../de"])
def test_a_language_that_the_pages_do_not_have_changes_nothing(
    nordhafen: make.House, language: str
) -> None:
    client = signed_in("tariq", asks="fr")
    assert client.post("/language/", {"language": language}).status_code == 302
    assert '<html lang="fr"' in client.get("/").text
    assert nordhafen.people["tariq"].language == ""


def test_what_goes_wrong_is_said_in_the_language_too(nordhafen: make.House) -> None:
    client = signed_in("tariq", asks="de")
    assert "Diese Seite ist nicht hier" in client.get("/data/nothing/").text
    assert "Diese Seite ist nicht hier" in client.get("/requests/00000000-/").text
    # What programs get stays in one language: they compare it, and people read its page.
    problem = client.get("/api/v1/me/receipts/00000000-0000-7000-8000-000000000000").json()
    assert problem["title"] == "There is nothing here"
    assert "Diese Seite ist nicht hier" in client.get(problem["type"]).text


def test_why_the_log_is_closed_has_words_for_each_reason() -> None:
    source = (Path(health.__file__)).read_text(encoding="utf-8")
    said = set(re.findall(r'"((?:the|no|entries) [a-z ]+)"', source))
    assert said
    assert said == set(wording.CLOSED)


def test_r07_nobody_is_asked_in_a_language_in_which_the_notice_cannot_be_read(
    nordhafen: make.House,
) -> None:
    texts = dict.fromkeys(("en", "fr"), make.notice(make.TRAIN) | {"title": "Another"})
    consents.publish_notice(purpose=make.TRAIN, texts=texts, actor=nordhafen.ines)
    german = signed_in("tariq", asks="de")
    page = german.get("/consent/").text
    assert f"answer.{make.TRAIN}" not in page
    assert f"answer.{make.IMPROVE}" in page
    assert "Wählen Sie unten auf dieser Seite eine andere Sprache" in page
    assert f"answer.{make.TRAIN}" in signed_in("tariq", asks="fr").get("/consent/").text
    french = signed_in("tariq", asks="fr")
    yes = filled(french, "click", answer="yes")
    refused = german.post("/consent/review/", yes)
    assert refused.status_code == 409
    assert "Während Ihrer Auswahl hat sich etwas geändert" in refused.text
