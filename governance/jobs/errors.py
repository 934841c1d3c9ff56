"""What can go wrong with a piece of work."""


class JobError(Exception):
    """Work cannot go on as asked."""


class FenceLostError(JobError):
    """Another worker holds this job now; nothing may be written for it any more."""


class PostponeError(JobError):
    """The work cannot go on now through no fault of its own; the attempt does not count."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Try again in {seconds} seconds.")
        self.seconds = seconds


class UnknownKindError(JobError):
    """No part of the house knows how to do this kind of work."""
