"""One sequencer at a time: an exclusive file lock, and on PostgreSQL an advisory lock as well.

The file lock guards the signer's memory on this machine, the advisory lock keeps out a sequencer on
another. Losing either mid-batch is harmless: the tree row is locked and its size compared, tiles
are deterministic, and the signer remembers.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from django.db import OperationalError, connection, transaction

from audit import checkpoint, files
from audit.errors import SequencerBusyError

# Any fixed number; it names this lock among the database's advisory locks.
_ADVISORY_KEY: Final = 0x52454D4954
_KNOCK_SECONDS: Final = 0.0005
_PATIENCE_SECONDS: Final = 20.0


@contextmanager
def its_turn() -> Iterator[None]:
    """Open a transaction that begins soon, however many writers crowd SQLite's one lock.

    SQLite queues nobody: whoever knocks most often gets in, and its own busy handler soon pauses
    for a tenth of a second, between which two busy writers leave gaps of microseconds. The log
    has one sequencer and many writers, so it may knock more often than they.
    """
    with ExitStack() as block:
        if connection.vendor != "sqlite" or connection.in_atomic_block:
            block.enter_context(transaction.atomic())
        else:
            _knock(block)
        yield


def _knock(block: ExitStack) -> None:
    with connection.cursor() as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            while True:
                try:
                    block.enter_context(transaction.atomic())
                except OperationalError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_KNOCK_SECONDS)
                else:
                    return
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")


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
