"""What the machine says of itself that a budget asks for."""

from pathlib import Path
from typing import Final

_SUPPLIES: Final = Path("/sys/class/power_supply")


def is_on_battery(supplies: Path = _SUPPLIES) -> bool:
    """Whether the machine runs on a battery: it has one, and no mains that is connected."""
    kinds = {each: _word(each / "type") for each in supplies.glob("*")}
    mains = [_word(each / "online") == "1" for each, kind in kinds.items() if kind == "Mains"]
    return "Battery" in kinds.values() and not any(mains)


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
