"""What a check of the log found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_MOST_OF_A_KIND: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree; the text is one line for the operator."""

    kind: str
    text: str


Check = Callable[[], Iterator[str]]

_registered: dict[str, Check] = {}


def register(kind: str, check: Check) -> None:
    """Let a part above the log add its own check: it yields a line for each fault."""
    _registered[kind] = check


def registered() -> Iterator[Finding]:
    """Return what the registered checks find."""
    for kind, check in sorted(_registered.items()):
        for line in check():
            yield Finding(kind, line)


def few_of_each(findings: Iterator[Finding]) -> list[Finding]:
    """Return the first findings of each kind, and how many more there are of it."""
    kept: list[Finding] = []
    counted: dict[str, int] = {}
    for finding in findings:
        counted[finding.kind] = counted.get(finding.kind, 0) + 1
        if counted[finding.kind] <= _MOST_OF_A_KIND:
            kept.append(finding)
    return kept + [
        Finding(kind, f"{kind}: and {count - _MOST_OF_A_KIND} more")
        for kind, count in counted.items()
        if count > _MOST_OF_A_KIND
    ]
