"""People in free text: the directory, phrases that introduce a name, runs of name-like words.

A capitalised word alone proves little. Evidence adds up: it is in a name list, it is no everyday
word, it follows "Dear" or "wrote:", it stands beside another name. In prose a capitalised word that
no list of ours knows is taken for a name: there a miss costs more than a word too many.
"""

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Final

from governance.redaction import lexicon
from governance.redaction.cues import (
    CONTROL,
    CUES,
    LOWER_GREETING,
    PARTICLES,
    RANKS,
    TITLE,
    WORD,
    Cue,
    Trust,
)
from governance.redaction.directory import Directory
from governance.redaction.findings import Span
from governance.redaction.prefilter import Probe

_INITIAL_LETTER: Final = r"[A-Z]\.|[A-Z](?= [A-Z][a-z])"
_SEQUENCE: Final = re.compile(
    rf"(?<![\w@#/\\.-])(?:{WORD}|[A-Z]\.)"
    rf"(?:,? (?:{PARTICLES} ){{0,2}}(?:{WORD}|{_INITIAL_LETTER}))*+",
    re.ASCII,
)
_TOKEN: Final = re.compile(
    rf"{WORD}|{_INITIAL_LETTER}|(?<=[ .,]){PARTICLES}(?= )|[A-Z][A-Z'-]+(?![A-Za-z])",
    re.ASCII,
)
_PART: Final = re.compile(
    rf"(?:(?<=[;\t|(])|(?<= - )|^)[ ]?(?:{WORD})(?:,? (?:{WORD}|[A-Z]\.)){{0,3}}"
    r"(?=[;\t|)]| ?[|] | - |$)",
    re.ASCII | re.MULTILINE,
)
# Two words joined in an address, a file name or a login; what joins them is kept out of words.
_JOINED: Final = re.compile(rf"(?<![A-Za-z0-9])({WORD})[._+]({WORD})(?:[._+]({WORD}))?", re.ASCII)
_DOTTED: Final = re.compile(
    r"(?<![\w.@/-])([a-z]{3,20})[._]([a-z]{3,24})\d{0,4}(?![\w(@]|\.\w)", re.ASCII
)
_CAPITALS: Final = re.compile(
    r"(?<![\w.@/-])[A-Z]{3,20}(?:,? [A-Z]\.?)?,? [A-Z][A-Z'-]{2,24}(?!\w)",
    re.ASCII,
)
_TITLE_BEFORE: Final = re.compile(rf"(?<![\w]){TITLE} (?:{TITLE} )?$")
_PARTICLES_BEFORE: Final = re.compile(
    r"(?<!\w)(?:van der |van den |van de |von der |van |von |de la |del |della )$"
)
_DEGREE_AFTER: Final = re.compile(
    r",? (?:M\.?D|Ph\.?D|D\.?D\.?S|DVM|Jr|Sr|II|III|IV|Esq|CPA|MBA|M\.?Sc|B\.?Sc|R\.?N)\b\.?"
)
_TITLE_REACH: Final = 16
_CLOSES: Final = re.compile(r"\s*(?:[,!.;\n]|$)")
_HAS_CAPITAL: Final = re.compile(r"[A-Z][\w'.]")
_CODE: Final = re.compile(r"[{};=]|\(\)|</|/>|::|->|=>|^\s*(?:[#$>]|def |import |from |SELECT )")
_AFTER_SINGLE: Final = re.compile(r"(?:'s\b)?(?:[\s,.!?;:)\"]|$)(?!\()")
_BEFORE_SINGLE: Final = frozenset(' \n\t"(,')
_INNER: Final = re.compile(r"[a-z,;] $")
# After these a capitalised everyday word is a place, a thing or a time, not a person.
_NOT_BEFORE_NAME: Final = re.compile(
    r"\b(?:the|a|an|in|at|on|this|next|last|our|your|my|its|every|each|via|per|no|use|open|into"
    r"|under|until|till|by|since|before|after|version|happy|see|plus|new|old|and|or|click|press) $",
    re.IGNORECASE,
)
_LOWER_WORD: Final = re.compile(r"(?<![\w.@/-])[a-z]{4,16}(?![\w@/(]|\.\w|-\w)")
_INITIAL: Final = re.compile(r"[A-Z]\.?")
_MOST_WORDS: Final = 4
_SHORTEST_PROSE: Final = 12
_SHORTEST_SINGLE: Final = 3
# How much a word looks like a name; sums of them are compared with the three thresholds below.
_DIRECTORY, _GIVEN, _BOTH, _SURNAME, _UNKNOWN, _NOT = 2.5, 2.0, 1.0, 1.2, 0.6, -1.0
# A surname or given name that is an everyday word; a word only the dictionary has.
_AMBIGUOUS_GIVEN, _EVERYDAY_SURNAME, _AMBIGUOUS, _RARE = 0.5, 0.4, 0.3, 0.1
_EVERYDAY_COLLEAGUE: Final = 1.5
_ONE_SURE, _SUM_SURE = 2.0, 1.1
_SHAPES: Final = (
    _SEQUENCE,
    _JOINED,
    _DOTTED,
    _CAPITALS,
    LOWER_GREETING,
    _HAS_CAPITAL,
    CONTROL,
    _PART,
)
_CUES: Final = len(CUES)
PROBE_COUNT: Final = _CUES + len(_SHAPES)
_ALL: Final = range(PROBE_COUNT)
_SEQUENCES, _JOINS, _DOTS, _CAPITAL_PAIRS, _LOWER_GREETINGS, _CAPITAL, _CONTROLS, PARTS = range(
    _CUES, PROBE_COUNT
)


def probes() -> Iterator[Probe]:
    """Yield the patterns that say where names may be."""
    yield from (Probe(cue.pattern) for cue in CUES)
    yield from map(Probe, _SHAPES)


@lru_cache(maxsize=32768)
def _listed_evidence(word: str) -> float:
    """Return how much a word in lower case looks like a name, whoever works here."""
    everyday = lexicon.is_common_word(word)
    if lexicon.is_ambiguous(word):
        return _AMBIGUOUS_GIVEN if lexicon.is_given_name(word) else _AMBIGUOUS
    if lexicon.is_given_name(word):
        return _GIVEN if not everyday else _BOTH
    if not everyday:
        return _SURNAME if lexicon.is_surname(word) else _UNKNOWN
    if lexicon.is_page_word(word):
        return _EVERYDAY_SURNAME if lexicon.is_well_known_surname(word) else _NOT
    return _EVERYDAY_SURNAME if lexicon.is_surname(word) else _RARE


def is_code(text: str) -> bool:
    """Tell whether a text reads like code, where a capital letter says nothing of a person."""
    return _CODE.search(text) is not None


class Names:
    """Find people in a text in plain form."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def find(
        self, text: str, *, possible: Collection[int] = _ALL, prose: bool = False
    ) -> Iterator[Span]:
        """Yield the spans that name people; `prose` says that single words count, too.

        `possible` are the positions of those `probes` that may match (`prefilter`).
        """
        yield from self._directory.find(text)
        if _LOWER_GREETINGS in possible:
            yield from self._greeted(text)
        if _JOINS in possible:
            yield from self._joined(text)
        if _DOTS in possible:
            yield from self._dotted(text)
        if _CAPITAL not in possible or not _HAS_CAPITAL.search(text):
            if prose and len(text) >= _SHORTEST_PROSE:
                yield from self._in_lower_case(text)
            return
        for span in self._capitalised(text, possible, prose=prose):
            yield _with_titles(text, span)

    def _capitalised(self, text: str, possible: Collection[int], *, prose: bool) -> Iterator[Span]:
        for number in possible:
            if number < _CUES:
                yield from self._introduced(text, CUES[number])
        if _CAPITAL_PAIRS in possible:
            yield from self._in_capitals(text)
        if _SEQUENCES not in possible:
            return
        runs = list(_SEQUENCE.finditer(text))
        for run in runs:
            yield from self._run(text, run)
        if prose and not is_code(text) and not lexicon.capitalises_nouns(text):
            for run in runs:
                yield from self._singles(text, run)

    def find_in_control(self, text: str, *, possible: Collection[int] = _ALL) -> Iterator[Span]:
        """Yield who a button or link names; its words are the application's own otherwise."""
        yield from self._directory.find(text)
        if _CONTROLS in possible and (match := CONTROL.match(text)):
            weights = [self.evidence(word) for word in match["v"].split()]
            if min(weights) > 0:
                if max(weights) >= _UNKNOWN:
                    yield Span(*match.span("v"), "PERSON")
                return
        for match in _SEQUENCE.finditer(text) if _SEQUENCES in possible else ():
            words = [word.strip(",") for word in match[0].split()]
            weights = [self.evidence(word) for word in words]
            is_whole = len(words) == 2 and match.span() == (0, len(text))  # noqa: PLR2004
            if len(words) > 1 and min(weights) > 0 and (weights[0] >= _ONE_SURE or is_whole):
                yield Span(*match.span(), "PERSON")

    def evidence(self, word: str) -> float:
        """Return how much a capitalised word looks like a person's name."""
        lower = word.lower()
        if lower.endswith(".") or word in lexicon.PARTICLES:
            return 0.0
        listed = _listed_evidence(lower)
        if lower in self._directory.words:
            is_everyday = listed <= _BOTH and listed not in (_UNKNOWN, _RARE)
            return _EVERYDAY_COLLEAGUE if is_everyday else _DIRECTORY
        return listed

    @staticmethod
    def _greeted(text: str) -> Iterator[Span]:
        """Yield greeted words in lower case that are no everyday words: "hi livio can you"."""
        for match in LOWER_GREETING.finditer(text):
            word = match["v"]
            if not lexicon.is_common_word(word) and not lexicon.is_ambiguous(word):
                yield Span(*match.span("v"), "PERSON")

    def is_likely(self, word: str) -> bool:
        """Tell whether a word is more likely a name than an everyday word."""
        return self.evidence(word) >= _UNKNOWN

    def _in_lower_case(self, text: str) -> Iterator[Span]:
        """Yield given names in a text that knows no capital letters."""
        if is_code(text):
            return
        for match in _LOWER_WORD.finditer(text):
            if self.evidence(match[0]) >= _ONE_SURE:
                yield Span(*match.span(), "PERSON")

    def _joined(self, text: str) -> Iterator[Span]:
        """Yield "Jane+Doe" and "/Jane.Doe"."""
        for match in _JOINED.finditer(text):
            words = [word for word in match.groups() if word]
            weights = [self.evidence(word) for word in words]
            while weights and weights[0] <= 0:
                weights, words = weights[1:], words[1:]
            if len(weights) > 1 and min(weights) > 0 and _is_enough(weights):
                yield Span(match.start() + match[0].index(words[0]), match.end(), "PERSON")

    def _dotted(self, text: str) -> Iterator[Span]:
        """Yield "jane.doe", as people log in."""
        for match in _DOTTED.finditer(text):
            first, second = map(self.evidence, match.groups())
            if min(first, second) > 0 and max(first, second) >= _ONE_SURE:
                yield Span(*match.span(), "USERNAME")

    def _in_capitals(self, text: str) -> Iterator[Span]:
        """Yield "DOE, JANE": two words in capitals of which one is a given name."""
        for match in _CAPITALS.finditer(text):
            weights = [self.evidence(w) for w in re.findall("[A-Z'-]{3,}", match[0])]
            if min(weights) > 0 and max(weights) >= _ONE_SURE:
                yield Span(*match.span(), "PERSON")

    def _singles(self, text: str, run: re.Match[str]) -> Iterator[Span]:
        """Yield single capitalised words of prose that no everyday word explains."""
        words = run[0].split()
        if len(words) > 1 and not all(word.endswith(",") for word in words[:-1]):
            return
        for word in _TOKEN.finditer(text, *run.span()):
            if self._stands_alone(text, word):
                yield Span(*word.span(), "PERSON")

    def _stands_alone(self, text: str, word: re.Match[str]) -> bool:
        start, end = word.span()
        before = text[max(0, start - 10) : start]
        if end - start < _SHORTEST_SINGLE or (before and before[-1] not in _BEFORE_SINGLE):
            return False
        if not _AFTER_SINGLE.match(text, end) or text[end : end + 2] == "'t":
            return False
        weight = self.evidence(word[0])
        if weight >= _UNKNOWN and weight != _BOTH:
            return True
        is_inner = _INNER.search(before) is not None and not _NOT_BEFORE_NAME.search(before)
        return weight >= _AMBIGUOUS and is_inner and not lexicon.is_calendar_word(word[0])

    def _is_everyday(self, word: str) -> bool:
        return lexicon.is_common_word(word) and self.evidence(word) <= _EVERYDAY_SURNAME

    def _introduced(self, text: str, cue: Cue) -> Iterator[Span]:
        """Yield what stands where a phrase announces a name, up to the first word that is none."""
        for match in cue.pattern.finditer(text):
            words = list(_TOKEN.finditer(text, *match.span("v")))
            end = self._end_of_name(text, words, cue)
            if end is None:
                continue
            weak = len(words) == 1 and cue.trust < Trust.CLOSED
            if not (weak and self._is_everyday(words[0][0])):
                yield Span(match.start("v"), end, "PERSON")

    def _end_of_name(self, text: str, words: list[re.Match[str]], cue: Cue) -> int | None:
        end = None
        for position, word in enumerate(words):
            token = word[0]
            if token in lexicon.PARTICLES:
                continue
            weight = self.evidence(token)
            if token.isupper() and not _is_initial(token) and weight < _BOTH:
                break
            follows = weight == _RARE and position > 0 and self.evidence(words[0][0]) > _RARE
            is_no_name = weight < 0 or (weight <= _RARE and not _is_initial(token))
            if is_no_name and not follows and not self._is_sure(text, words, position, cue):
                break
            end = word.end()
        return end

    def _is_sure(self, text: str, words: list[re.Match[str]], position: int, cue: Cue) -> bool:
        """Tell whether an everyday word is a name all the same.

        "Mr Stone", "Dear Sunny,", and the second word of "Cardholder Michael English".
        """
        if position == 1 and cue.trust is Trust.SECOND:
            return self.evidence(words[0][0]) >= _ONE_SURE
        if position > 0:
            return False
        if cue.trust is Trust.SURE:
            return True
        closed = cue.trust is Trust.CLOSED and _CLOSES.match(text, words[0].end()) is not None
        return closed and not lexicon.is_page_word(words[0][0])

    def _run(self, text: str, run: re.Match[str]) -> Iterator[Span]:
        """Yield the words of a run of capitalised words that together look like a name."""
        tokens = list(_TOKEN.finditer(text, *run.span()))
        full = [t for t in tokens if not _is_initial(t[0]) and t[0] not in lexicon.PARTICLES]
        if len(full) > 1 and not _is_office(text, full):
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
            if _is_initial(token) or evidence[index] <= _RARE or token in lexicon.PARTICLES:
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
            if min(weights) < 0 or max(weights) <= _RARE or len(words) > _MOST_WORDS:
                continue
            if surely or (len(words) > 1 and max(weights) >= _UNKNOWN and _is_pair(weights)):
                yield Span(*part.span(), "PERSON")


def _is_office(text: str, words: list[re.Match[str]]) -> bool:
    """Tell whether a run is nothing but words of rank after "the"."""
    start = words[0].start()
    is_said = text[max(0, start - 4) : start].lower() == "the "
    if words[0][0] == "The":
        is_said, words = True, words[1:]
    return is_said and all(word[0].lower() in RANKS for word in words)


def _is_initial(token: str) -> bool:
    return _INITIAL.fullmatch(token) is not None


def _with_titles(text: str, span: Span) -> Span:
    """Widen a name by particles and, if it is a full name, by its title; and by a degree."""
    start, end = span.start, span.end
    is_full = " " in text[start:end]
    for before in (_PARTICLES_BEFORE, _TITLE_BEFORE) if is_full else (_PARTICLES_BEFORE,):
        if widening := before.search(text[max(0, start - _TITLE_REACH) : start]):
            start -= len(widening[0])
    if degree := _DEGREE_AFTER.match(text, end):
        end = degree.end()
    return Span(start, end, span.type)


def _run_end(
    tokens: list[re.Match[str]], evidence: list[float], start: int
) -> tuple[int, list[float]]:
    """Return the end of the run of possible name words from `start`, and their weights."""
    weights: list[float] = []
    end = start
    while end < len(tokens) and len(weights) < _MOST_WORDS:
        token = tokens[end][0]
        if evidence[end] < 0 and not _is_initial(token):
            break
        if not _is_initial(token) and token not in lexicon.PARTICLES:
            weights.append(evidence[end])
        end += 1
    return end, weights


def _is_pair(weights: list[float]) -> bool:
    return sum(weights) >= _UNKNOWN + _AMBIGUOUS


def _is_enough(weights: list[float]) -> bool:
    """Two words that are no everyday words, side by side and capitalised, are taken for a name."""
    return max(weights) >= _ONE_SURE or sum(weights) >= _SUM_SURE
