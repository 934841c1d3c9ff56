"""What was handed in and waits sealed for its redaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from audit import sql
from governance.capture.errors import RecordGoneError
from governance.capture.records import Waiting
from governance.jobs import clock

_SEALED: Final = """
    SELECT b.id, b.subject, b.device_id, {now}, b.key_id, s.received_at, s.wire
    FROM capture_sealedbatch s JOIN capture_capturebatch b ON b.id = s.batch_id
    WHERE b.id IN ({marks})
"""
_OF_DEVICES: Final = """
    SELECT b.id, b.subject, b.device_id
    FROM capture_sealedbatch s JOIN capture_capturebatch b ON b.id = s.batch_id
    WHERE b.id IN ({marks}) AND length(s.wire) <= %s ORDER BY b.id
"""


class Sealed(NamedTuple):
    """A batch that waits, and what its agent sent."""

    batch: Waiting
    key_id: str
    received_at: datetime
    wire: bytes

    @property
    def header(self) -> bytes:
        """The clear part."""
        return self.wire[4 : self._end]

    @property
    def body(self) -> bytes:
        """The sealed part."""
        return self.wire[self._end :]

    @property
    def _end(self) -> int:
        return 4 + int.from_bytes(self.wire[:4], "big")


def sealed(batches: Sequence[UUID]) -> list[Sealed]:
    """Return batches of one device, in their order. RecordGoneError when one is not sealed."""
    found = {}
    for key, subject, device, now, key_id, received_at, wire in sql.rows(
        _SEALED.format(now=clock.expression(), marks=_marks(batches)), batches
    ):
        batch = Waiting(sql.identifier(key), subject, sql.identifier(device), sql.moment(now))
        found[batch.id] = Sealed(batch, key_id, sql.moment(received_at), bytes(wire))
    if len(found) != len(batches):
        raise RecordGoneError
    if len({(one.batch.subject, one.batch.device_id) for one in found.values()}) > 1:
        raise ValueError("Together only batches of one device are opened.")
    return [found[batch] for batch in batches]


def by_device(batches: Sequence[UUID], *, largest: int) -> list[list[UUID]]:
    """Return those that wait sealed and are no larger, each device's in the order of their ids."""
    devices: dict[tuple[str, str], list[UUID]] = {}
    for batch, subject, device in sql.rows(
        _OF_DEVICES.format(marks=_marks(batches)), [*batches, largest]
    ):
        devices.setdefault((subject, str(device)), []).append(sql.identifier(batch))
    return list(devices.values())


def _marks(batches: Sequence[UUID]) -> str:
    return ", ".join(["%s"] * len(batches))
