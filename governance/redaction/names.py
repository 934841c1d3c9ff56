"""People in free text: the directory, phrases that introduce a name, runs of name-like words.

A capitalised word alone proves little. Evidence adds up: it is in a name list, it is no everyday
word, it follows "Dear" or "wrote:", it stands beside another name.
"""

import re
from collections.abc import Iterator
from typing import Final

from governance.redaction import lexicon
from governance.redaction.directory import Directory
from governance.redaction.findings import Span

_WORD: Final = r"[A-Z][a-z]+(?:'[A-Z][a-z]+)?(?:-[A-Z][a-z]+)*"
_PARTICLE: Final = r"(?:van|von|de|der|den|di|da|del|la|le|dos|bin|al|el|O')"
_SEQUENCE: Final = re.compile(
    rf"(?<![\w@#/\\.])({_WORD}|[A-Z]\.)(?:,? (?:{_PARTICLE}\s){{0,2}}(?:{_WORD}|[A-Z]\.))*"
)
_TOKEN: Final = re.compile(
    rf"{_WORD}|[A-Z]\.|(?<=[ .])(?:van|von|de|der|den|di|da|del|la|le|dos|bin|al|el|ter|ten|zu|zur"
    r"|af|'t)(?= )"
)
_HONORIFIC: Final = (
    r"(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herr|Frau|Herrn|Madame|Monsieur|Mme|Mlle|M\.|Sr|Sra|Senor|Senora"
    r"|Signor|Signora|Sig|Pan|Pani|Dhr|Mevr|Sir|Mx)\b\.?"
)
_SMALL: Final = r"(?:van|von|de|der|den|di|da|del|la|le|dos|al|el|'t|ter|ten)"
_LONG: Final = (
    rf"(?P<v>(?:{_SMALL} ){{0,2}}[A-Z][\w'-]{{1,40}}"
    rf"(?:,? (?:{_SMALL} ){{0,2}}(?:[A-Z]\.|[A-Z][\w'-]{{1,40}})){{0,3}})"
)
_SHORT: Final = rf"(?P<v>[A-Z][\w'-]{{1,40}}(?:(?: {_SMALL}){{0,2}} [A-Z][\w'-]{{1,40}})?)"
_HONORIFIC_CUE: Final = re.compile(rf"\b{_HONORIFIC} {_LONG}")
_GREETING_CUE: Final = re.compile(
    r"(?:^|[\n.!?] ?)(?:[Dd]ear|[Hh]i|[Hh]ey|[Hh]ello|[Hh]allo|[Bb]onjour|[Hh]ola|[Ll]iebe[r]?"
    r"|[Cc]here?|[Cc]iao|[Ee]stimad[oa]|[Gg]uten Tag|[Mm]oin|[Ss]alut|[Cc]aro|[Cc]ara|[Mm]orning"
    rf"|[Gg]ood morning),? (?:{_HONORIFIC} )?{_SHORT}"
)
_HOLDER_CUE: Final = re.compile(
    r"\b(?:[Nn]ame|[Cc]ardholder|account holder|holder|Titular|Applicant|Insured person|Patient"
    r"|Ship to|Deliver to|Bill to|Emergency contact|Contact|Attn|Recipient|Beneficiary"
    r"|Kontoinhaber|Empf\w+er|Destinataire|name on card|Assignee|Reporter|Owner|[Aa]uthor|Guest"
    rf"|Employee)\b ?:? ?{_LONG}"
)
_CUES: Final = tuple(
    re.compile(cue)
    for cue in (
        rf"(?:^|\n)\s*(?:From|To|Cc|Bcc|Von|An|De|Organizer|Required)\s?:\s?{_LONG}",
        rf"(?:^|[\n,;]) ?{_LONG} ?<[^>\s]{{1,80}}@",
        rf"\b(?:Organizer|Required|Optional|Attendees?):? {_LONG}",
        (
            r"(?:Kind regards|Best regards|Regards|Best|Cheers|Thanks|Thank you"
            r"|Mit freundlichen Gr\w+en|Viele Gr\w+e|Cordialement|Saludos|Grazie|Sincerely|BR),?\s+"
            rf"{_SHORT}"
        ),
        rf"\bOn [^\n]{{6,40}}?, {_LONG} wrote:",
        rf"\bschrieb {_LONG}",
        rf"\ba ecrit ?: ?{_LONG}",
        rf"@{_SHORT}",
        r"\b(?:CV|Resume|Lebenslauf)[_ -](?P<v>[A-Z][a-z'-]{1,40}(?:[_ ][A-Z][a-z'-]{1,40}){0,4})",
        r"\bInvoice_(?P<v>[A-Z][a-z'-]{1,40})_",
        (
            r"(?:spoke with|talk(?:ed)? to|met with|lunch with|call with|[Cc]hat with|meeting with"
            r"|[Aa]ccording to|ask for|reach|contact|ping|cc|thanks to|forward(?:ed)? to|offer for"
            r"|review - |interview with|assigned to|on behalf of|signed by|approved by|sent by"
            rf"|report(?:s)? to|manager is|my boss) {_LONG}"
        ),
        r"\bdid (?P<v>[A-Z][\w'-]{1,40}) (?:send|call|say|get|reply|come|finish|do)\b",
        (
            r"(?:^|[.!?\n] ?)(?P<v>[A-Z][\w'-]{1,40}(?: [A-Z][\w'-]{1,40})?) (?:said|says|told"
            r"|asked"
            r"|wrote|thinks|agreed|is leaving|is out|joined|called|emailed|replied|mentioned"
            r"|will call"
            r"|wants)\b"
        ),
        (
            r"\"(?:firstName|lastName|first_name|last_name|name|fullName|givenName|familyName"
            r"|surname"
            r"|customer|displayName)\" ?: ?\"(?P<v>[^\"]{1,80})\""
        ),
        r"'(?:firstName|lastName|first_name|last_name|fullName)' ?: ?'(?P<v>[^']{1,80})'",
    )
)
_WEAK_CUES: Final = frozenset({_HOLDER_CUE, *_CUES})
_LOWER_GREETING: Final = re.compile(
    r"(?:^|[\n.!?] ?)(?:hey|hi|hello|hallo|dear|thanks|thx|danke|merci|hola|ciao|ping|ask|tell"
    r"|cc|@)"
    r" ?(?P<v>[a-z]{3,20})\b"
)
_PART: Final = re.compile(
    rf"(?:(?<=[;\t|(])|(?<= - )|^)[ ]?(?:{_WORD})(?:,? (?:{_WORD})){{0,3}}(?=[;\t|)]| - |$)",
    re.MULTILINE,
)
_CLOSES: Final = re.compile(r"\s*(?:[,!\n]|$)")
_HAS_CAPITAL: Final = re.compile(r"[A-Z][\w'.]")
_INITIAL: Final = 2
_MOST_WORDS: Final = 4
# How much a word looks like a name; sums of them are compared with the three thresholds below.
_DIRECTORY, _GIVEN, _SURNAME, _UNKNOWN, _NOT = 2.5, 2.0, 1.2, 0.6, -1.0
_ONE_SURE, _SUM_SURE = 2.0, 2.4


class Names:
    """Find people in a text in plain form."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def find(self, text: str) -> Iterator[Span]:
        """Yield the spans that name people."""
        yield from self._directory.find(text)
        for match in _LOWER_GREETING.finditer(text):
            if self._is_lower_name(match["v"]):
                yield Span(*match.span("v"), "PERSON")
        if not _HAS_CAPITAL.search(text):
            return
        yield from self._introduced(text)
        yield from self._runs(text)

    def evidence(self, word: str) -> float:
        """Return how much a capitalised word looks like a person's name."""
        lower = word.lower()
        if lower.endswith(".") or word in lexicon.PARTICLES:
            return 0.0
        given, surname = lexicon.is_given_name(lower), lexicon.is_surname(lower)
        everyday = lexicon.is_common_word(lower)
        if lexicon.is_ambiguous(lower):
            return 1.5 if lower in self._directory.words else 0.3
        if lower in self._directory.words:
            return _DIRECTORY if not everyday else 1.5
        if given:
            return _GIVEN if not everyday else 1.0
        if surname:
            return _SURNAME if not everyday else 0.4
        return _UNKNOWN if not everyday else _NOT

    def _is_lower_name(self, word: str) -> bool:
        """Tell whether a greeted word in lower case is taken for a name: "hi livio can you"."""
        return not lexicon.is_common_word(word) and not lexicon.is_ambiguous(word)

    def _introduced(self, text: str) -> Iterator[Span]:
        """Yield what stands where a phrase announces a name, up to the first word that is none."""
        for cue in (_HONORIFIC_CUE, _GREETING_CUE, _HOLDER_CUE, *_CUES):
            for match in cue.finditer(text):
                words = list(_TOKEN.finditer(text, *match.span("v")))
                end = self._end_of_name(text, words, cue)
                if end is None:
                    continue
                weak = len(words) == 1 and cue in _WEAK_CUES and self._is_everyday(words[0][0])
                if not weak:
                    yield Span(match.start("v"), end, "PERSON")

    def _is_everyday(self, word: str) -> bool:
        return lexicon.is_common_word(word) and self.evidence(word) <= 0.4  # noqa: PLR2004

    def _end_of_name(
        self, text: str, words: list[re.Match[str]], cue: re.Pattern[str]
    ) -> int | None:
        end = None
        for position, word in enumerate(words):
            token = word[0]
            if token in lexicon.PARTICLES:
                continue
            evidence = self.evidence(token)
            if evidence < 0 and not self._is_sure(text, words, position, cue):
                break
            end = word.end()
        return end

    def _is_sure(
        self, text: str, words: list[re.Match[str]], position: int, cue: re.Pattern[str]
    ) -> bool:
        """Tell whether an everyday word is a name all the same.

        "Mr Stone", "Dear Sunny,", and the second word of "Cardholder Michael English".
        """
        if position == 1 and cue is _HOLDER_CUE:
            return self.evidence(words[0][0]) >= _ONE_SURE
        if position > 0:
            return False
        if cue is _HONORIFIC_CUE:
            return True
        greeted = cue is _GREETING_CUE and _CLOSES.match(text, words[0].end()) is not None
        return greeted and not lexicon.is_common_word(words[0][0])

    def _runs(self, text: str) -> Iterator[Span]:
        """Yield runs of capitalised words that together look like a name."""
        for match in _SEQUENCE.finditer(text):
            tokens = list(_TOKEN.finditer(text, *match.span()))
            full = [t for t in tokens if len(t[0]) > _INITIAL and t[0] not in lexicon.PARTICLES]
            if len(full) > 1:
                yield from self._full_names(tokens)
            elif len(full) == 1 and len(tokens) == 2:  # noqa: PLR2004  an initial and a surname
                if self.evidence(full[0][0]) >= _UNKNOWN:
                    yield Span(tokens[0].start(), tokens[-1].end(), "PERSON")
            elif len(full) == 1 and self.evidence(full[0][0]) >= _ONE_SURE:
                yield Span(*full[0].span(), "PERSON")

    def _full_names(self, tokens: list[re.Match[str]]) -> Iterator[Span]:
        evidence = [self.evidence(token[0]) for token in tokens]
        index = 0
        while index < len(tokens):
            token = tokens[index][0]
            if len(token) == _INITIAL or evidence[index] < 0 or token in lexicon.PARTICLES:
                index += 1
                continue
            end, weights = _run_end(tokens, evidence, index)
            if len(weights) > 1 and _is_enough(weights):
                yield Span(tokens[index].start(), tokens[end - 1].end(), "PERSON")
            elif len(weights) == 1 and weights[0] >= _ONE_SURE:
                yield Span(*tokens[index].span(), "PERSON")
            index = max(end, index + 1)

    def alone(self, text: str, *, surely: bool) -> Iterator[Span]:
        """Yield the parts of a row or a title that are nothing but words which may be names.

        `surely` says that the row holds some other identifier of a person; then one unknown word
        between two separators is enough, otherwise it takes two.
        """
        for part in _PART.finditer(text):
            words = part[0].split()
            weights = [self.evidence(word.strip(",")) for word in words]
            if min(weights) <= 0 or len(words) > _MOST_WORDS:
                continue
            if surely or (len(words) > 1 and sum(weights) >= 2 * _UNKNOWN):
                yield Span(*part.span(), "PERSON")


def _run_end(
    tokens: list[re.Match[str]], evidence: list[float], start: int
) -> tuple[int, list[float]]:
    """Return the end of the run of possible name words from `start`, and their weights."""
    weights: list[float] = []
    end = start
    while end < len(tokens) and len(weights) < _MOST_WORDS:
        token = tokens[end][0]
        if len(token) > _INITIAL and evidence[end] < 0:
            break
        if len(token) > _INITIAL and token not in lexicon.PARTICLES:
            weights.append(evidence[end])
        end += 1
    return end, weights


def _is_enough(weights: list[float]) -> bool:
    """Two words that are no everyday words, side by side and capitalised, are taken for a name."""
    return max(weights) >= _ONE_SURE or sum(weights) >= _SUM_SURE or sorted(weights)[-2] >= _UNKNOWN
