"""Boxes, words and the type of pixels: what the modules of this package say to one another."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]


class Box(NamedTuple):
    """A rectangle in pixels: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


class Word(NamedTuple):
    """A word on the screen, where it stands, and how sure its reader is (0 to 100)."""

    text: str
    box: Box
    confidence: float


class Painted(NamedTuple):
    """A box that is painted over, and why: an entity type, or that nobody could read it."""

    box: Box
    type: str
