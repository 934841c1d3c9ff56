"""Places that nobody may have captured, and kinds of data that nobody may collect. Pure data.

Promise: no policy that reaches for one of them can be drafted or activated, by anybody, and no
setting removes a line of these tables (standards.md R51, R52, R55). Words that no list knows can
always be found: the second pair of eyes, the assessment and the agreement stand behind this.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.policies.errors import CategoryProhibitedError, ProtectedSurfaceError


@dataclass(frozen=True, slots=True)
class Surface:
    """One protected place: the words by which a pattern betrays that it reaches there.

    A word is found where it stands alone, between anything that is no letter, and where a wildcard
    stands for a part of it.
    """

    key: str
    words: Promise
    rule: str
    betrays: tuple[str, ...]


PROTECTED: Final[tuple[Surface, ...]] = (
    Surface(
        "staff-self-service",
        _("personnel and benefits pages"),
        "GDPR 5(1)(c), 9(1)",
        (
            *("workday", "myworkday", "successfactors", "personio", "bamboohr", "hibob", "sagehr"),
            *("payslip", "payslips", "payroll", "lohnabrechnung", "gehaltsabrechnung", "//hr"),
            *("benefits", "krankmeldung", "bulletin-de-paie", "human-resources", "personalakte"),
        ),
    ),
    Surface(
        "health",
        _("health pages"),
        "GDPR 9(1)",
        (
            *("health", "healthcare", "gesundheit", "krankenkasse", "patient", "patients"),
            *("doctolib", "ameli", "aok", "barmer", "clinic", "klinik", "mychart", "sante"),
        ),
    ),
    Surface(
        "banking-and-tax",
        _("banking and tax pages"),
        "GDPR 5(1)(c)",
        (
            *("banking", "onlinebanking", "bank", "sparkasse", "volksbank", "paypal", "elster"),
            *(
                "turbotax",
                "finanzamt",
                "impots",
                "irs",
                "steuererklaerung",
                "steuererklarung",
                "revolut",
                "n26",
            ),
        ),
    ),
    Surface(
        "mail",
        _("mail"),
        "GDPR 5(1)(f), 14; Cal. Penal Code 631-632",
        (
            *("mail", "webmail", "gmail", "outlook", "thunderbird", "gmx", "web.de", "yahoo"),
            *("protonmail", "proton.me", "icloud", "hotmail", "roundcube", "zimbra", "owa"),
        ),
    ),
    Surface(
        "messages-and-calls",
        _("chats and calls"),
        "GDPR 5(1)(f), 14; Cal. Penal Code 631-632",
        (
            *(
                "slack",
                "teams.microsoft.com",
                "ms-teams",
                "microsoft-teams",
                "zoom",
                "whatsapp",
                "telegram",
                "signal",
                "discord",
            ),
            *("skype", "webex", "meet.google.com", "chat", "messenger", "jitsi", "mattermost"),
        ),
    ),
    Surface(
        "representatives",
        _("pages of unions and works councils"),
        "GDPR 9(1); BetrVG 78; NLRA s. 7",
        (
            *("union", "gewerkschaft", "verdi", "betriebsrat", "works-council", "workscouncil"),
            *("ig-metall", "cfdt", "syndicat", "personalrat"),
        ),
    ),
    Surface(
        "whistleblowing",
        _("channels for reporting wrongs"),
        "Directive (EU) 2019/1937",
        (
            *("whistleblowing", "whistleblower", "speakup", "speak-up", "hinweisgeber"),
            *("ethics-line", "ethicspoint", "navex", "integrity-line", "lanceur-d-alerte"),
        ),
    ),
    Surface(
        "help-for-staff",
        _("help and advice for staff"),
        "GDPR 9(1)",
        ("employee-assistance", "eap", "counselling", "sozialberatung", "betriebsarzt"),
    ),
    Surface(
        "legal-counsel",
        _("talks with lawyers"),
        "GDPR 5(1)(c); legal privilege",
        ("legal-counsel", "lawyer", "attorney", "rechtsanwalt", "anwalt", "avocat", "kanzlei"),
    ),
    Surface(
        "private-browsing",
        _("private windows of browsers"),
        "GDPR 5(1)(c)",
        (
            *("incognito", "inprivate", "private-browsing", "inkognito", "privates-fenster"),
            *("privater-modus", "navigation-privee", "tor-browser", "private-window"),
        ),
    ),
    Surface(
        "credentials",
        _("stores of passwords"),
        "GDPR 32(1)",
        ("1password", "bitwarden", "keepass", "keepassxc", "lastpass", "dashlane", "keychain"),
    ),
)


@dataclass(frozen=True, slots=True)
class NeverCollected:
    """A kind of data that no policy can name."""

    key: str
    words: Promise
    rule: str


NEVER_COLLECTED: Final[tuple[NeverCollected, ...]] = (
    NeverCollected(
        "communication-content",
        _("what people write and say to each other"),
        "GDPR 14; Cal. Penal Code 631-632; 1798.140(ae)",
    ),
    NeverCollected("microphone", _("sound"), "GDPR 5(1)(c); Cal. Penal Code 632"),
    NeverCollected("camera", _("pictures of people"), "GDPR 9(1); 740 ILCS 14"),
    NeverCollected("clipboard", _("what was copied"), "GDPR 5(1)(c)"),
    NeverCollected("password", _("passwords and other secrets"), "GDPR 32(1)"),
    NeverCollected("biometric", _("marks of the body"), "GDPR 9(1); 740 ILCS 14"),
    NeverCollected("location", _("where somebody is"), "GDPR 5(1)(c)"),
    NeverCollected(
        "activity", _("whether and how fast somebody works"), "11 CCR 7150(b)(4); SAN-2024-021"
    ),
)
_BY_KEY: Final = {each.key: each for each in NEVER_COLLECTED}


def _patterns() -> tuple[tuple[Surface, re.Pattern[str]], ...]:
    return tuple(
        (
            surface,
            re.compile(r"(?<![a-z])(?:" + "|".join(map(_loose, surface.betrays)) + r")(?![a-z])"),
        )
        for surface in PROTECTED
    )


def _loose(word: str) -> str:
    # "works-council" is also found as "works council" and "works_council".
    return r"[^a-z0-9]?".join(map(re.escape, word.split("-")))


_PATTERNS: Final = _patterns()
_PIECE: Final = 3
_USUAL_PORTS: Final = {"http": 80, "https": 443}
_FIRST: Final = re.compile(r"^[a-z0-9]+")
_LAST: Final = re.compile(r"[a-z0-9]+$")
_PUNYCODE: Final = re.compile(r"(?<![a-z0-9-])xn--([a-z0-9-]+)", re.IGNORECASE)


def surface_of(text: str) -> Surface | None:
    """Return the protected place that a pattern, host, title or program's name reaches, or None."""
    said = _plain(_as_read(text))
    if _own_host() in said:
        return Surface("portal", _("this portal itself"), "standards.md R51", ())
    for surface, pattern in _PATTERNS:
        if pattern.search(said) or any(_is_half_said(word, said) for word in surface.betrays):
            return surface
    return None


def _is_half_said(word: str, said: str) -> bool:
    """Return whether the wildcards of a pattern may stand for parts of a word: `outloo*`, `*mai*`.

    Looked at are the letters beside each wildcard; fewer than three could begin anything.
    """
    if "*" not in said:
        return False
    if fnmatchcase(word, said.replace("[", "[[]").replace("?", "[?]")):
        return True
    parts = said.split("*")
    return any(
        _ends_half(part, word, before=index > 0, after=index < len(parts) - 1)
        for index, part in enumerate(parts)
    )


def _ends_half(part: str, word: str, *, before: bool, after: bool) -> bool:
    """Return whether the letters of a part that touch a wildcard are a piece of the word."""
    if part.isalnum() and before and after:
        return len(part) >= _PIECE and part in word
    first, last = _FIRST.match(part), _LAST.search(part)
    return bool(
        (before and first and len(first[0]) >= _PIECE and word.endswith(first[0]))
        or (after and last and len(last[0]) >= _PIECE and word.startswith(last[0]))
    )


def _as_read(text: str) -> str:
    """Return a host's punycode as the letters that a person reads."""
    return _PUNYCODE.sub(_read, text)


def _read(label: re.Match[str]) -> str:
    try:
        return label[1].encode("ascii").decode("punycode")
    except UnicodeError:
        return label[0]


def _own_host() -> str:
    """Return our host as a browser names it in an origin, and without what hides a spelling."""
    own = urlsplit(settings.REMIT_EXTERNAL_ORIGIN)
    host = _plain(_as_read(own.hostname or "")).rstrip(".")
    is_usual = own.port in {None, _USUAL_PORTS.get(own.scheme)}
    return host if is_usual else f"{host}:{own.port}"


def _plain(text: str) -> str:
    """Return the letters without accents, width or case, so that no spelling hides a word."""
    apart = unicodedata.normalize("NFKD", text)
    # What is not seen (joiners, marks of direction) parts no word either.
    hidden = {"Cf", "Mn", "Me"}
    return "".join(each for each in apart if unicodedata.category(each) not in hidden).casefold()


def check(*texts: str) -> None:
    """Refuse what reaches for a protected place; ProtectedSurfaceError."""
    for text in texts:
        if found := surface_of(text):
            raise ProtectedSurfaceError(surface=found.key, words=str(found.words))


def check_categories(value: object) -> None:
    """Refuse a content that names what nobody may collect; CategoryProhibitedError."""
    named = value.get("categories") if isinstance(value, Mapping) else None
    for category in named if isinstance(named, list) else ():
        if isinstance(category, str) and (found := _BY_KEY.get(category)):
            raise CategoryProhibitedError(prohibition=found.key, words=str(found.words))
