"""The closed word lists an event may use. What is not here does not exist for the service.

Key names are pynput's (and so openadapt-capture's); roles are ARIA's, to which the agent maps the
roles of its own accessibility interface. A free-form role or key name could carry a person's name
past every category, so neither is free.
"""

from typing import Final

LETTER_MODIFIERS: Final = frozenset(
    {"alt", "alt_l", "alt_r", "cmd", "cmd_l", "cmd_r", "ctrl", "ctrl_l", "ctrl_r"}
)
MODIFIERS: Final = LETTER_MODIFIERS | {"alt_gr", "shift", "shift_l", "shift_r"}
EDITING: Final = frozenset({"backspace", "delete", "enter", "insert", "space", "tab"})
NAVIGATION: Final = frozenset(
    {"down", "end", "home", "left", "page_down", "page_up", "right", "up"}
)
FUNCTION: Final = frozenset({f"f{number}" for number in range(1, 25)})
OTHER_KEYS: Final = frozenset(
    {
        "caps_lock",
        "esc",
        "media_next",
        "media_play_pause",
        "media_previous",
        "media_volume_down",
        "media_volume_mute",
        "media_volume_up",
        "menu",
        "num_lock",
        "pause",
        "print_screen",
        "scroll_lock",
    }
)
KEY_NAMES: Final = MODIFIERS | EDITING | NAVIGATION | FUNCTION | OTHER_KEYS

_ROLE_WORDS: Final = """
    alert alertdialog application article banner blockquote button caption cell checkbox code
    columnheader combobox complementary contentinfo definition deletion dialog directory document
    emphasis feed figure form generic grid gridcell group heading image insertion link list listbox
    listitem log main marquee math menu menubar menuitem menuitemcheckbox menuitemradio meter
    navigation none note option paragraph presentation progressbar radio radiogroup region row
    rowgroup rowheader scrollbar search searchbox separator slider spinbutton status statusbar
    strong subscript superscript switch tab table tablist tabpanel term textbox time timer toolbar
    tooltip tree treegrid treeitem window pane titlebar other
"""
ROLES: Final = frozenset(_ROLE_WORDS.split())

# Never stored, whatever was consented: R51, events.md "never collectable".
SECURE_ROLES: Final = frozenset(
    {"password", "password-text", "password_text", "passwordtext", "secure", "secure-text"}
)
