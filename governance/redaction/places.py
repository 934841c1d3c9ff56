"""Postal addresses: a street word and a number, a cue such as "ship to", or a block of lines.

Patterns see the plain form. `block` widens a found street to its house number and post code.
"""

import re
from typing import Final

from governance.redaction.context import Surroundings
from governance.redaction.findings import Range, Rule, Span, rule
from governance.redaction.lexicon import is_calendar_word, is_common_word, is_page_word
from governance.redaction.patterns import value

_STREET_LIST: Final = """
Alley Avenue Ave Boulevard Blvd Bridge Brook Burg Bypass Camp Canyon Cape Causeway Center Circle Cir
Cliff Cliffs Close Club Common Corner Corners Course Court Ct Cove Coves Creek Crescent Crest
Crossing Crossroad Curve Dale Dam Divide Drive Dr Estate Estates Expressway Extension Fall Falls
Ferry Field Fields Flat Flats Ford Fords Forest Forge Forges Fork Forks Fort Freeway Garden Gardens
Gateway Glen Glens Green Greens Grove Groves Harbor Harbors Haven Heights Highway Hwy Hill Hills
Hollow Inlet Island Islands Isle Junction Junctions Key Keys Knoll Knolls Lake Lakes Land Landing
Lane Ln Light Lights Loaf Lock Locks Lodge Loop Mall Manor Manors Meadow Meadows Mews Mill Mills
Mission Motorway Mount Mountain Mountains Neck Orchard Oval Overpass Park Parks Parkway Pkwy Pass
Passage Path Pike Pine Pines Place Pl Plain Plains Plaza Point Points Port Ports Prairie Radial Ramp
Ranch Rapid Rapids Rest Ridge Ridges River Road Rd Route Row Run Shoal Shoals Shore Shores Skyway
Spring Springs Spur Spurs Square Sq Station Stravenue Stream Street St Streets Summit Terrace Ter
Throughway Trace Track Trafficway Trail Trl Tunnel Turnpike Underpass Union Unions Valley Valleys
Via Viaduct View Views Village Villages Ville Vista Walk Walks Wall Way Ways Well Wells
"""
_STREET_WORDS: Final = _STREET_LIST.split()
_STREET: Final = "(?:" + "|".join(sorted({*_STREET_WORDS, *map(str.lower, _STREET_WORDS)})) + ")"
_NAME: Final = r"[A-Z][\w.'-]{0,40}"
_UNIT: Final = r"(?:,? (?:Apt|Suite|Unit|Flat|Studio|#|Apartment)\.? ?\w{1,10})?"
_POST_CODE: Final = r"(?:[A-Z]{1,2}-)?(?:\d{4,5}(?: ?[A-Z]{2})?|[A-Z]{1,2}\d[\dA-Z]? ?\d[A-Z]{2})"
_TOWN: Final = r"[A-Z][\w' .-]{1,30}?"
_TOWN_LINE: Final = (
    rf"(?: ?, {_POST_CODE} {_TOWN}(?=,|;|$|\n|\t| and | \(|\s\|)"
    rf"| ?, {_TOWN},? [A-Z]{{2}} \d{{5}}(?:-\d{{4}})?"
    rf"| ?, {_TOWN}, [A-Z]{{1,2}}\d[\dA-Z]? ?\d[A-Z]{{2}})"
)
_TOWN_MAYBE: Final = f"{_TOWN_LINE}?"
_JOINED_ENDINGS: Final = (
    "strasse|strase|str\\.|weg|platz|allee|gasse|ring|ufer|damm|Strasse|Strase|Weg|Platz|Allee"
    "|Gasse|Ring|straat|laan|plein|singel|gracht|dreef|kade|pad|steeg|hof|baan|boulevard|dijk|park"
    "|wal|haven|stien|straeti|braut|vegur|gaarde|kroken|utja|polku|kuja|gaten|cad|sok|namesti"
    "|gata|gatan|vagen|vei|veien|vej|utca|ter|gade|katu|tie|cesta|ulice|ulica|trg"
)
_ROMANCE: Final = (
    "[Cc]alle|C/|Avenida|Avda\\.?|Plaza|Paseo|Pasaje|Ronda|Canada|Glorieta|Rambla|Callejon|Acceso"
    "|Alameda|Camino|Cuesta|Urbanizacion|Vial|Via|Pasadizo|Viale|Piazza|Corso|Largo|Vicolo|Borgo"
    "|Strada|Contrada|Canale|Stretto|Rotonda|Incrocio|Piazzetta|Rua|Travessa|Praca|Ulica|ul\\."
)
_CUE: Final = (
    r"(?:address(?: is| to|:)?(?: the same:)?|lives? at|located (?:at|on)|living at"
    r"|ship(?:ped)? to|deliver(?:ed)? (?:it )?to|meet me at|taxi to|send (?:it|a new one) to"
    r"|mail(?:ed)? to|sent to|validate the following\?|reside at|residing at|going to"
    r"|come (?:over )?to|moved to|office at|home at|wohnhaft|anschrift|adresse|visit us at"
    r"|situated at|directions to|store at|pick me up at|arrive at|event at)\W{0,3}\n?\s{0,4}"
)
_CUE_NEEDS: Final = (
    "address adresse anschrift wohnhaft live living locat ship deliver meet taxi send sent mail"
    " validate resid going come moved office home visit situated directions store pick arrive event"
)
_APARTMENT: Final = r"(?:Apt|Suite|Unit|Flat|Studio|Apartment|Box)\b\.? ?\w{1,10}"


def _named_street(match: re.Match[str], _: Surroundings) -> Range:
    """Accept "Lindenweg 4" but not "Park 4": a common word alone is no street."""
    words = match[0].split()
    return None if len(words) == 2 and is_common_word(words[0]) else match.span()  # noqa: PLR2004


def _unknown_street(match: re.Match[str], _: Surroundings) -> Range:
    """Accept "538 Bedricha Smetany 258": between two numbers stands a name no list explains."""
    words = re.findall(r"[A-Z][\w'-]*", match["v"])
    everyday = [word for word in words if is_page_word(word) or is_calendar_word(word)]
    known = all(len(word) < 2 or is_common_word(word) for word in words)  # noqa: PLR2004
    return None if known or everyday else match.span()


RULES: Final[tuple[Rule, ...]] = (
    rule(
        "ADDRESS",
        rf"\b\d{{1,6}}[A-Za-z]? (?:{_NAME} ){{1,4}}?{_STREET}\b{_UNIT}{_TOWN_MAYBE}",
        needs="\\d",
    ),
    rule(
        "ADDRESS",
        rf"\b(?:Flat|Studio|Apartment"
        rf"|Unit) \w{{1,5}},? ?(?:\d{{1,5}} )?(?:{_NAME} ){{1,3}}{_STREET}"
        rf"\b{_TOWN_MAYBE}",
        needs="flat studio apartment unit",
    ),
    rule("ADDRESS", rf"\b\d{{1,5}} {_NAME}(?: {_NAME}){{0,3}} \w{{1,40}}{_TOWN_LINE}", needs="\\d"),
    rule(
        "ADDRESS",
        rf"\b[A-Z][\w-]{{0,40}}(?:\s[A-Z][\w-]{{0,40}})?[ -]?(?:{_JOINED_ENDINGS})(?: |-)"
        rf"\d{{1,4}} ?[a-z]{{0,2}}\b(?:[-/]\d{{1,4}})?{_TOWN_MAYBE}",
        _named_street,
        needs="\\d",
    ),
    rule(
        "ADDRESS",
        r"(?<!\w)(?:\d{1,6} )?(?:[A-Z][\w.'-]{1,40} ){1,3}"
        r"(?:ut|utca|ter|vei|vej|vagen|gate|gata|vag|tee|puiestee) \d{1,4}\b\.?",
        needs="\\d",
    ),
    rule(
        "ADDRESS",
        r"\b(?:lives? on|off at|street (?:is|at)|address is:?) (?P<v>[^\n.!?]{4,60}?\d{1,5})\b",
        value(),
        needs="live off street address",
        fold=True,
    ),
    rule(
        "ADDRESS",
        r"\b(?:\d{1,4},? (?:bis |ter )?)?(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin"
        r"|[Ii]mpasse|[Aa]llee|[Qq]uai|[Cc]ours|[Ss]quare|[Pp]assage) (?:d[eu'] ?|de la |des "
        r"|de l'|\d{1,2} )?"
        rf"[A-Z][\w' .-]{{1,40}}?(?:{_TOWN_LINE}|(?=,|;|$|\n|\t| and ))",
        needs="rue avenue boulevard place chemin impasse allee quai cours square passage",
    ),
    rule(
        "ADDRESS",
        rf"\b(?:{_ROMANCE}) (?:d[ei] |de la |del |dei |da |do )?[A-Z][\w' .-]{{1,40}}?,? ?\d{{1,4}}"
        r"\b(?:,? ?(?:Piso|Puerta|Apt|Appartamento|piano|Bloque|Esc\.?)\.? ?\w{0,4}(?: ?[A-Z]\b)?)?"
        rf"{_TOWN_MAYBE}",
        needs="\\d",
    ),
    rule(
        "ADDRESS",
        rf"\b(?:P\.? ?O\.? Box|Postfach) \d{{1,6}}\b{_TOWN_MAYBE}",
        needs="box postfach",
        fold=True,
    ),
    rule(
        "ADDRESS",
        rf"{_CUE}(?P<v>(?!\d{{1,3}}\.\d{{1,3}}\.|\d{{1,2}}[:.]\d\d|\d{{4}}-\d\d|[^\n?!]{{0,64}}@)(?=[^\n?!]{{0,60}}\d)[A-Z0-9#][^\n?!;]{{4,90}}?)"
        r"(?=[?!;]|\. |\.$|$|\n[^A-Z0-9 ]|, (?:and|or|please|can|i)\b| and (?:i|ask|please|my)\b"
        r"| for this\b| please)",
        value(),
        needs=_CUE_NEEDS,
        fold=True,
    ),
    rule(
        "ADDRESS",
        r"(?<![\w$.,#-])\d{1,6}[A-Za-z]?,? (?:\d{1,5} )?[A-Z][\w.'-]{1,40}"
        r"(?: (?:[A-Z][\w.'-]{1,40}|of|the|de|del|di|da|la|van|den|der|du|des|and)){0,5}"
        rf"(?: \d{{1,5}}[a-zA-Z]?\b)?,?(?: |\n){{0,4}}{_APARTMENT}",
        needs="apt suite unit flat studio apartment box",
    ),
    rule(
        "ADDRESS",
        rf"\b(?:[A-Z][\w.'-]{{1,40}} ){{1,4}}\d{{1,5}}[a-zA-Z]?\b,?(?: |\n){{0,4}}{_APARTMENT}",
        needs="apt suite unit flat studio apartment box",
    ),
    rule(
        "ADDRESS",
        r"\b(?:Apt|Suite|Unit|Flat|Apartment)\.? \d{1,5}\b",
        needs="apt suite unit flat apartment",
        fold=True,
    ),
    rule(
        "ADDRESS",
        r"\b(?:PSC|Unit|USS|USNS|USCGC|USNV)\b[\w ]{1,24},? ?(?:Box \d{1,6})?(?:\n| )"
        r"(?:APO|FPO|DPO) A[AEP] \d{5}|\b(?:APO|FPO|DPO) A[AEP],? \d{5}|\bUnit \d{1,6} Box \d{1,6}",
        needs="apo fpo dpo unit",
    ),
    rule(
        "ADDRESS",
        r"(?<![\w$.,#:/-])(?:\d{1,6},? ){1,2}(?P<v>[A-Z][\w'/-]{0,40}\.?"
        r"(?: (?:[A-Z][\w'/-]{0,40}\.?|d[eiou]|de[lrs]|la|van|von|den|al|e|y|i|u\.)){0,5})"
        r" \d{1,5}[a-zA-Z]?\b(?![.:/%-]?\d)",
        _unknown_street,
        needs="\\d",
    ),
    rule(
        "ADDRESS",
        r"\b(?P<v>[A-Z][\w'-]{2,40} and (?:\d{1,6} )?[A-Z][\w'.-]{2,40}"
        r"(?: [A-Z][\w'.-]{1,40}){0,3})"
        r" \d{1,5}[a-zA-Z]?\b(?![.:/%-]?\d)",
        _unknown_street,
        needs=" and ",
    ),
    rule(
        "ADDRESS",
        r"\bthe corner of [A-Z0-9][\w.' -]{2,60}? and (?:[A-Z][\w.'-]{1,40}|\d{1,5})"
        r"(?: [A-Z][\w.'-]{1,40}| \d{1,5}){0,4}",
        needs="corner",
    ),
)
_HOUSE_NUMBER: Final = re.compile(
    r"(?<![\w.:/-])(?:\d{1,6}[A-Za-z]?[ ,]{1,3}){1,2}$|(?<!\w)[A-Z][\w'-]{2,30} and (?:\d{1,6} )?$"
)
# What may part the lines of an address; a text that was escaped has blanks for its line breaks.
_LINE_BREAK: Final = re.compile(r"[ ,;]{0,3}\n?[ ,]{0,3}(?:[}>?|]{1,3} ?)?")
_ADDRESS_WORD: Final = re.compile(
    r"(?P<unit>(?:Apt|Suite|Unit|Flat|Studio|Apartment|Box|Piso|App)\b\.? ?\w{1,6})"
    r"|(?P<code>(?:[A-Z]{1,2}-)?\d{4,6}(?:[ -]\d{3,4})?(?![\w:/.-]?\d)(?: ?[A-Z]{2}\b)?"
    r"|\d{2,3}[ -]\d{2,3}(?![\w:/.-]?\d)|[A-Z]{1,2}\d[\dA-Z]? ?\d[A-Z]{2}\b)"
    r"|(?P<town>\(?[A-Z][\w'.-]*+\)?(?![:@=])|nan\b)"
    r"|(?P<joint>(?:nad|am|an|der|im|sur|d[eiou]|ob|v|la|le|les|of"
    r"|the|upon|in|pod|pri|del|do|da)(?= [A-Z]))"
)
_BEFORE, _AFTER, _MOST_ADDRESS_WORDS = 44, 110, 12


def block(text: str, spans: list[Span]) -> list[Span]:
    """Widen each address to the numbers before it, and to the unit, town and post code after it."""
    widened = []
    for span in spans:
        start, end, kind = span
        if kind == "ADDRESS":
            before = text[max(0, start - _BEFORE) : start]
            if number := _HOUSE_NUMBER.search(before):
                start -= len(number[0])
            end = _end_of_address(text, end)
        widened.append(Span(start, end, kind))
    return widened


def _end_of_address(text: str, end: int) -> int:
    """Return where the words end that can still belong to an address ending here.

    A page's own word ends it, unless the word is a country.
    """
    position, limit = end, min(len(text), end + _AFTER)
    for _ in range(_MOST_ADDRESS_WORDS):
        gap = _LINE_BREAK.match(text, position, limit)
        word = _ADDRESS_WORD.match(text, gap.end() if gap else position, limit)
        if word is None or (gap and gap.end() == position):
            break
        if word["town"] and is_page_word(word["town"].strip(".()")) and not _is_place(word["town"]):
            break
        position = word.end()
        if not word["joint"]:
            end = position
        if word["town"] and word["town"].endswith(".") and len(word["town"]) > 4:  # noqa: PLR2004
            return end - 1
    return end


def _is_place(word: str) -> bool:
    return is_calendar_word(word.strip(".()")) and word[0].isupper()
