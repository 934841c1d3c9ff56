"""The nine data categories: what a person says yes or no to. Order and keys are public.

The words name what is recorded as the reader would say it (events.md, "Data categories").
"""

from enum import StrEnum

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Category(StrEnum):
    """A data category. Every leaf of every event has exactly one."""

    POINTER = "pointer"
    CLICK = "click"
    MENU_NAVIGATION = "menu-navigation"
    SHORTCUT = "shortcut"
    KEYSTROKE_TIMING = "keystroke-timing"
    KEYSTROKE_TEXT = "keystroke-text"
    WINDOW_METADATA = "window-metadata"
    UI_STRUCTURE = "ui-structure"
    SCREENSHOT = "screenshot"

    @property
    def label(self) -> Promise:
        """The category in two or three words."""
        return LABELS[self]

    @property
    def words(self) -> Promise:
        """What is recorded, in the reader's words; completes "Remit may record ..."."""
        return WORDS[self]


WITHOUT_PICTURES: tuple[Category, ...] = tuple(c for c in Category if c is not Category.SCREENSHOT)


def offered_categories() -> tuple[Category, ...]:
    """Return what this installation may offer: pictures only where it can redact them."""
    return tuple(Category) if settings.REMIT_SCREENS else WITHOUT_PICTURES


LABELS: dict[Category, Promise] = {
    Category.POINTER: _("Pointer movement"),
    Category.CLICK: _("Clicks"),
    Category.MENU_NAVIGATION: _("Menu navigation"),
    Category.SHORTCUT: _("Keyboard shortcuts"),
    Category.KEYSTROKE_TIMING: _("Typing rhythm"),
    Category.KEYSTROKE_TEXT: _("Typed text, redacted"),
    Category.WINDOW_METADATA: _("Open application and page"),
    Category.UI_STRUCTURE: _("Screen layout"),
    Category.SCREENSHOT: _("Screen pictures"),
}

WORDS: dict[Category, Promise] = {
    Category.POINTER: _("where the mouse pointer moves and scrolls"),
    Category.CLICK: _("clicks and drags"),
    Category.MENU_NAVIGATION: _("choosing in menus, dropdowns, tabs and dialogs"),
    Category.SHORTCUT: _("keyboard shortcuts and special keys"),
    Category.KEYSTROKE_TIMING: _("the rhythm of typing, without the characters"),
    Category.KEYSTROKE_TEXT: _("typed text, redacted"),
    Category.WINDOW_METADATA: _("which application and page is open"),
    Category.UI_STRUCTURE: _("the layout of the screen without its text"),
    Category.SCREENSHOT: _("pictures of the screen with text and faces removed"),
}

# The furthest a retention period may reach, in days (standards.md §5.2, "hard limit").
LONGEST_DAYS: dict[Category, int] = {
    Category.POINTER: 365,
    Category.CLICK: 365,
    Category.MENU_NAVIGATION: 365,
    Category.SHORTCUT: 365,
    Category.KEYSTROKE_TIMING: 365,
    Category.KEYSTROKE_TEXT: 180,
    Category.WINDOW_METADATA: 365,
    Category.UI_STRUCTURE: 365,
    Category.SCREENSHOT: 180,
}
