"""Words that push: a notice informs, and a text that persuades makes the consent worthless.

GDPR 4(11) and recital 42 ask for a free choice; EDPB 03/2022 names the ways in which words take it
away (stirring, overloading). One table for the languages in which people are asked. It refuses what
is known to push; it does not find every way to push, so two people still read each notice.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from consent.errors import NoticePersuadesError

# Which way of pushing, and the words that show it.
_PHRASES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "en": {
        "appeal": (
            "help (?:us|our|your)",
            "support (?:us|our|your team)",
            "contribute",
            "be part of",
            "join (?:us|in|our|your)",
            "make a difference",
            "do(?:ing)? your (?:part|bit)",
            "together,? we",
            "just by doing",
        ),
        "company": (
            "most (?:people|employees|colleagues|of your)",
            "everyone else",
            "everybody else",
            "your (?:colleagues|team) (?:have|has|already)",
            r"\d+ ?(?:%|per ?cent)",
            "team player",
            "loyal",
        ),
        "hurry": (
            "last chance",
            "do not miss",
            "don.t miss",
            "hurry",
            "now or never",
            "act now",
            "only until",
            "before it is too late",
        ),
        "reward": (
            "reward",
            "bonus",
            "prizes?",
            "vouchers?",
            "gift",
            "benefit from",
            "you (?:will )?gain",
            "free of charge",
        ),
        "praise": (
            "exciting",
            "amazing",
            "great",
            "wonderful",
            "fantastic",
            "awesome",
            "innovative",
            "pioneers?",
            "proud",
            "hero(?:es)?",
        ),
        "soothing": (
            "don.t worry",
            "do not worry",
            "no worries",
            "nothing to worry",
            "rest assured",
            "we value",
            "your trust",
            "harmless",
            "simply",
            "of course you can trust",
        ),
        "pressure": (
            "please (?:allow|agree|accept|consent|say yes)",
            "we (?:recommend|hope|expect|count on|would love)",
            "we.d love",
            "recommended",
            "are you sure",
            "you should (?:allow|agree|accept|consent)",
        ),
        "gloss": (
            "optimi[sz]e",
            "improve your",
            "better experience",
            "seamless",
            "thank you",
            "thanks",
        ),
    },
    "de": {
        "appeal": (
            "helfen sie",
            "unterstützen sie",
            "machen sie mit",
            "seien sie dabei",
            "werden sie teil",
            "leisten sie (?:ihren|einen) beitrag",
            "gemeinsam (?:schaffen|machen|gestalten|erreichen|besser)",
        ),
        "company": (
            "die meisten (?:kolleg|beschäftigt|mitarbeit|menschen)",
            "alle anderen",
            r"ihre? (?:kolleg\w+|team) (?:hat|haben)",
            r"\d+ ?(?:%|prozent)",
            "teamgeist",
            "teamplayer",
            "loyal",
        ),
        "hurry": (
            "letzte chance",
            "nicht verpassen",
            "beeilen",
            "jetzt oder nie",
            "nur noch bis",
            "nur bis zum",
            "bevor es zu spät",
        ),
        "reward": (
            "prämie",
            "bonus",
            "gutschein",
            "belohn",
            "gewinnen sie",
            "geschenk",
            "profitieren",
            "ihr vorteil",
            "kostenlos",
        ),
        "praise": (
            "spannend",
            "großartig",
            "toll(?:e|es|en|er)?",
            "fantastisch",
            "innovativ",
            "pionier",
            "vorreiter",
            "stolz",
        ),
        "soothing": (
            "keine sorge",
            "unbesorgt",
            "liegt uns am herzen",
            "ihr vertrauen",
            "wir schätzen",
            "harmlos",
            "ganz einfach",
        ),
        "pressure": (
            "bitte (?:erlauben|stimmen|willigen|akzeptieren|sagen sie ja)",
            "wir (?:empfehlen|hoffen|erwarten|freuen uns|zählen auf)",
            "empfohlen",
            "sind sie sicher",
            "sie sollten (?:erlauben|zustimmen|einwilligen)",
        ),
        "gloss": (
            "optimier",
            "bessere[sn]? erlebnis",
            "nahtlos",
            "vielen dank",
            "danke",
        ),
    },
    "fr": {
        "appeal": (
            "aidez",
            "soutenez",
            "participez",
            "rejoignez",
            "faites partie",
            "contribuez",
            "apportez votre",
            "tous ensemble",
            "ensemble,? nous",
        ),
        "company": (
            "la plupart (?:des|de vos|d.entre)",
            "tous les autres",
            "vos collègues (?:ont|le)",
            "votre équipe (?:a|ont) déjà",
            r"\d+ ?(?:%|pour ?cent)",
            "esprit d.équipe",
            "loya(?:l|ux)",
        ),
        "hurry": (
            "dernière chance",
            "ne manquez pas",
            "dépêchez",
            "maintenant ou jamais",
            r"plus que \d",
            "sans attendre",
            "avant qu.il ne soit trop tard",
        ),
        "reward": (
            "récompense",
            r"\bprimes?\b",
            "bonus",
            "cadeau",
            "bon d.achat",
            "profitez",
            "votre avantage",
            "gratuit",
        ),
        "praise": (
            "passionnant",
            "formidable",
            "génial",
            "fantastique",
            "innovant",
            "pionni",
            r"fiers?\b",
            "fière",
        ),
        "soothing": (
            "ne vous inquiétez",
            "rassurez-vous",
            "soyez sans crainte",
            "votre confiance",
            "nous tenons à",
            "inoffensi",
            "tout simplement",
        ),
        "pressure": (
            "(?:veuillez|merci de|s.il vous plaît,?) (?:accepter|autoriser|consentir|permettre)",
            "nous (?:recommandons|espérons|comptons sur|serions ravis)",
            "recommandé",
            "êtes-vous sûr",
            "vous devriez (?:accepter|autoriser|consentir|permettre)",
        ),
        "gloss": (
            "optimis",
            "meilleure expérience",
            "merci",
            "sans couture",
        ),
    },
}
_FOUND: Final = {
    language: re.compile(
        r"(?<!\w)(?:" + "|".join(words for way in ways.values() for words in way) + ")",
        re.IGNORECASE,
    )
    for language, ways in _PHRASES.items()
}
_LEFT_OUT: Final = frozenset({"name", "address", "contact", "broader"})


def pushing(text: str, *, language: str) -> tuple[str, ...]:
    """Return the words of a text that push, as they stand in it; none for an unknown language."""
    found = _FOUND.get(language)
    plain = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("\N{NO-BREAK SPACE}", " ")
    return () if found is None else tuple(match.group() for match in found.finditer(plain))


def check(texts: Mapping[str, Mapping[str, object]]) -> None:
    """Refuse a notice, by language, whose words push. NoticePersuadesError names them."""
    found = {
        language: list(of_notice(content, language=language))
        for language, content in sorted(texts.items())
    }
    if any(found.values()):
        raise NoticePersuadesError({language: words for language, words in found.items() if words})


def of_notice(content: Mapping[str, object], *, language: str) -> tuple[str, ...]:
    """Return the words of a notice that push. Names and addresses are as they are."""
    return tuple(word for text in _texts(content) for word in pushing(text, language=language))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if key not in _LEFT_OUT:
                yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
