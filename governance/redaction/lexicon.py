"""Word lists: given names, surnames, words a page is made of, and words that are both.

All in plain form and lower case; `lexicon_data/SOURCES.md` says where each comes from. They only
say how much a capitalised word looks like a name: the organisation's directory finds its people.
"""

import re
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "lexicon_data"
_SUFFIXES: Final = (("s", ""), ("es", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"))
_SHORTEST_STEM: Final = 3
_PARTICLES: Final = "van von de der den di da del la le dos bin al el 't ter ten zu zur af av"
PARTICLES: Final = frozenset(_PARTICLES.split())


# Endings that make an everyday noun or adjective of a long word, in the languages we read.
_NOUN_ENDING: Final = re.compile(
    r"(?:ung|ungen|heit|heiten|keit|keiten|schaft|schaften|tion|tions|tionen|tat|taten|liche[nrsm]?"
    r"|ische[nrsm]?|ieren|ierung|barer?|lose[nrs]?|nummer|stelle|blatt|plan|liste|buch|zeit|karte"
    r"|ment|ments|ements?|ique|iques|cion|ciones|ite|dad|dades|zione|zioni|mente|acao|coes|idade|heid"
    r"|ingen|anie|enie|osc|ness|ship|able|ible|ology|graphy|ware|board|flow|base|sheet|book)$"
)
_LONG_WORD: Final = 7
# Words that a sentence of these languages can hardly do without; none of them is an English one.
_FUNCTION_WORDS: Final = re.compile(
    r"(?<!\w)(?:und|der|das|ist|nicht|ein|eine|einen|ich|wir|mit|auf|bitte|ihre?|zu[mr]|vom|beim|fur"
    r"|noch|sind|haben|werden|kann|bis|dem|den|des|heute|morgen)(?!\w)",
    re.IGNORECASE,
)

_MONTHS: Final = (
    "january february march april may june july august september october november december"
)
_DAYS: Final = (
    "monday tuesday wednesday thursday friday saturday sunday easter christmas advent spring"
    " summer autumn winter"
)
_CALENDAR: Final = frozenset([*_MONTHS.split(), *_DAYS.split()])


@cache
def _words(*names: str) -> frozenset[str]:
    texts = ((_FOLDER / f"{name}.txt").read_text(encoding="utf-8") for name in names)
    return frozenset(word for text in texts for word in text.split())


def is_given_name(word: str) -> bool:
    """Tell whether every part of a (hyphenated) word is a given name."""
    return all(part in _words("given", "census_given") for part in word.split("-"))


@cache
def given_names() -> tuple[str, ...]:
    """Return the given names of our own list, in order: what invented people are called."""
    return tuple(sorted(_words("given")))


def is_surname(word: str) -> bool:
    return word.rpartition("-")[2] in _words("surnames", "census_surnames")


def is_well_known_surname(word: str) -> bool:
    """Tell whether our own, short list has a surname; the census has "Dear" and "Price", too."""
    return word.rpartition("-")[2] in _words("surnames")


def is_ambiguous(word: str) -> bool:
    """Tell whether a word is a name and an everyday word: Frank, Rose, King."""
    return word in _words("ambiguous")


def is_common_word(word: str) -> bool:
    """Tell whether a word, or what is left of it without an ending, is an everyday word.

    Our own list of given names is older than the dictionary's: "martin" is a bird there.
    """
    word = word.lower()
    return is_page_word(word) or is_dictionary_word(word)


def is_dictionary_word(word: str) -> bool:
    """Tell whether a word is everyday in the dictionary only; some such words are names, too."""
    word = word.lower()
    if word in _words("given"):
        return False
    if _is_listed(word, "common", "english"):
        return True
    return (
        len(word) >= _LONG_WORD
        and _NOUN_ENDING.search(word) is not None
        and not is_surname(word)
        and not is_given_name(word)
    )


def is_page_word(word: str) -> bool:
    """Tell whether pages and letters are full of this word, as "all" in "Dear all,"."""
    word = word.lower()
    if word in _words("common", "foreign"):
        return True
    return (
        word.endswith("s")
        and len(word) > _SHORTEST_STEM
        and word[:-1] in _words("common")
        and word not in _words("given")
    )


def is_calendar_word(word: str) -> bool:
    """Tell whether a word is written with a capital letter although it names nobody."""
    return word.lower() in _CALENDAR or word.lower() in _words("foreign")


def _is_listed(word: str, *names: str) -> bool:
    everyday = _words(*names)
    return word in everyday or any(
        word.endswith(suffix)
        and len(word) - len(suffix) >= _SHORTEST_STEM
        and word[: -len(suffix)] + ending in everyday
        for suffix, ending in _SUFFIXES
    )


def capitalises_nouns(text: str) -> bool:
    """Tell whether a text in plain form is German, where a capital letter says little."""
    return len(set(_FUNCTION_WORDS.findall(text.lower()))) > 1


def digest_parts() -> list[bytes]:
    """Return the bytes of the lists, for the provenance of a redacted record."""
    return [path.read_bytes() for path in sorted(_FOLDER.glob("*.txt"))]
