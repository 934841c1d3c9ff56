"""One sequencer at a time: an exclusive file lock, and on PostgreSQL an advisory lock as well.

The file lock guards the signer's memory on this machine, the advisory lock keeps out a sequencer on
another. Losing either mid-batch is harmless: the tree row is locked and its size compared, tiles
are deterministic, and the signer remembers.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

from audit import checkpoint, files
from audit.errors import SequencerBusyError

# Any fixed number; it names this lock among the database's advisory locks.
_ADVISORY_KEY: Final = 0x52454D4954


@contextmanager
def the_log() -> Iterator[None]:
    """Hold the log. Raises SequencerBusyError when somebody else does."""
    where = checkpoint.directory()
    files.make_directory(where, mode=0o700)
    descriptor = os.open(where / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SequencerBusyError("Another sequencer holds the log.") from error
        with _advisory_lock():
            yield
    finally:
        os.close(descriptor)


@contextmanager
def _advisory_lock() -> Iterator[None]:
    """Hold the lock for the database session (not through a transaction-pooling proxy)."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_KEY])
        (is_held,) = cursor.fetchone()
    if not is_held:
        raise SequencerBusyError("Another sequencer holds the log.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_KEY])
