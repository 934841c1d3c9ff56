"""The doorbell: tells a worker that there is work. Nothing depends on its being heard.

A message carries one opaque job id; the worker reads everything else from the database. When
the broker is away, the ring is dropped at once and for a few seconds nobody waits for it again;
the sweep finds the job.
"""

from collections.abc import Callable
from uuid import UUID

Bell = Callable[[UUID, str], None]
_bells: list[Bell] = []


def hang(ring: Bell) -> None:
    """Use this bell from now on; called once when the service starts."""
    _bells[:] = [ring]


def ring(job_id: UUID, queue: str) -> None:
    """Ring for a job; without a bell the sweep alone finds it."""
    for bell in _bells:
        bell(job_id, queue)
