"""Words a screen may show to anyone: of programs, offices, clinics, workshops; no one's name.

A list of our own beside the lexicon's, because a screen is shown word by word: what is in neither
is painted over where text would only have been left alone. No list of people went in.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from governance.redaction import lexicon
from governance.redaction.normalize import plain

_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SHORT: Final = 2
_LONGEST_NUMBER: Final = 6
_ENDINGS: Final = ("s", "es", "ed", "d", "ing", "ly", "er", "ers")


@cache
def _own() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split())


def digest_part() -> bytes:
    """Return the bytes of the list, for the provenance of a record."""
    return (Path(__file__).parent / "words.txt").read_bytes()


@lru_cache(maxsize=32768)
def is_known(word: str) -> bool:
    """Tell whether a word in lower case is of no one in particular.

    What is a name as well ("holly", "baker") counts only where pages are full of it.
    """
    if lexicon.is_page_word(word) or word in _own():
        return True
    if lexicon.is_given_name(word) or lexicon.is_surname(word):
        return False
    return lexicon.is_dictionary_word(word) or any(
        word.endswith(ending) and word.removesuffix(ending) in _own() for ending in _ENDINGS
    )


def is_harmless(text: str) -> bool:
    """Tell whether a token says nothing of anyone: known words and short numbers only.

    `createdAt` and `max_length=20` are words put together; `veda.handa` and `x7Qp2` are not.
    """
    parts = _PARTS.findall(plain(text).text)
    letters = [part for part in parts if not part.isdigit()]
    if any(len(part) > _LONGEST_NUMBER for part in parts if part.isdigit()):
        return False
    if len(letters) > 1 and all(len(part) <= _SHORT for part in letters):
        return False  # What is made of crumbs is a code, not words.
    return all(len(part) <= _SHORT or is_known(part.lower()) for part in letters)
