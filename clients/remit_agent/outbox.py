"""Sealed batches between being sealed and being answered.

Promises: a batch is on disk before it is first sent and gone after its final answer, so that a
killed agent sends the same bytes under the same id again and nothing twice; batches go out in the
order they were made. What lies here is sealed: this device cannot open it either.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from remit_agent.errors import HomeError
from remit_agent.home import write_whole
from remit_agent.seal import SealedBatch

MAX_OCTETS: Final = 64 << 20
_SUFFIX: Final = ".batch"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One batch that has no final answer yet."""

    batch_id: UUID
    path: Path

    def wire(self) -> bytes:
        """Return its exact bytes."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise HomeError("A waiting batch cannot be read.") from error

    def done(self) -> None:
        """Forget it: it was answered for good."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The waiting batches of one state directory."""

    path: Path

    def has_room(self) -> bool:
        """Whether another batch may wait; without room nothing more is captured."""
        return sum(each.path.stat().st_size for each in self) < MAX_OCTETS

    def put(self, batch: SealedBatch) -> None:
        """Write a batch durably; its UUIDv7 is the order."""
        write_whole(self.path / f"{batch.batch_id}{_SUFFIX}", batch.wire)

    def __iter__(self) -> Iterator[Waiting]:
        for path in sorted(self.path.glob(f"*{_SUFFIX}")):
            yield Waiting(UUID(path.stem), path)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def destroy(self) -> int:
        """Drop all that waits (a withdrawal reached us) and return how many batches it was."""
        waiting = list(self)
        for each in waiting:
            each.done()
        return len(waiting)
