"""How messages reach the workers: as files, whole before anybody sees them, or through Redis.

kombu's own channel of files lets a reader see one that is still being written; the worker then
stops on half a message. Here a message gets its name once it is complete (rename is atomic, POSIX).

kombu's own channel of Redis puts back what a worker took and did not confirm. A forged message that
ends whoever reads it would come back to the next worker, for ever. A message only rings for work
that stands in the database and that the sweep finds: here it is gone once it was taken.
"""

from pathlib import Path
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from kombu.transport import filesystem, redis
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


class RedisQoS(redis.QoS):
    """What was taken is not kept an eye on."""

    def restore_visible(self, *_: object, **__: object) -> None:
        """Put nothing back after a while."""


class RedisChannel(redis.Channel):
    """The channel of the Redis transport; a worker that ends puts nothing back."""

    do_restore = False
    QoS = RedisQoS


class RedisTransport(redis.Transport):
    """The Redis transport with that channel."""

    Channel = RedisChannel
