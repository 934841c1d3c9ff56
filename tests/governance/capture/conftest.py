"""A house with policies in force, and mira with consent and a device."""

import pytest

from tests import make

ALL_CATEGORIES = (
    "pointer",
    "click",
    "menu-navigation",
    "shortcut",
    "keystroke-timing",
    "keystroke-text",
    "window-metadata",
    "ui-structure",
)


@pytest.fixture
def agent(nordhafen: make.House) -> make.Endpoint:
    """Mira's device, after she allowed everything in the freight desk for training."""
    make.decide(
        nordhafen, "mira", [(make.TRAIN, make.DESK, category) for category in ALL_CATEGORIES]
    )
    return make.endpoint(nordhafen, "mira")
