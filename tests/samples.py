"""Writes the recordings that a dry run is tried on, from those that lie beside the agent.

    python -m tests.samples

What a recorder saw is counted by place, kind of data and field; no text that was typed, no
coordinate and no time is taken over. tests/governance/policies/test_dry_run.py keeps them in step.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Final

from remit_agent import mapping
from remit_agent.adapters import read
from remit_agent.observed import Button, Choice, Focus, Key, Move, Observation, Scroll, Typed

ROOT: Final = Path(__file__).resolve().parent.parent
RECORDINGS: Final = ROOT / "clients" / "recordings"
SAMPLES: Final = ROOT / "governance" / "policies" / "samples"
NAMES: Final = {
    "vendor-form": ("rrweb/rr_plain.json", "rrweb, a form with dropdown and password"),
    "expense-claim": ("openadapt-capture", "openadapt-capture, a desktop form"),
    "display-settings": ("agentnet/display-settings", "AgentNet, settings of a desktop"),
}
_KINDS: Final[dict[type[Observation], str]] = {
    Move: "pointer",
    Scroll: "pointer",
    Button: "click",
    Choice: "menu-navigation",
    Typed: "keystroke-text",
    Focus: "window-metadata",
}


def category_of(seen: Observation) -> str | None:
    """Return the kind of data an observation would become, the narrowest one for keys."""
    if isinstance(seen, Key):
        if not seen.is_down:
            return None
        return "keystroke-text" if seen.char and not seen.held else "shortcut"
    return _KINDS.get(type(seen))


def sample(name: str) -> dict[str, object]:
    """Return one recording as a sample."""
    path, source = NAMES[name]
    counted: Counter[tuple[str, str, str, str, str, str]] = Counter()
    known = mapping.load(RECORDINGS / path)
    for seen in read(RECORDINGS / path).observations:
        category = category_of(seen)
        surface = seen.surface
        if category is None or surface is None or surface.kind == "window":
            continue
        element = getattr(seen, "element", None)
        mapped = known.find(surface)
        counted[
            surface.kind,
            surface.value[:600],
            category,
            (surface.url or "")[:600],
            element.field if element else "",
            (mapped.process if mapped else None) or "",
        ] += 1
    return {
        "schema": "sample/1",
        "name": name,
        "source": source,
        "seen": [
            {"kind": kind, "value": value, "category": category, "count": count}
            | ({"url": url} if url else {})
            | ({"field": field} if field else {})
            | ({"process": process} if process else {})
            for (kind, value, category, url, field, process), count in sorted(counted.items())
        ],
    }


def written(name: str) -> str:
    """Return the text of a sample's file."""
    return json.dumps(sample(name), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write every sample."""
    for name in NAMES:
        (SAMPLES / f"{name}.json").write_text(written(name), encoding="utf-8")


if __name__ == "__main__":
    main()
