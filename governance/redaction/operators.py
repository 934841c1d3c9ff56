"""What stands in the place of a finding: a placeholder, a pseudonym, a blank of constant length.

The operators are presidio-anonymizer's kind of thing and run on its engine; this is the one module
that imports it. Its own `hash` salts at random and its `encrypt` does not authenticate, so neither
is used. A number of low entropy (card, IBAN, national id) is never hashed: it could be guessed.
"""

import hashlib
import hmac
import sys
from collections.abc import Iterable
from typing import Any, Final

# Where presidio-analyzer is installed too (bench), presidio-anonymizer imports it, and spaCy with
# it, for an operator that nobody here uses: half of the time in which any process of ours starts.
_ANALYZER: Final = "presidio_analyzer"
_is_loaded = _ANALYZER in sys.modules
if not _is_loaded:
    sys.modules[_ANALYZER] = None  # type: ignore[assignment]  # "Not there", to an import.

from presidio_anonymizer import AnonymizerEngine  # noqa: E402 - see above.
from presidio_anonymizer.entities import OperatorConfig, RecognizerResult  # noqa: E402
from presidio_anonymizer.operators import Operator, OperatorType  # noqa: E402

if not _is_loaded:
    del sys.modules[_ANALYZER]

from governance.redaction.findings import Span  # noqa: E402
from governance.redaction.normalize import plain  # noqa: E402
from governance.redaction.schema import MASK  # noqa: E402

PSEUDONYM_TYPES: Final = frozenset({"PERSON", "EMAIL", "USERNAME", "EMPLOYEE_ID"})
COLLAPSED_TYPES: Final = frozenset({"SECRET", "PASSWORD", "OTP", "CVV"})
_PSEUDONYM_HEX: Final = 12  # 48 bits
_SHORTEST_KEY: Final = 16
Params = dict[str, Any] | None


class _Anonymize(Operator):
    """What every operator of ours shares: it replaces, and it needs to know the entity type."""

    def operator_type(self) -> OperatorType:
        return OperatorType.Anonymize

    def validate(self, params: Params = None) -> None:
        if not params or not params.get("entity_type"):
            raise ValueError("entity_type is missing")


class Placeholder(_Anonymize):
    """Replace a value by its type and a number, the same number for the same value."""

    def operator_name(self) -> str:
        return "remit_placeholder"

    def operate(self, text: str, params: Params = None) -> str:
        given = params or {}
        numbers: dict[tuple[str, str], int] = given["numbers"]
        kind: str = given["entity_type"]
        key = (kind, normal_value(text))
        if key not in numbers:
            numbers[key] = 1 + sum(known == kind for known, _ in numbers)
        return f"<{kind}_{numbers[key]}>"


class Pseudonym(_Anonymize):
    """Replace a value by a keyed token: the same person stays the same under one key only."""

    def operator_name(self) -> str:
        return "remit_pseudonym"

    def validate(self, params: Params = None) -> None:
        super().validate(params)
        key = (params or {}).get("key")
        if not isinstance(key, bytes) or len(key) < _SHORTEST_KEY:
            raise ValueError("a pseudonym needs a key of at least 16 bytes")

    def operate(self, text: str, params: Params = None) -> str:
        given = params or {}
        kind: str = given["entity_type"]
        return f"<{kind}_{pseudonym(text, kind=kind, key=given['key'])}>"


class Collapse(_Anonymize):
    """Replace a credential by its type alone: even its length tells something."""

    def operator_name(self) -> str:
        return "remit_collapse"

    def operate(self, text: str, params: Params = None) -> str:
        del text
        return f"<{(params or {})['entity_type']}>"


class Blank(_Anonymize):
    """Replace each character by a dot, where offsets must stay what they were."""

    def operator_name(self) -> str:
        return "remit_blank"

    def operate(self, text: str, params: Params = None) -> str:
        del params
        return MASK * len(text)


_OPERATORS: Final = (Placeholder, Pseudonym, Collapse, Blank)


def _engine() -> AnonymizerEngine:
    engine = AnonymizerEngine()  # type: ignore[no-untyped-call]  # its constructors are untyped
    for operator in _OPERATORS:
        engine.add_anonymizer(operator)
    return engine


_ENGINE: Final = _engine()


def normal_value(text: str) -> str:
    """Return a value as it is compared: plain letters and digits, lower case."""
    return "".join(c for c in plain(text).text.lower() if c.isalnum())


def pseudonym(text: str, *, kind: str, key: bytes) -> str:
    """Return 48 bits of HMAC-SHA-256 over type and normal value."""
    message = kind.encode() + b"\0" + normal_value(text).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_PSEUDONYM_HEX]


def replace(text: str, spans: Iterable[Span], *, key: bytes | None = None) -> str:
    """Return the text with every span replaced by its type's operator.

    With a key, people get pseudonyms under it; without, numbered placeholders, whose numbers mean
    nothing outside this text. Credentials collapse either way.
    """
    numbers: dict[tuple[str, str], int] = {}
    spans = list(spans)

    def operator(kind: str) -> OperatorConfig:
        if kind in COLLAPSED_TYPES:
            return OperatorConfig("remit_collapse", {})
        if key is not None and kind in PSEUDONYM_TYPES:
            return OperatorConfig("remit_pseudonym", {"key": key})
        return OperatorConfig("remit_placeholder", {"numbers": numbers})

    return _anonymize(text, spans, {span.type: operator(span.type) for span in spans})


def blank(text: str, spans: Iterable[Span]) -> str:
    """Return the text with every span dotted out, its length unchanged."""
    spans = list(spans)
    return _anonymize(text, spans, {s.type: OperatorConfig("remit_blank", {}) for s in spans})


def _anonymize(text: str, spans: list[Span], operators: dict[str, OperatorConfig]) -> str:
    if not spans:
        return text
    found = [RecognizerResult(s.type, s.start, s.end, 1.0) for s in spans]
    result = _ENGINE.anonymize(text, found, operators, merge_entities_with_spaces=False)
    replaced: str = result.text
    return replaced
