"""Where on a screen there may be text, and where there are pictures: found by contrast alone.

Nothing is read here. Whatever stands out from what is around it is a region; a caller shows a
region only when it was read and found harmless. What is not of the size of text (photographs,
faces, QR codes, drawings) comes back as pictures, which nobody reads and everybody paints.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from governance.redaction.screens.geometry import Box, Pixels

cv2.setNumThreads(1)

# Steps of grey a person can still tell apart on an ordinary screen.
_CONTRAST: Final = 14
# The same in one colour where the grey does not change: eyes are blunter for colours.
_COLOUR_CONTRAST: Final = 40
_RULE_WIDTH: Final = 70
_RULE_HEIGHT: Final = 38
_FEW_PIXELS: Final = 2_500_000
_EVEN: Final = 4
_EVEN_SHARE: Final = 0.75
_JOIN: Final = 11
# How many rows away a pixel can matter: a rule's height, what blurs it, and two steps of three.
_REACH: Final = 64
# The same for edges of colour: a gradient, and what widens it by one.
_COLOUR_REACH: Final = 4
_TALLEST: Final = 90
_SMALLEST_AREA: Final = 16
_ROW_GAP: Final = 14
_ROW_OVERLAP: Final = 0.45
_ROWS_BEHIND: Final = 60
# Photographs change nearly everywhere, if only by a little; text and controls stand on flat ground.
_TEXTURE: Final = 1
_TEXTURE_SIDE: Final = 32
_TEXTURE_SHARE: Final = 0.9
# A large thing whose box is filled with edges is a drawing; a frame around a panel is not.
_FILLED: Final = 0.2

_SQUARE: Final = np.ones((3, 3), np.uint8)


def grey(pixels: Pixels) -> Pixels:
    """Return the picture in shades of grey."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8)


class Found(NamedTuple):
    """The regions of the size of text, the pictures, and every pixel that stands out."""

    texts: list[Box]
    pictures: list[Box]
    ink: Pixels


class Finder:
    """Finds what stands out on the screens of one record.

    Of a screen that follows another only the band of rows that changed is looked at anew, with as
    much around it as one step of the search reaches: the answer is the same as of the whole.
    """

    def __init__(self) -> None:
        self._last: _Contrast | None = None
        self._found: Found | None = None
        self._colours: _Colours | None = None

    def find(self, shades: Pixels) -> Found:
        """Return what stands out on a grey screen."""
        last, self._last = self._last, None
        if last is None or last.shades.shape != shades.shape:
            self._last = _contrast(shades)
        else:
            bands = _bands(np.flatnonzero((last.shades != shades).any(axis=1)))
            if not bands and self._found is not None:
                self._last = last
                return self._found
            self._last = _again(last, shades, bands)
        self._found = _sorted(self._last)
        return self._found

    def find_coloured(self, pixels: Pixels, shades: Pixels) -> Found:
        """Return what stands out on a screen by its colour alone, as `find_coloured` does."""
        last, self._colours = self._colours, None
        if last is None or last.pixels.shape != pixels.shape:
            edges = _coloured_edges(pixels, shades)
        else:
            edges = last.edges
            changed = (last.pixels != pixels).reshape(len(pixels), -1).any(axis=1)
            for top, bottom in _bands(np.flatnonzero(changed)):
                first, end = max(0, top - _COLOUR_REACH), min(len(pixels), bottom + _COLOUR_REACH)
                above, below = max(0, first - _COLOUR_REACH), end + _COLOUR_REACH
                fresh = _coloured_edges(pixels[above:below], shades[above:below])
                edges[first:end] = fresh[first - above : end - above]
        # The caller paints on the pixels it gave.
        self._colours = _Colours(pixels.copy(), edges)
        return _coloured(pixels, shades, edges)


class _Contrast(NamedTuple):
    """A screen, how steep it is at each pixel, and its edges joined to the size of words."""

    shades: Pixels
    gradient: Pixels
    joined: Pixels


class _Colours(NamedTuple):
    """A screen as it came, and its edges that are of colour alone."""

    pixels: Pixels
    edges: Pixels


def find(shades: Pixels) -> Found:
    """Return what stands out on a grey screen."""
    return _sorted(_contrast(shades))


def find_coloured(pixels: Pixels, shades: Pixels) -> Found:
    """Return what stands out by its colour alone: one shade of grey, and yet plain to an eye.

    No reader sees it, so nobody may show it.
    """
    return _coloured(pixels, shades, _coloured_edges(pixels, shades))


def _coloured_edges(pixels: Pixels, shades: Pixels) -> Pixels:
    steep = cv2.morphologyEx(pixels, cv2.MORPH_GRADIENT, _SQUARE)
    blue, green, red = cv2.split(steep)
    _, edges = cv2.threshold(
        cv2.max(cv2.max(blue, green), red), _COLOUR_CONTRAST, 255, cv2.THRESH_BINARY
    )
    gradient = cv2.morphologyEx(shades, cv2.MORPH_GRADIENT, _SQUARE)
    _, seen = cv2.threshold(gradient, _CONTRAST, 255, cv2.THRESH_BINARY)
    return np.asarray(cv2.subtract(edges, cv2.dilate(seen, _SQUARE)), np.uint8)


def _coloured(pixels: Pixels, shades: Pixels, edges: Pixels) -> Found:
    if cv2.countNonZero(edges) < _SMALLEST_AREA:
        return Found([], [], np.zeros_like(shades))
    rest: cv2.typing.MatLike = edges
    for axis in (0, 1):
        # A line is one in every colour.
        lines = [_rules(np.asarray(plane, np.uint8), rest, axis) for plane in cv2.split(pixels)]
        rest = cv2.subtract(rest, cv2.min(cv2.min(lines[0], lines[1]), lines[2]))
    joined = cv2.morphologyEx(rest, cv2.MORPH_CLOSE, np.ones((3, _JOIN), np.uint8))
    return _sorted(_Contrast(shades, np.zeros_like(shades), np.asarray(joined, np.uint8)))


def _bands(rows: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Return changed rows as bands, half open; what lies between two is not worth parting them."""
    ends = np.flatnonzero(np.diff(rows) > 2 * _REACH)
    firsts, lasts = [*rows[:1], *rows[ends + 1]], [*rows[ends], *rows[-1:]]
    return [(int(top), int(last) + 1) for top, last in zip(firsts, lasts, strict=True)]


def _again(last: _Contrast, shades: Pixels, bands: Iterable[tuple[int, int]]) -> _Contrast:
    """Return the contrast of a screen that differs from the last one in these bands alone."""
    # What was found on the last screen holds on to its pixels.
    joined = last.joined.copy()
    for top, bottom in bands:
        first, end = max(0, top - _REACH), min(len(shades), bottom + _REACH)
        above = max(0, first - _REACH)
        fresh = _contrast(shades[above : end + _REACH])
        inside = slice(first - above, end - above)
        last.gradient[first:end] = fresh.gradient[inside]
        joined[first:end] = fresh.joined[inside]
    return _Contrast(shades, last.gradient, joined)


def _contrast(shades: Pixels) -> _Contrast:
    gradient = cv2.morphologyEx(shades, cv2.MORPH_GRADIENT, _SQUARE)
    _, edges = cv2.threshold(gradient, _CONTRAST, 255, cv2.THRESH_BINARY)
    edges = cv2.subtract(edges, cv2.max(_rules(shades, edges, 1), _rules(shades, edges, 0)))
    joined = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((3, _JOIN), np.uint8))
    return _Contrast(shades, np.asarray(gradient, np.uint8), np.asarray(joined, np.uint8))


def _sorted(contrast: _Contrast) -> Found:
    """Return the regions of a screen: of the size of text, and pictures."""
    joined = contrast.joined
    # Short labels are twice as fast; only a large screen could hold more regions than they number.
    short = joined.size <= _FEW_PIXELS
    _, _, found, _ = cv2.connectedComponentsWithStats(
        joined, connectivity=8, ltype=cv2.CV_16U if short else cv2.CV_32S
    )
    texts: list[Box] = []
    pictures = _photographs(contrast.gradient)
    for x, y, width, height, area in found[1:].tolist():
        box = Box(x, y, width, height)
        if height > _TALLEST:
            if area > _FILLED * width * height:
                pictures.append(box)
            else:
                pictures.extend(_strokes(joined, box))
        elif height >= 5 and width >= 4 and area >= _SMALLEST_AREA:  # noqa: PLR2004 - a dot.
            texts.append(box)
    return Found(texts, pictures, joined)


def _rules(shades: Pixels, edges: cv2.typing.MatLike, axis: int) -> cv2.typing.MatLike:
    """Return the lines and borders along an axis: long, and nearly all of one shade.

    Length alone would not do: a dense row of small letters stands out without a gap too. Where
    lines cross, the shade changes; so a part of it may.
    """
    shape = (_RULE_WIDTH, 1) if axis else (1, _RULE_HEIGHT)
    long = cv2.morphologyEx(edges, cv2.MORPH_OPEN, np.ones(shape[::-1], np.uint8))
    steps = np.zeros_like(shades)
    first, second = (shades[:, :-1], shades[:, 1:]) if axis else (shades[:-1], shades[1:])
    cv2.absdiff(first, second, steps[:, :-1] if axis else steps[:-1])
    _, even = cv2.threshold(steps, _EVEN, 255, cv2.THRESH_BINARY_INV)
    share = cv2.blur(even, (shape[0] // 2 + 1, shape[1] // 2 + 1))
    _, mostly = cv2.threshold(share, int(255 * _EVEN_SHARE), 255, cv2.THRESH_BINARY)
    return cv2.min(long, mostly)


def _strokes(joined: cv2.typing.MatLike, box: Box) -> list[Box]:
    """Return the parts of a hollow thing that its lines really cover, in cells of 32 pixels."""
    found = []
    for y in range(box.y, box.bottom, _TEXTURE_SIDE):
        for x in range(box.x, box.right, _TEXTURE_SIDE):
            width, height = min(_TEXTURE_SIDE, box.right - x), min(_TEXTURE_SIDE, box.bottom - y)
            cell = joined[y : y + height, x : x + width]
            if cv2.countNonZero(cell) > _FILLED * width * height:
                found.append(Box(x, y, width, height))
    return found


def _photographs(gradient: Pixels) -> list[Box]:
    """Return the boxes of areas that change a little nearly everywhere."""
    height, width = gradient.shape
    half = (max(1, width // 2), max(1, height // 2))
    sampled = cv2.resize(gradient, half, interpolation=cv2.INTER_NEAREST)
    _, texture = cv2.threshold(sampled, _TEXTURE, 255, cv2.THRESH_BINARY)
    small = cv2.resize(
        texture,
        (max(1, width // _TEXTURE_SIDE), max(1, height // _TEXTURE_SIDE)),
        interpolation=cv2.INTER_AREA,
    )
    _, dense = cv2.threshold(small, int(255 * _TEXTURE_SHARE), 255, cv2.THRESH_BINARY)
    if not cv2.countNonZero(dense):
        return []
    _, _, found, _ = cv2.connectedComponentsWithStats(dense, connectivity=8)
    across, down = width / small.shape[1], height / small.shape[0]
    boxes = []
    for x, y, cells_wide, cells_high, _ in found[1:].tolist():
        if min(cells_wide, cells_high) >= 2:  # noqa: PLR2004 - one dense cell is a line of text.
            left, top = max(0, round((x - 1) * across)), max(0, round((y - 1) * down))
            right = min(width, round((x + cells_wide + 1) * across))
            bottom = min(height, round((y + cells_high + 1) * down))
            boxes.append(Box(left, top, right - left, bottom - top))
    return boxes


def rows(boxes: Iterable[Box]) -> list[Box]:
    """Return the regions with those of one line of text, side by side, made one."""
    merged: list[list[int]] = []  # Left, top, right, bottom.
    for x, y, width, height in sorted(boxes):
        right, bottom = x + width, y + height
        for line in reversed(merged[-_ROWS_BEHIND:]):
            if x > line[2] + _ROW_GAP or right < line[0]:
                continue
            overlap = min(line[3], bottom) - max(line[1], y)
            if overlap > _ROW_OVERLAP * min(line[3] - line[1], height):
                line[:] = (
                    min(line[0], x),
                    min(line[1], y),
                    max(line[2], right),
                    max(line[3], bottom),
                )
                break
        else:
            merged.append([x, y, right, bottom])
    return [Box(left, top, right - left, bottom - top) for left, top, right, bottom in merged]
