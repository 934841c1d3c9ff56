"""Bring a text to the plain form the patterns are written for, and map findings back.

Look-alikes hide entities from patterns: full-width digits, non-breaking hyphens, zero-width
joiners, accents written apart, Cyrillic letters among Latin ones, what URLs, HTML and JSON write
for `@`. The plain form has ASCII digits, hyphens, blanks and base letters, one character for one,
except what is dropped or decoded; `origin` gives for each plain character the range it came from,
so that a span in the plain form names exact offsets in the original.
"""

import re
import unicodedata
from dataclasses import dataclass
from html.entities import html5

# Format characters and marks: they join, turn, tag and accent letters, and are none themselves.
_DROPPED = frozenset(
    chr(code)
    for code in (*range(0x80, 0x20000), *range(0xE0000, 0xE0200))
    if unicodedata.category(chr(code)) in ("Cf", "Mn", "Me")
) | frozenset("\u115f\u1160\u3164\uffa0")  # Letters by name, and blank.
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ESCAPED = re.compile(
    r"&#(?P<d>[0-9]{2,6});|&#[xX](?P<x>[0-9A-Fa-f]{2,5});|&(?P<n>[a-z]{2,7});|\\u(?P<u>[0-9A-Fa-f]{4})"
)
_DRIVE = re.compile(r"\b[A-Za-z]:\\")
_BASE_LETTERS = {
    "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "s", "æ": "a", "Æ": "A",
    "œ": "o", "Œ": "O", "\u0131": "i", "ð": "d", "þ": "t", "Þ": "T", "\u2212": "-", "\u2043": "-",
}  # fmt: skip
# Letters of other alphabets that nobody tells from Latin ones by looking.
_BASE_LETTERS |= dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d"
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
        "\u03bf\u03b1\u03bd\u03c1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1"
        "\u03a4\u03a5\u03a7",
        "aeopcyxijsdqwABEKMHOPCTYXIJSoavpABEZHIKMNOPTYX",
        strict=True,
    )
)
_CONTINUATION = "\x00"
_LATIN_END = 0x100
_FIRST_PRINTABLE, _LAST_PRINTABLE, _LEAD_BYTE = 0x20, 0x7E, 0xC0


@dataclass(frozen=True, slots=True)
class Plain:
    """A text in plain form; `origin` is None when offsets are those of the original."""

    text: str
    origin: tuple[tuple[int, int], ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the range of the original that a range of the plain text stands for."""
        if self.origin is None or start >= end:
            return start, end
        return self.origin[start][0], self.origin[end - 1][1]


class _Plainer(dict[int, str]):
    """A translation table that learns each character once."""

    def __missing__(self, code: int) -> str:
        plain = self[code] = _plain_character(chr(code))
        return plain


def _plain_character(character: str) -> str:
    """Return the one character that stands for this one in the plain form."""
    category = unicodedata.category(character)
    if character.isascii() or character in _BASE_LETTERS:
        return _BASE_LETTERS.get(character, character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category in ("Pd", "Zs"):
        return "-" if category == "Pd" else " "
    base = unicodedata.normalize("NFKD", character)[:1]
    if base.isascii() and base.isprintable():
        return base
    if category[0] == "L":
        return "X" if character.isupper() else "x"
    return character if ord(character) < _LATIN_END else "?"


_TABLE = _Plainer()


def plain(text: str) -> Plain:
    """Return the plain form of a text. Linear in its length; a plain ASCII text costs a glance."""
    origin: list[tuple[int, int]] | None = None
    if not text.isascii():
        if not _DROPPED.isdisjoint(text):
            kept = [index for index, character in enumerate(text) if character not in _DROPPED]
            origin = [(index, index + 1) for index in kept]
            text = "".join(text[index] for index in kept)
        text = text.translate(_TABLE)
    if "%" in text and _PERCENT.search(text):
        text, decoded = _decode_percent(text)
        origin = (
            decoded if origin is None else [(origin[a][0], origin[b - 1][1]) for a, b in decoded]
        )
    if ("&" in text or "\\u" in text) and _ESCAPED.search(text):
        text, decoded = _decode_escapes(text)
        origin = (
            decoded if origin is None else [(origin[a][0], origin[b - 1][1]) for a, b in decoded]
        )
    if "\\" in text and not _DRIVE.search(text):
        # Escapes seen in logs and JSON: the letter n is not part of the next word.
        text = text.replace("\\n", "  ").replace("\\t", "  ").replace("\\r", "  ")
    return Plain(text, None if origin is None else tuple(origin))


def _decode_percent(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Decode %XX; a UTF-8 sequence becomes one letter, whose range covers all its bytes."""
    characters: list[str] = []
    ranges: list[tuple[int, int]] = []
    index = 0
    while index < len(text):
        width = 1
        character = text[index]
        if character == "%" and _PERCENT.match(text, index):
            character = _decoded_byte(int(text[index + 1 : index + 3], 16))
            width = 3
        if character == _CONTINUATION and width > 1 and ranges:
            ranges[-1] = (ranges[-1][0], index + width)
        else:
            characters.append(character)
            ranges.append((index, index + width))
        index += width
    return "".join(characters), ranges


def _decode_escapes(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Decode what HTML and JSON write for one character; what they do not know stays."""
    characters: list[str] = []
    ranges: list[tuple[int, int]] = []
    end = 0
    for match in [*_ESCAPED.finditer(text), None]:
        start = match.start() if match else len(text)
        characters += text[end:start]
        ranges += ((index, index + 1) for index in range(end, start))
        if match is None:
            break
        end = match.end()
        characters.append(_escaped(match))
        ranges.append((start, end))
    return "".join(characters), ranges


def _escaped(match: re.Match[str]) -> str:
    if name := match["n"]:
        character = html5.get(f"{name};", "?")[:1]
    else:
        code = int(match["d"]) if match["d"] else int(match["x"] or match["u"], 16)
        character = chr(code)
    return " " if not character.isprintable() else _plain_character(character)


def _decoded_byte(value: int) -> str:
    if _FIRST_PRINTABLE <= value <= _LAST_PRINTABLE:
        return chr(value)
    if value < _FIRST_PRINTABLE or value == _LAST_PRINTABLE + 1:
        return " "
    return "x" if value >= _LEAD_BYTE else _CONTINUATION
