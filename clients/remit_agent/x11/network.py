"""Whether the network costs its person money, as NetworkManager knows or guesses it (D-Bus)."""

from typing import Final

from jeepney import DBusAddress, Properties
from jeepney.io.blocking import open_dbus_connection

# NM_METERED_YES and NM_METERED_GUESS_YES: a guess that sending costs money is enough.
_COSTS: Final = frozenset({1, 3})
_PATIENCE_S: Final = 0.5
_NAME: Final = "org.freedesktop.NetworkManager"
_MANAGER: Final = DBusAddress("/org/freedesktop/NetworkManager", bus_name=_NAME, interface=_NAME)


def is_metered(bus: str = "SYSTEM") -> bool:
    """Ask; no answer, or none that is understood, means that nobody knows of any cost."""
    try:
        with open_dbus_connection(bus) as connection:
            question = Properties(_MANAGER).get("Metered")
            answer = connection.send_and_get_reply(question, timeout=_PATIENCE_S)
        kind, value = answer.body[0]
    except (OSError, ValueError, TypeError):
        return False
    return kind == "u" and value in _COSTS
