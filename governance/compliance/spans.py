"""The few forms of ISO 8601 durations that laws are written in, and days counted by them."""

import calendar
import re
from datetime import date, timedelta
from typing import Final

_SPAN: Final = re.compile(r"^P(?:(\d+)([YMD])|T(\d+)H)\Z")
_DAYS: Final = {"Y": 365, "M": 30, "D": 1}


def days_of(span: str) -> int:
    """Return a span in whole days, rounded down to what is surely within it."""
    number, unit, hours = _parts(span)
    return int(hours) // 24 if hours else int(number) * _DAYS[unit]


def after(start: date, span: str) -> date:
    """Return the day a span after `start`: the same day of the month, or the month's last."""
    number, unit, hours = _parts(span)
    if hours:
        return start + timedelta(hours=int(hours))
    if unit == "D":
        return start + timedelta(days=int(number))
    months = start.year * 12 + start.month - 1 + int(number) * (12 if unit == "Y" else 1)
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


def _parts(span: str) -> tuple[str, str, str]:
    found = _SPAN.match(span)
    if found is None:
        raise ValueError(f"{span!r} is not a span of years, months, days or hours.")
    number, unit, hours = found.groups()
    return number or "", unit or "", hours or ""
