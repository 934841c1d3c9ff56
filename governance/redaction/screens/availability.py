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
