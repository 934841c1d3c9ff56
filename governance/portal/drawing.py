"""A record as a drawing: where the pointer went, where it clicked, how the screen was divided.

Only what is stored is drawn. The drawing is plain SVG with numbers in attributes and colours from
classes, so the strict content policy and dark mode both hold; words beside it say the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MOST_PATHS: Final = 400
MOST_BOXES: Final = 300
MARGIN: Final = 0.04
LEAST_SPAN: Final = 40
_CLICKS: Final = frozenset({"mouse.down"})
_DELTA: Final = 3
_BOUNDS: Final = 4

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the screen layout."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """The parts of the SVG, in pixels of the captured screen."""

    paths: tuple[str, ...]
    clicks: tuple[Point, ...]
    scrolls: tuple[Point, ...]
    boxes: tuple[Box, ...]
    left: int
    top: int
    width: int
    height: int

    @property
    def view_box(self) -> str:
        """The SVG's own measure, never in the reader's number format."""
        return f"{self.left} {self.top} {self.width} {self.height}"

    @property
    def radius(self) -> str:
        """The size of a mark: the same on a small and on a large screen."""
        return f"{max(self.width, self.height) / 110:.1f}"


def draw(events: Sequence[Mapping[str, object]]) -> Drawing | None:
    """Return the drawing of a record, or None where there is nothing to draw."""
    paths = [path for path in map(_path, events) if path][:MOST_PATHS]
    clicks = [_at(event) for event in events if event.get("type") in _CLICKS]
    scrolls = [_at(event) for event in events if event.get("type") == "mouse.scroll"]
    boxes = list(_boxes(events))[:MOST_BOXES]
    corners = [(box.x + box.width, box.y + box.height) for box in boxes]
    points = [
        *(point for path in paths for point in path),
        *clicks,
        *scrolls,
        *((box.x, box.y) for box in boxes),
        *corners,
    ]
    if not points:
        return None
    left, top, width, height = _frame(points)
    return Drawing(
        paths=tuple(" ".join(f"{x},{y}" for x, y in path) for path in paths if len(path) > 1),
        clicks=tuple(dict.fromkeys(clicks)),
        scrolls=tuple(dict.fromkeys(scrolls)),
        boxes=tuple(boxes),
        left=left,
        top=top,
        width=width,
        height=height,
    )


def _frame(points: Iterable[Point]) -> tuple[int, int, int, int]:
    across, down = zip(*points, strict=True)
    width = max(max(across) - min(across), LEAST_SPAN)
    height = max(max(down) - min(down), LEAST_SPAN)
    edge = int(max(width, height) * MARGIN) + 1
    return min(across) - edge, min(down) - edge, width + 2 * edge, height + 2 * edge


def _path(event: Mapping[str, object]) -> list[Point]:
    """Return the points of a movement: its start, and each step from the one before."""
    kind = event.get("type")
    if kind == "mouse.move":
        return [_at(event)]
    steps = event.get("points")
    if kind != "mouse.path" or not isinstance(steps, list):
        return []
    x, y = _at(event)
    points = [(x, y)]
    for step in steps:
        if isinstance(step, list | tuple) and len(step) == _DELTA:
            x, y = x + _pixel(step[1]), y + _pixel(step[2])
            points.append((x, y))
    return points


def _at(event: Mapping[str, object]) -> Point:
    return _pixel(event.get("x")), _pixel(event.get("y"))


def _pixel(place: object) -> int:
    return round(place) if isinstance(place, int | float) else 0


def _boxes(events: Sequence[Mapping[str, object]]) -> Iterator[Box]:
    """Yield the places of the last layout; boxes without a size were not visible."""
    layouts = [event for event in events if event.get("type") == "ui.tree"]
    nodes = layouts[-1].get("nodes") if layouts else None
    for node in nodes if isinstance(nodes, list) else []:
        bounds = node.get("bounds") if isinstance(node, Mapping) else None
        if isinstance(bounds, list) and len(bounds) == _BOUNDS:
            x, y, width, height = map(_pixel, bounds)
            if width > 0 and height > 0:
                yield Box(x, y, width, height)
