"""What pages and README promise, each with an id and its tests: writes docs/claims.md."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import requirements

TABLE: Path = requirements.ROOT / "tests/claims.toml"
DOCUMENT: Path = requirements.ROOT / "docs/claims.md"
_HEAD = """\
# Promises and their tests

What pages and README promise, word for word, and the tests that hold it. `make requirements` writes
this page; a test fails when the words stand nowhere any more, or a promise has no test.

| | Promise | Where | Tests |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """One promise as it is printed."""

    name: str
    words: str
    place: str
    tests: tuple[str, ...]

    @property
    def is_printed(self) -> bool:
        """Whether the words stand where the table says."""
        text = (requirements.ROOT / self.place).read_text()
        return self.words in " ".join(text.split())

    def held_by(self, named: Mapping[int, list[str]]) -> list[str]:
        """Return the tests, those of a requirement among them; an unknown one is an empty text."""
        found: list[str] = []
        for test in self.tests:
            if re.fullmatch(r"R\d+", test):
                found += named.get(int(test[1:]), [""])
            else:
                path, _, name = test.partition("::")
                source = (requirements.ROOT / path).read_text()
                found.append(test if f"def {name}(" in source else "")
        return found


def claims() -> list[Claim]:
    """Return every promise of the table."""
    rows = tomllib.loads(TABLE.read_text())
    return [
        Claim(name, row["words"], row["place"], tuple(row["tests"])) for name, row in rows.items()
    ]


def document() -> str:
    """Return the page as it must stand; of a requirement it names the number."""
    return _HEAD + "".join(
        f"| {one.name} | {one.words} | `{one.place}` | "
        f"{', '.join(test.removeprefix('tests/') for test in one.tests)} |\n"
        for one in claims()
    )
