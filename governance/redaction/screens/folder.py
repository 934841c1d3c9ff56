"""Screens from a folder, for `manage.py redact`: the formats of the scorer, no database.

Pictures that follow one another (`prev`) share what was read, as those of one record do.
"""

import json
from pathlib import Path
from typing import Any, Final

from governance.redaction.engine import Detector
from governance.redaction.errors import RedactionError
from governance.redaction.screens.errors import PictureError
from governance.redaction.screens.geometry import Box
from governance.redaction.screens.redactor import RedactedScreen, ScreenRedactor
from governance.redaction.screens.trees import TreeText

_ENDINGS: Final = frozenset({".png", ".jpg", ".jpeg", ".webp"})
Boxes = dict[str, list[tuple[int, int, int, int, str]]]


class FolderError(Exception):
    """What was named holds no screens, or one that cannot be made safe; says which."""


def redact(source: str, detector: Detector, *, pictures: str | None = None) -> Boxes:
    """Return the painted boxes by file name; write the painted pictures to a folder if named."""
    path = Path(source)
    screens = _listed(path) if path.is_file() else _found(path)
    target = Path(pictures) if pictures else None
    if target:
        target.mkdir(parents=True, exist_ok=True)
    base = path.parent if path.is_file() else path
    redactor = ScreenRedactor(detector)
    boxes: Boxes = {}
    for screen in screens:
        if not screen.get("prev"):
            redactor = ScreenRedactor(detector)
        done = _one(redactor, base, screen)
        boxes[screen["file"]] = [(*each.box, each.type) for each in done.painted]
        if target:
            written = target / Path(screen["file"]).with_suffix(".png").name
            written.write_bytes(done.picture)
    return boxes


def _one(redactor: ScreenRedactor, base: Path, screen: dict[str, Any]) -> RedactedScreen:
    try:
        return redactor.redact((base / screen["file"]).read_bytes(), tree=_tree(screen))
    except (PictureError, RedactionError) as error:
        said = str(error) or "it cannot be made safe"
        raise FolderError(f"{screen['file']}: {said}") from error


def _tree(screen: dict[str, Any]) -> list[TreeText]:
    return [
        TreeText(
            text=one["text"],
            box=Box(round(one["x"]), round(one["y"]), round(one["w"]), round(one["h"])),
        )
        for one in screen.get("text", ())
    ]


def _found(folder: Path) -> list[dict[str, Any]]:
    """Return the pictures of a folder, each named after another it begins with following it."""
    names = sorted(one.name for one in folder.iterdir() if one.suffix.lower() in _ENDINGS)
    if not names:
        raise FolderError(f"{folder} holds no picture.")
    first = None
    screens: list[dict[str, Any]] = []
    for name in sorted(names, key=lambda name: Path(name).stem):
        stem = Path(name).stem
        follows = first is not None and stem.startswith(first + "_")
        screens.append({"file": name, "prev": first if follows else None})
        first = first if follows else stem
    return screens


def _listed(path: Path) -> list[dict[str, Any]]:
    try:
        screens = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FolderError(f"{path}: not JSON") from error
    if not isinstance(screens, list) or not all(
        isinstance(one, dict) and isinstance(one.get("file"), str) for one in screens
    ):
        raise FolderError(f'{path}: not a list of screens with a "file" each')
    return screens
