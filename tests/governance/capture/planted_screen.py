"""A screen with one person all over it, drawn without a browser; everyone on it is invented."""

from typing import Any, Final

import cv2
import numpy as np

from governance.redaction.screens import pictures, regions
from governance.redaction.screens.reading import Reader

# What a reader must find on the screen as sent and nowhere after; in letters it cannot mistake.
NAMES: Final = ("brandhorstmann", "ottilie", "23004581")
SAFE: Final = "shipment"
_LINES: Final = (
    (1.0, "Shipment details"),
    (0.8, "Please call Ottilie Brandhorstmann today"),
    (0.7, "Email  ottilie.brandhorstmann@planted.example"),
    (0.7, "Phone  +49 151 23004581"),
    (0.6, "Dear Ottilie Brandhorstmann, the delivery is ready"),
)


def drawn() -> bytes:
    """Return the screen as a PNG: large, small, pale and light-on-dark text of the same person."""
    page = np.full((420, 900, 3), 250, np.uint8)
    for number, (size, text) in enumerate(_LINES):
        _write(page, text, (30, 50 + 55 * number), size, (20, 20, 20))
    _write(page, "from Ottilie Brandhorstmann", (30, 320), 0.7, (150, 150, 150))
    page[350:400] = 40
    _write(page, "Signed in as Ottilie Brandhorstmann", (30, 382), 0.7, (230, 230, 230))
    return bytes(cv2.imencode(".png", page)[1])


def _write(page: Any, text: str, place: tuple[int, int], size: float, shade: Any) -> None:
    cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, shade, 1, cv2.LINE_AA)


def said(picture: bytes) -> str:
    """Return in lower case all that a reader makes of a picture, at its size and at twice that."""
    shades = regions.grey(pictures.decode(picture))
    twice = np.asarray(cv2.resize(shades, None, fx=2, fy=2), np.uint8)
    found = [
        word.text
        for view in (shades, twice)
        for word in Reader().read(view, regions.find(view).texts)
    ]
    return "".join(found).lower()
