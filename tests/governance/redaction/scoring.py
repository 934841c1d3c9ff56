"""How well redaction does on labelled rows; strict, as somebody looking for a leak would be.

An entity counts as found only when every letter and digit of it is covered (texts), or when every
key of it is masked and no text beside it still shows it (keystrokes).
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from governance.redaction.directory import Directory, Employee
from governance.redaction.engine import Detector
from governance.redaction.schema import MASK

HERE = Path(__file__).parent / "development"
EMPLOYEE_ID = r"EMP-\d{6}|MA-\d{5}|E\d{6}|P\d{7}"
Row = dict[str, Any]
_PAINTED = 0.9


def rows(name: str) -> list[Row]:
    with gzip.open(HERE / f"{name}.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@cache
def detector() -> Detector:
    people = json.loads(gzip.decompress((HERE / "directory.json.gz").read_bytes()))
    known = [Employee(p["given"], p["surname"], p["login"], p["email"]) for p in people]
    return Detector(Directory(known), employee_number=EMPLOYEE_ID)


@dataclass
class Score:
    """Entities found and all, spans that hit and that missed, rows touched for nothing."""

    found: Counter[str] = field(default_factory=Counter)
    entities: Counter[str] = field(default_factory=Counter)
    hits: int = 0
    misses: int = 0
    negative_rows: int = 0
    negative_touched: int = 0
    leaks: list[tuple[str, str]] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found.total() / self.entities.total()

    @property
    def precision(self) -> float:
        return self.hits / max(1, self.hits + self.misses)

    @property
    def f2(self) -> float:
        return 5 * self.precision * self.recall / (4 * self.precision + self.recall)

    @property
    def touched(self) -> float:
        return self.negative_touched / max(1, self.negative_rows)


def _places(text: str, ranges: Iterable[tuple[int, int]]) -> set[int]:
    return {i for start, end in ranges for i in range(start, end) if text[i].isalnum()}


def score_texts(gold: Iterable[Row], found: Iterable[list[tuple[int, int]]]) -> Score:
    """Score spans per row; covering what is neither an entity nor free to cover counts against."""
    score = Score()
    for row, spans in zip(gold, found, strict=True):
        text = row["text"]
        covered = _places(text, spans)
        labelled = [(s["start"], s["end"]) for s in row["spans"]]
        neutral = _places(text, [(s["start"], s["end"]) for s in row["neutral"]])
        for span in row["spans"]:
            score.entities[span["type"]] += 1
            if _places(text, [(span["start"], span["end"])]) <= covered:
                score.found[span["type"]] += 1
            else:
                score.leaks.append((row["id"], span["value"]))
        entities = _places(text, labelled)
        touched = False
        for place in (_places(text, [span]) for span in spans):
            if place & entities:
                score.hits += 1
            elif place and len((place & neutral) - entities) * 2 < len(place):
                score.misses += 1
                touched = True
        if not row["spans"]:
            score.negative_rows += 1
            score.negative_touched += touched
    return score


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum()).casefold()


def _shows(event: Row, value: str) -> bool:
    """Tell whether a text of the stream still says the value, or a good part of it."""
    said = _letters(event.get("text") or event.get("value") or "")
    parts = [value[n : n + 6] for n in range(len(value) - 5)] if len(value) > 7 else []
    return len(value) > 3 and any(part in said for part in [value, *parts])


def _is_key(event: Row) -> bool:
    return event["k"] in ("kd", "ku") and len(event["key"]) == 1 and event["key"].isalnum()


def same_structure(before: list[Row], after: list[Row]) -> bool:
    """Tell whether events kept their number, order and kinds, and time only went forward."""
    return (
        [(e["i"], e["k"]) for e in before] == [(e["i"], e["k"]) for e in after]
        and all(a["t"] <= b["t"] for a, b in pairwise(after))
    )  # fmt: skip


def score_streams(gold: Iterable[Row], redacted: Iterable[list[Row]]) -> Score:
    """Score masked keys per stream; a broken structure counts the whole stream as leaked."""
    score = Score()
    for row, after in zip(gold, redacted, strict=True):
        before = row["events"]
        intact = same_structure(before, after)
        masked = {
            a["i"] for a, b in zip(before, after, strict=False) if a.get("key") != b.get("key")
        }
        of_entities = {i for entity in row["entities"] for i in entity["events"]}
        for entity in row["entities"]:
            score.entities[entity["type"]] += 1
            value = _letters(entity["value"])
            keys = [i for i in entity["events"] if _is_key(before[i])]
            texts = [e for e in after if e["k"] in ("snap", "focus", "paste", "ac")]
            if intact and masked.issuperset(keys) and not any(_shows(e, value) for e in texts):
                score.found[entity["type"]] += 1
            else:
                score.leaks.append((row["id"], entity["value"]))
        typed = [
            e["i"]
            for e in before
            if e["k"] == "kd" and _is_key(e) and "Ctrl" not in e.get("mods", ())
        ]
        score.hits += sum(i in masked for i in typed if i in of_entities)
        score.misses += sum(
            i in masked for i in typed if i not in of_entities and i not in row["soft"]
        )
        if MASK in {e.get("key") for e in after} and not intact:
            score.leaks.append((row["id"], "structure"))
    return score


def score_screens(
    screens: Iterable[tuple[Row, Iterable[tuple[int, int, int, int]]]],
) -> tuple[float, float]:
    """Return the share of entities painted over, and of the other text by area.

    An entity is painted over when nine tenths of the band its ink stands in are.
    """
    import numpy as np

    found: list[bool] = []
    painted = all_others = 0
    for screen, boxes in screens:
        mask = np.zeros((2000, 4000), np.uint8)
        for x, y, width, height in boxes:
            mask[max(0, y) : y + height, max(0, x) : x + width] = 1
        found += [bool(_band(mask, entity).mean() >= _PAINTED) for entity in screen["pii"]]
        others = [_band(mask, text) for text in screen["text"] if not text["pii"]]
        painted += sum(int(band.sum()) for band in others)
        all_others += sum(band.size for band in others)
    return sum(found) / len(found), painted / all_others


def _band(mask: Any, text: Row) -> Any:
    top, bottom = int(text["y"] + text["h"] * 0.2), int(text["y"] + text["h"] * 0.85)
    return mask[top:bottom, int(text["x"]) : int(text["x"] + text["w"])]
