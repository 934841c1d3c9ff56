"""What the keyboard and the mouse did, from the RECORD extension, on a thread of its own.

Promises: only device events are asked for, no requests and no replies of any program; each comes
with the server's own time. Leaves to others: which window it belongs to, and everything else.
"""

import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import xcffib
import xcffib.record

from remit_agent.errors import AgentError
from remit_agent.x11.display import Display

KEY_PRESS, KEY_RELEASE, BUTTON_PRESS, BUTTON_RELEASE, MOTION = range(2, 7)
_EVENT: Final = struct.Struct("=BBHIIIIhhhhHBx")
_FROM_SERVER: Final = 0
_END_OF_DATA: Final = 5


@dataclass(frozen=True, slots=True)
class Input:
    """One event of a device: what it did, when by the server's clock, where the pointer was."""

    kind: int
    detail: int
    server_ms: int
    x: int
    y: int
    state: int


class Tap:
    """A RECORD context; `start` gives each input to a callback on the tap's own thread."""

    def __init__(self, name: str | None, tell: Callable[[Input], None]) -> None:
        self._tell = tell
        self._control = Display(name)
        self._data = Display(name)
        if self._control.core.QueryExtension(6, "RECORD").reply().present == 0:
            raise AgentError("This X server has no RECORD extension: nothing can be recorded.")
        self._context = self._control.connection.generate_id()
        self._open()
        self._thread = threading.Thread(target=self._run, name="remit-tap", daemon=True)

    def _open(self) -> None:
        record = xcffib.record
        devices = record.Range.synthetic(
            *[record.Range8.synthetic(0, 0)] * 2,
            *[record.ExtRange.synthetic(record.Range8.synthetic(0, 0),
                                        record.Range16.synthetic(0, 0))] * 2,
            record.Range8.synthetic(0, 0),
            record.Range8.synthetic(KEY_PRESS, MOTION),
            record.Range8.synthetic(0, 0),
            False,  # noqa: FBT003 - X protocol.
            False,  # noqa: FBT003 - X protocol.
        )  # fmt: skip
        extension = self._control.connection(record.key)
        everybody = record.CS.AllClients
        extension.CreateContext(
            self._context, 0, 1, 1, [everybody], [devices], is_checked=True
        ).check()

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening and hang up."""
        extension = self._control.connection(xcffib.record.key)
        try:
            extension.DisableContext(self._context, is_checked=True).check()
            self._thread.join(2)
        except xcffib.XcffibException:
            pass
        self._control.close()
        # A connection that a thread still waits on must not be taken from under it.
        if not self._thread.is_alive():
            self._data.close()

    def _run(self) -> None:
        cookie = self._data.connection(xcffib.record.key).EnableContext(self._context)
        try:
            while (reply := cookie.reply()).category != _END_OF_DATA:
                if reply.category == _FROM_SERVER:
                    self._read(bytes(reply.data.buf()))
        except (xcffib.XcffibException, xcffib.ConnectionException):
            return

    def _read(self, octets: bytes) -> None:
        for position in range(0, len(octets) - len(octets) % 32, 32):
            fields = _EVENT.unpack_from(octets, position)
            kind, detail, server_ms, x, y, state = (
                fields[0] & 0x7F, fields[1], fields[3], fields[7], fields[8], fields[11]
            )  # fmt: skip
            if KEY_PRESS <= kind <= MOTION:
                self._tell(Input(kind, detail, server_ms, x, y, state))
