"""What a monitor remembers between rounds, in a directory of its reader's own."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit.verifier.encoding import Json, hash_bytes, parse_json
from audit.verifier.errors import NotVerifiedError
from audit.verifier.note import LONGEST_NOTE
from audit.verifier.scan import Frontier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit.verifier.checkpoint import Checkpoint
    from audit.verifier.rules import Rules

_LONGEST_STATE = 8 * 1024 * 1024
_ID_LENGTH = 16


@dataclass(frozen=True)
class Saved:
    """The end of the last round that held; empty before the first."""

    origin: str | None = None
    frontier: Frontier = field(default_factory=Frontier)
    witnessed_at: float = 0.0
    latest: float = 0.0
    closed: tuple[str, frozenset[str]] | None = None


class State:
    """The state directory; whoever writes to it at the same time breaks it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for name in ("unproved", "checkpoints"):
            (directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keep a signed head; one for each size and root, since signatures alone differ daily."""
        name = f"{checkpoint.size:012d}-{checkpoint.root.hex()[:16]}"
        if not (self._directory / "checkpoints" / name).exists():
            _write(self._directory / "unproved" / name, checkpoint.data)

    def unproved(self) -> Iterator[tuple[Path, bytes]]:
        """Return the heads of which nobody has yet shown that the log begins with them."""
        for path in sorted((self._directory / "unproved").glob("*-" + "[0-9a-f]" * 16)):
            with path.open("rb") as file:
                yield path, file.read(LONGEST_NOTE)

    def settle(self, path: Path) -> None:
        """Put a head among those that the log begins with."""
        path.replace(self._directory / "checkpoints" / path.name)

    def load(self) -> Saved:
        """Return the state of the last round."""
        try:
            with (self._directory / "frontier.json").open("rb") as file:
                saved = parse_json(file.read(_LONGEST_STATE), "the monitor's state")
        except FileNotFoundError:
            return Saved()
        try:
            return _saved(saved)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise NotVerifiedError("the monitor's own state is damaged") from None

    def ids(self, count: int) -> set[bytes]:
        """Return the ids seen so far; ids of a round that did not end are not among them."""
        if not count:
            return set()
        with (self._directory / "ids").open("rb") as file:
            data = file.read(count * _ID_LENGTH)
        if len(data) != count * _ID_LENGTH:
            raise NotVerifiedError("the monitor's own list of ids is incomplete")
        return {data[at : at + _ID_LENGTH] for at in range(0, len(data), _ID_LENGTH)}

    def save(
        self, checkpoint: Checkpoint, frontier: Frontier, rules: Rules, ids: list[bytes]
    ) -> None:
        """Remember a round that held."""
        known = (frontier.size - len(ids)) * _ID_LENGTH
        with (self._directory / "ids").open("ab") as file:
            file.truncate(known)
            file.write(b"".join(ids))
            file.flush()
            os.fsync(file.fileno())
        state = {
            "origin": checkpoint.origin,
            "size": frontier.size,
            "levels": [
                [base64.b64encode(one).decode("ascii") for one in level]
                for level in frontier.levels
            ],
            "witnessed_at": checkpoint.witnessed_at or 0,
            "latest_ms": round(rules.latest * 1000),
        }
        if rules.names.closed:
            origin, vkeys = rules.names.closed
            state["closed"] = [origin, *sorted(vkeys)]
        _write(self._directory / "frontier.json", json.dumps(state).encode("ascii"))


def _saved(saved: Json) -> Saved:
    levels = [[hash_bytes(text, "a hash") for text in level] for level in saved["levels"]]
    size, closed = saved["size"], saved.get("closed")
    if not isinstance(size, int) or not isinstance(saved["origin"], str):
        raise TypeError
    return Saved(
        origin=saved["origin"],
        frontier=Frontier(size=size, levels=levels),
        witnessed_at=float(saved["witnessed_at"]),
        latest=saved["latest_ms"] / 1000,
        closed=(closed[0], frozenset(closed[1:])) if closed else None,
    )


def _write(path: Path, data: bytes) -> None:
    """Replace a file at once, so that a crash leaves the old or the new one."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
