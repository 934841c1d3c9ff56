"""Finishes deletions that a crash cut short between their commit and the end of their keys.

Promise: what a deletion committed comes true although the process that began it died: the bytes of
ended frames go, survivors are sealed anew, the old key is destroyed. A deletion that was finished
is left alone.
"""

from uuid import UUID

from audit.errors import LogUnavailableError
from governance.capture import blobs, deletion
from governance.capture.models import ForgottenSpan, Frame, FrameState
from governance.jobs import services as jobs
from governance.jobs.errors import PostponeError

LOG_RETRY_SECONDS = 5


def complete(ref: str, _fence: jobs.Fence) -> None:
    """Finish the deletion whose log entry is `ref`; the handler of jobs of its kind."""
    try:
        _complete(UUID(ref))
    except LogUnavailableError as error:
        # What is left must be opened to be sealed anew: wait for the log, without an attempt.
        raise PostponeError(LOG_RETRY_SECONDS) from error


def _complete(entry: UUID) -> None:
    for span in ForgottenSpan.objects.filter(entry__uuid=entry):
        deletion.cut(subject=span.subject, since=span.start, until=span.end, before=span.entry_id)
    ended = dict(FrameState.objects.filter(entry__uuid=entry).values_list("frame_id", "state"))
    for frame in Frame.objects.filter(id__in=[*ended], store=blobs.OBJECT):
        blobs.delete(frame)
    over = (FrameState.State.DELETED, FrameState.State.SUPERSEDED)
    _end_keys({frame for frame, state in ended.items() if state in over})
    _end_empty({frame for frame, state in ended.items() if state == FrameState.State.EXPIRED})


def _end_keys(frames: set[UUID]) -> None:
    for cell, generations in deletion.cells_of(frames).items():
        deletion.renew_keys(subject=cell[0], cells={cell: generations})


def _end_empty(frames: set[UUID]) -> None:
    for cell, generations in deletion.cells_of(frames).items():
        for generation in generations:
            deletion.destroy_when_empty(cell, generation)
