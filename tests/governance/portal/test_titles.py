"""Purposes are called on every page what their notice calls them, in the language of the page."""

import pytest
from django.utils.translation import override

from governance.management import demo_texts
from governance.policies import services as policies
from governance.portal.offer import purpose_titles
from tests import make

pytestmark = pytest.mark.django_db


def test_a_purpose_is_called_what_its_notice_calls_it_in_the_language_of_the_page(
    nordhafen: make.House,
) -> None:
    texts = {language: make.notice(make.TRAIN) for language in ("en", "de", "fr")}
    texts["de"]["purpose"] = {**dict(texts["de"]["purpose"]), "title": "Agenten trainieren"}  # type: ignore[call-overload]  # A notice is JSON.
    policies.publish_notice(purpose=make.TRAIN, texts=texts, actor=nordhafen.ines)
    with override("de"):
        assert purpose_titles()[make.TRAIN] == "Agenten trainieren"
    with override("en"):
        assert purpose_titles()[make.TRAIN] != "Agenten trainieren"
    with override("it"):
        assert purpose_titles()[make.PURPOSES[1]]


def test_the_demo_calls_applications_alike_in_every_notice_and_on_the_form() -> None:
    names = {each["key"]: each["name"] for each in demo_texts.APPLICATIONS}
    for words in demo_texts._WORDS.values():
        assert words.applications.items() <= names.items()
