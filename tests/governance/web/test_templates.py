"""What holds for every template, whoever wrote it."""

import re
from pathlib import Path

import lucide
import pytest

from governance.web import wording
from governance.web.logs import JsonFormatter

TEMPLATES = sorted((Path(__file__).resolve().parents[3] / "templates").rglob("*.html"))
FORBIDDEN = (
    "we value your privacy",
    "help us improve",
    "optimise",
    "don't worry",
    "oops",
    "monitoring",
)
UNTRANSLATED = re.compile(r">\s*[A-Z][a-z]+ [a-z]+[^<{]*<")
COMMENTS = re.compile(
    r"{%\s*(block)?translate.*?%}|{%\s*blocktranslate.*?endblocktranslate\s*%}", re.DOTALL
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_nothing_stands_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert " style=" not in text
    assert "<style" not in text
    assert "javascript:" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\son[a-z]+=", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_sentence_can_be_translated_and_none_persuades(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not UNTRANSLATED.search(COMMENTS.sub("", text))
    # Some laws demand a notice of this very name; elsewhere the word says less than it should.
    said = re.sub("monitoring[ _]notices?", "", text.lower())
    assert not [words for words in FORBIDDEN if words in said]


# Names of ours and of formats, which every language writes alike.
UNTRANSLATABLE = ("Remit", "SHA-256", "JSON", "RFC 9162", "C2SP signed-note, tlog-cosignature")
CLASSES = ("console", "portal")
ADDRESS = re.compile(r"/[\w/…]*|\S+@\S+")
LEFT_OUT = re.compile(
    r"{%\s*blocktranslate.*?endblocktranslate\s*%}|{%.*?%}|{{.*?}}|<(code|pre)\b.*?</\1>", re.DOTALL
)
NAMED = re.compile(r'\b(?:aria-label|title|placeholder|alt)="([^"{]*[A-Za-z]{2}[^"{]*)"')


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_word_escapes_translation(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pieces = [piece.strip(" \n\u2013") for piece in re.split(r"<[^>]*>", LEFT_OUT.sub(" ", text))]
    words = [piece for piece in pieces if re.search("[A-Za-z]{2}", piece)]
    assert not [
        word
        for word in words
        if word not in (*UNTRANSLATABLE, *CLASSES) and not ADDRESS.fullmatch(word)
    ]
    assert not NAMED.findall(text)


def test_every_icon_exists() -> None:
    names = {
        name
        for path in TEMPLATES
        for name in re.findall(r'{% icon "([a-z0-9-]+)"', path.read_text(encoding="utf-8"))
    }
    for name in names | set(wording.CATEGORY_ICONS.values()):
        assert lucide._render_icon(name, 16)


def test_a_log_line_holds_no_value_of_a_request() -> None:
    import logging
    import sys

    line = ""
    try:
        int("secret words")
    except ValueError:
        record = logging.LogRecord(
            "web", logging.ERROR, __file__, 1, "Refused %s", ("secret words",), sys.exc_info()
        )
        record.request = "secret words"
        line = JsonFormatter().format(record)
    assert "secret words" not in line
    assert "ValueError" in line


def test_every_command_of_the_verifier_on_a_page_says_whom_to_trust() -> None:
    # Without keys the tool refuses to say anything: such a line would only disappoint.
    pages = [*TEMPLATES, Path(__file__).resolve().parents[3] / "README.md"]
    commands = [
        command
        for path in pages
        for command in re.findall(
            r"remit-verify\.pyz (?:proof|scan|monitor|mine|receipt)\b[^`\n<]*",
            path.read_text(encoding="utf-8"),
        )
    ]
    assert len(commands) >= 5
    assert [command for command in commands if "--policy" not in command] == []
