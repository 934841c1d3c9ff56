"""Word lists of our own: given names, surnames, words a page is made of, and words that are both.

All in plain form and lower case. They are small on purpose: the organisation's own directory finds
its people, these lists only say how much a capitalised word looks like a name. Written for this
project; no list of real people went in.
"""

from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "lexicon_data"
_SUFFIXES: Final = (("s", ""), ("es", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"))
_SHORTEST_STEM: Final = 3
_PARTICLES: Final = "van von de der den di da del la le dos bin al el 't ter ten zu zur af av"
PARTICLES: Final = frozenset(_PARTICLES.split())


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset((_FOLDER / f"{name}.txt").read_text(encoding="utf-8").split())


def is_given_name(word: str) -> bool:
    """Tell whether every part of a (hyphenated) word is a given name."""
    return all(part in _words("given") for part in word.split("-"))


def is_surname(word: str) -> bool:
    return word.rpartition("-")[2] in _words("surnames")


def is_ambiguous(word: str) -> bool:
    """Tell whether a word is a name and an everyday word: Frank, Rose, King."""
    return word in _words("ambiguous")


def is_common_word(word: str) -> bool:
    """Tell whether a word, or what is left of it without an ending, is an everyday word."""
    word = word.lower()
    common = _words("common")
    if word in common:
        return True
    return any(
        word.endswith(suffix)
        and len(word) - len(suffix) >= _SHORTEST_STEM
        and word[: -len(suffix)] + ending in common
        for suffix, ending in _SUFFIXES
    )


def digest_parts() -> list[bytes]:
    """Return the bytes of the lists, for the provenance of a redacted record."""
    return [path.read_bytes() for path in sorted(_FOLDER.glob("*.txt"))]
