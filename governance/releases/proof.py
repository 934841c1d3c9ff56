"""How sure a release may be that redaction found people: the canaries of the runs behind it.

Pure but for one setting. Each run of the redactor plants invented people and counts how many it
finds (governance.redaction.canaries). A release adds up the runs its text and pictures came from;
the lower bound of Wilson's interval is published and must reach the threshold.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from governance.capture.gate import FrameInfo
from governance.redaction import canaries

# What can name someone; the other categories hold no words.
_WORDS: Final = frozenset({"keystroke-text", "screenshot"})
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Proof:
    """What was planted and found in the runs behind a release; `unproven` frames had none."""

    planted: int
    found: int
    unproven: int
    recipes: tuple[str, ...]

    @property
    def suffices(self) -> bool:
        """Whether the release may leave: nothing in it holds words, or its runs find enough."""
        if self.planted == 0 and self.unproven == 0:
            return True
        return self.unproven == 0 and 100 * self.lower_bound >= settings.REMIT_MIN_RECALL_PERCENT

    @property
    def lower_bound(self) -> float:
        return canaries.recall(self.planted, self.found)[1]

    def document(self) -> dict[str, Any]:
        """Return what the manifest says of it."""
        share, bound = canaries.recall(self.planted, self.found)
        return {
            "planted": self.planted,
            "found": self.found,
            "share": round(share, _DIGITS),
            "lower_bound": round(bound, _DIGITS),
            "interval": "Wilson, 95 %",
            "least": settings.REMIT_MIN_RECALL_PERCENT / 100,
            "recipes": list(self.recipes),
        }


def of(frames: Iterable[FrameInfo]) -> Proof:
    """Return the proof of these frames; a run counts once, however many frames came from it."""
    runs: dict[object, Mapping[str, int]] = {}
    unproven = 0
    recipes: set[str] = set()
    for frame in frames:
        if frame.category not in _WORDS:
            continue
        recipes.add(str(frame.redaction.get("patterns_sha256", "")))
        planted = frame.redaction.get("canaries")
        if isinstance(planted, Mapping):
            runs[frame.batch_id] = planted
        else:
            unproven += 1
    return Proof(
        planted=sum(run["planted"] for run in runs.values()),
        found=sum(run["found"] for run in runs.values()),
        unproven=unproven,
        recipes=tuple(sorted(recipes)),
    )
