"""The doorbell: tells a worker that there is work. Nothing depends on its being heard.

A message carries one opaque job id; the worker reads everything else from the database, and does
what else is due in the same queue. So one ring serves all who ask within a tenth of a second: the
first rings at once, what is asked for meanwhile rings together when the pause is over. Ringing is
the work of a thread, since a broker must not keep waiting whoever has already committed.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

Ring = Callable[[UUID, str], None]

PAUSE_SECONDS: Final = 0.1
_bells: list[Ring] = []


def hang(ring: Ring) -> None:
    """Use this bell from now on; called once when the service starts."""
    _bells[:] = [ring]


def ring(job_id: UUID, queue: str) -> None:
    """Ring for a job; without a bell the sweep alone finds it."""
    for bell in _bells:
        bell(job_id, queue)


class Bell:
    """Calls `send` for one job of each queue that anybody asked for, at most once in a pause.

    Call `ring` after the commit: whoever hears it then sees every job that was waiting.
    """

    def __init__(self, send: Ring, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._send = send
        self._pause_seconds = pause_seconds
        self._anew()
        # A child process has neither the thread nor the locks as they stood.
        os.register_at_fork(after_in_child=self._anew)

    def _anew(self) -> None:
        self._waiting: dict[str, UUID] = {}
        self._asked = threading.Event()
        self._change = threading.Lock()
        self._ringing = threading.Lock()
        self._ringer: threading.Thread | None = None

    def ring(self, job_id: UUID, queue: str) -> None:
        """Ask for a ring soon; returns at once."""
        with self._change:
            self._waiting.setdefault(queue, job_id)
            if self._ringer is None or not self._ringer.is_alive():
                self._ringer = threading.Thread(target=self._serve, name="doorbell", daemon=True)
                self._ringer.start()
        self._asked.set()

    def flush(self) -> None:
        """Ring now for everything asked for so far, and return when it was sent."""
        with self._ringing:
            with self._change:
                waiting, self._waiting = self._waiting, {}
            for queue, job_id in waiting.items():
                self._send(job_id, queue)

    def _serve(self) -> None:
        while self._asked.wait():
            self._asked.clear()
            self.flush()
            time.sleep(self._pause_seconds)
