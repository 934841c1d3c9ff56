"""The words around a match. A nine-digit number is a bank account only where someone says so."""

import re
from typing import Final, NamedTuple

_WORDS: Final = {
    "card": r"card|karte|carte|tarjeta|\bcc\b|visa|mastercard|amex|kreditk",
    "phone": (
        r"\btel\b|tel\.|tel:|phone|mobile|\bcell\b|\bcall\b|fax|handy|telef|reach|number is|\bT\b"
        r"|\bM:|rappeler|whatsapp|dial(?! ext)|contact|desk:|office:|answering|voicemail|text me"
        r"|sms|ring me|hotline|number to|number in"
        r"|numero|nummer|messages? to|voice ?mail|calling|text(?:ing)? |\bnr\b|ruckruf|anruf|mobil"
    ),
    "not_phone": (
        r"order|invoice|version|\bsku\b|part n|serial|isbn|track|shipment|\bref\b|reference|ticket"
        r"|build|\bean\b|batch"
    ),
    "count": (
        r"order|invoice|qty|units|total|\bid\b|version|\bhash\b|sku|serial|isbn|shipment|note|ref\b"
    ),
    "birth": r"\bdob\b|d\.o\.b|born|birth|geburt|geb\.|naissance|nacimiento|nascita|\bne\b|urodz",
    "social": r"\bssn\b|social|tax.?id|itin",
    "national": (
        r"\bsin\b|\bbsn\b|nhs|\bni\b|national|insurance|steuer|tax|pesel|personnummer|aadhaar"
        r"|\bpan\b|\bcpf\b|\bdni\b|\bnie\b|fiscal|secu|\bid\b|\bvat\b|\btva\b|ust"
    ),
    "passport": r"passport|reisepass|passeport|pasaporte|travel doc",
    "licence": r"driv|licen[cs]e|fuhrerschein|fuehrerschein|permis",
    "account": (
        r"account|acct|kontonummer|\bkonto\b|\biban\b|\bbank\b|cuenta|compte|sort code|routing"
        r"|\baba\b"
    ),
    "employee": (
        r"employee|staff|personal(?:nummer|nr)|actor|badge|emp\b|personnel|mitarbeiter|worker id"
    ),
    "medical": r"\bmrn\b|medical record|patient|chart n|health card",
    "version": (
        r"version|\bv$|\bv\.$|build|section|chapter|release|==$|windows|macos|\brev\b|/$|manual"
        r"|python|firmware|kernel|release"
    ),
    "code": (
        r"\botp\b|one.?time|2fa|mfa|verification|\btan\b|einmal|passcode|auth code|security code"
        r"|use code|login code|code (?:is|:)|your code|\bcode\b.{0,24}(?:is|:|=) ?$"
        r"|(?:sms|texted|pin) code|code \w{2,8}(?: \w{2,8}){0,2} (?:sent|texted|got|gave)"
        r"|digit code|codigo|codice|kod\b"
    ),
    "secret": r"secret|token|api.?key|credential|private key|access key",
    # The word must end right before the number: a number elsewhere in the sentence is not meant.
    "national_here": (
        r"(?:\bsin|\bbsn|nhs(?: no| number)?|\bni number|steuer-?id(?: lautet)?|pesel|personnummer"
        r"|aadhaar|\bcpf|\bdni(?:/nie)?|national insurance number|tax (?:id|number|no\.?)"
        r"|vat(?: (?:id|no\.?|number))?)\W{0,4}$"
    ),
}
_PATTERNS: Final = {
    name: re.compile(words, re.ASCII | re.IGNORECASE) for name, words in _WORDS.items()
}
# The same words wherever in a text they stand: "$" means right before a number not yet known.
LOOSE: Final = {
    name: re.compile(words.replace("$", ""), re.ASCII | re.IGNORECASE)
    for name, words in _WORDS.items()
}
_DEFAULT_REACH: Final = 28
_REACH: Final = {
    "version": 14,
    "national_here": 24,
    "licence": 30,
    "passport": 30,
} | dict.fromkeys(
    ("account", "national", "phone", "code", "medical", "employee", "secret", "card"), 48
)
_WITHOUT_LABEL: Final = frozenset({"version", "national_here"})


class Surroundings(NamedTuple):
    """The text before a match, and the label of the field it stands in."""

    text: str
    label: str
    start: int

    def says(self, *names: str) -> bool:
        """Tell whether one of the named groups of words stands before the match."""
        for name in names:
            reach = _REACH.get(name, _DEFAULT_REACH)
            before = self.text[max(0, self.start - reach) : self.start]
            if self.label and name not in _WITHOUT_LABEL:
                before = f"{self.label} {before}"
            if before and _PATTERNS[name].search(before):
                return True
        return False
