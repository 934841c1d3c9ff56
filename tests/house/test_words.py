"""Every marked text has its words in every language, and none of them persuades."""

import re

import pytest
from babel.messages.catalog import Message

from consent import persuasion
from tests import words

HOLES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|<[^>]+>")
# Longer than a term that languages may share.
SENTENCE = re.compile(r"(?:[A-Za-z]+ ){3}[a-z]+")


def texts(message: Message) -> list[tuple[str, str]]:
    """Return each text of a message beside its words."""
    said = [message.id] if isinstance(message.id, str) else list(message.id)
    meant = [message.string] if isinstance(message.string, str) else [*(message.string or ())]
    return list(zip(said, map(str, meant or [""] * len(said)), strict=True))


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_the_catalogue_holds_exactly_the_marked_texts_and_is_compiled(language: str) -> None:
    brought_up = words.brought_up(language)
    assert words.missing(brought_up) == []
    kept = words.path_of(language, "po").read_bytes()
    assert words.written(brought_up) == kept, "Run `make words` and commit what it writes."
    assert words.compiled(brought_up) == words.path_of(language, "mo").read_bytes()


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_value_stands_in_every_language(language: str) -> None:
    for message in words.catalogue(language):
        for text, meant in texts(message):
            if text:
                assert sorted(HOLES.findall(text)) == sorted(HOLES.findall(meant)), text


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_no_sentence_was_left_in_english(language: str) -> None:
    left = [
        text
        for message in words.catalogue(language)
        for text, meant in texts(message)
        if text == meant and SENTENCE.search(text)
    ]
    assert left == []


@pytest.mark.parametrize("language", ["en", *words.LANGUAGES])
def test_no_text_of_the_pages_pushes_towards_an_answer(language: str) -> None:
    messages = words.template_catalogue() if language == "en" else words.catalogue(language)
    said = [text[language != "en"] for message in messages for text in texts(message)]
    found = [text for text in said if text and persuasion.pushing(text, language=language)]
    assert len(said) > 1000
    assert found == []


def test_a_template_gives_up_its_tags_blocks_and_expressions() -> None:
    from django.template import engines

    source = (
        '{% translate "One" %}{% if x %}{{ y|default:_("Two") }}{% else %}'
        "{% blocktranslate count n=y %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}"
        '{% endif %}{% for z in x %}{% translate "Three" context "noun" %}{% endfor %}'
        '{% include "portal/band.html" with w=_("Four") %}'
    )
    template = engines["django"].from_string(source).template  # type: ignore[attr-defined]
    assert set(words.of_template(template)) == {
        ("One", None),
        ("Two", None),
        (("%(n)s day", "%(n)s days"), None),
        ("Three", "noun"),
        ("Four", None),
    }
