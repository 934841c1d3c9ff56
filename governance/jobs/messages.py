"""Messages as files, for the broker that needs no server: whole before anybody sees them.

kombu's own channel lets a reader see a file that is still being written; the worker then stops on
half a message. Here a message gets its name once it is complete (rename is atomic, POSIX).
"""

from pathlib import Path
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """The channel of the filesystem transport, with whole messages."""

    def _put(  # type: ignore[override]  # kombu's own bases disagree on the name.
        self,
        queue: str,
        payload: Any,  # noqa: ANN401 - as kombu's.
        **_: object,
    ) -> None:
        """Write a message beside its place, then move it there."""
        name = f"{monotonic_ns() // 1_000_000}_{uuid4()}.{queue}.msg"
        target = Path(self.data_folder_out) / name
        unfinished = target.with_suffix(".part")
        unfinished.write_text(dumps(payload), encoding="utf-8")  # type: ignore[no-untyped-call]
        unfinished.rename(target)


class Transport(filesystem.Transport):
    """The filesystem transport with that channel."""

    Channel = Channel
