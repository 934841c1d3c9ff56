"""What can go wrong with a piece of work."""


class JobError(Exception):
    """Work cannot go on as asked."""


class FenceLostError(JobError):
    """Another worker holds this job now; nothing may be written for it any more."""


class UnknownKindError(JobError):
    """No part of the house knows how to do this kind of work."""
