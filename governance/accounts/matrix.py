"""Who may do what: reads `access_matrix.toml`, the one table behind doors, docs and tests.

Promise: what the table does not name is denied; a role or a word it does not know stops the start.
Leaves to others: "own" and "second" say that a further condition holds, which the service that
does the act checks (ownership by its selectors, four eyes by its constraint).
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

from governance.accounts.errors import MatrixError
from governance.accounts.roles import Role

PUBLIC = "public"
INTERNAL = "internal"
SUBJECTS = frozenset({PUBLIC, INTERNAL, *(role.value for role in Role)})
_FILE = Path(__file__).with_name("access_matrix.toml")


class Reach(StrEnum):
    """How far a permission reaches."""

    ALL = "all"
    OWN = "own"
    SECOND = "second"
    METADATA = "metadata"


Table = Mapping[str, Mapping[str, Reach]]


def parse(text: str) -> Table:
    """Return `{"resource.action": {role: Reach}}`; MatrixError for any unknown word."""
    table: dict[str, Mapping[str, Reach]] = {}
    for resource, actions in tomllib.loads(text).items():
        for action, cells in actions.items():
            name = f"{resource}.{action}"
            if strangers := set(cells) - SUBJECTS:
                raise MatrixError(f"{name} names {sorted(strangers)}, which are no roles.")
            try:
                row = {role: Reach(word) for role, word in cells.items()}
            except ValueError as error:
                raise MatrixError(f"{name}: {error}.") from error
            table[name] = MappingProxyType(row)
    return MappingProxyType(table)


@cache
def table() -> Table:
    """Return the whole matrix, read once."""
    return parse(_FILE.read_text(encoding="utf-8"))


def reach(role: str | None, action: str) -> Reach | None:
    """Return how far `role` (None: nobody is signed in) may do `action`, or None: not at all."""
    row = table().get(action, {})
    if PUBLIC in row:
        return row[PUBLIC]
    return row.get(role) if role is not None and role != PUBLIC else None


def allowed(role: str | None, action: str) -> bool:
    """Return whether `role` may do `action` at all; an action nobody listed is denied."""
    return reach(role, action) is not None


def is_listed(action: str) -> bool:
    """Return whether the matrix has this row, so that a misspelt door fails its test."""
    return action in table()
