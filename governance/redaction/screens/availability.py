"""Whether this installation can redact pictures of screens; importable without the extra."""

from functools import cache
from importlib.util import find_spec
from typing import Final

MISSING: Final = (
    "Screens need the extra `ocr` (requirements-ocr.lock); without it none is taken or redacted."
)
_MODULES: Final = ("cv2", "numpy", "tesserocr", "tessdata")


@cache
def is_available() -> bool:
    """Tell whether everything the extra `ocr` brings is here."""
    return all(find_spec(module) is not None for module in _MODULES)


def refused() -> str:
    """Return the words that say why no picture of a screen is taken here."""
    return "Pictures of screens are refused. " + (
        "REMIT_SCREENS is off." if is_available() else MISSING
    )
