"""Which accesses of the list are shown: by whom, for what purpose, in which days."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from django.http import QueryDict

from governance.portal.accesses import Line
from governance.web import wording

WHO: Final = ("others", "person", "program", "refused", "you")
_LONGEST_CURSOR: Final = 18


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """What the reader asked to see; what cannot be understood restricts nothing."""

    who: str = ""
    purpose: str = ""
    since: date | None = None
    until: date | None = None
    before: int | None = None

    @classmethod
    def of(cls, sent: QueryDict) -> "AccessFilter":
        """Read the address of the page."""
        who, before = sent.get("who", ""), sent.get("before", "")
        usable = before.isascii() and before.isdecimal() and len(before) <= _LONGEST_CURSOR
        return cls(
            who=who if who in WHO else "",
            purpose=sent.get("purpose", ""),
            since=_day(sent.get("since", "")),
            until=_day(sent.get("until", "")),
            before=int(before) if usable else None,
        )

    @property
    def is_any(self) -> bool:
        """Whether something is left out."""
        return bool(self.who or self.purpose or self.since or self.until)

    def matches(self, line: Line) -> bool:
        """Tell whether the line is asked for."""
        if self.who == "others" and line.kind == "you":
            return False
        if self.who not in ("", "others", line.kind):
            return False
        if self.purpose and line.access.purpose != self.purpose:
            return False
        return (self.since or line.day) <= line.day <= (self.until or line.day)

    def address(self, *, before: int) -> str:
        """Return the query of the next page, with the same restrictions."""
        asked = {
            "before": before,
            "who": self.who,
            "purpose": self.purpose,
            "since": self.since or "",
            "until": self.until or "",
        }
        return urlencode({name: value for name, value in asked.items() if value})


def purposes(lines: Iterable[Line]) -> list[tuple[str, wording.Words]]:
    """Return the purposes that stand in the lines, to choose from."""
    named = {line.access.purpose: line.purpose for line in lines if line.access.purpose}
    return sorted(named.items(), key=lambda item: str(item[1]))


def _day(text: str) -> date | None:
    with contextlib.suppress(ValueError):
        return date.fromisoformat(text)
    return None
