"""What the machine says of itself that a budget asks for."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SUPPLIES: Final = Path("/sys/class/power_supply")
_BUS: Final = Path("/run/dbus/system_bus_socket")


def is_on_battery(supplies: Path = _SUPPLIES) -> bool:
    """Whether the machine runs on a battery: it has one, and no mains that is connected."""
    kinds = {each: _word(each / "type") for each in supplies.glob("*")}
    mains = [_word(each / "online") == "1" for each, kind in kinds.items() if kind == "Mains"]
    return "Battery" in kinds.values() and not any(mains)


def is_metered(bus: Path = _BUS) -> bool:
    """Whether the system says that sending costs money here; no where nobody can say so."""
    if not bus.exists():
        return False
    try:
        from remit_agent.x11 import network  # noqa: PLC0415 - an extra.
    except ImportError:
        return False
    return network.is_metered()


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine as budgets ask for it; `cpu_s` is what this process used, None: not capped."""

    is_on_battery: Callable[[], bool] = is_on_battery
    is_metered: Callable[[], bool] = is_metered
    cpu_s: Callable[[], float] | None = None


def working() -> Machine:
    """Return this machine for an agent that records, whose processor time counts."""
    return Machine(cpu_s=time.process_time)


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
