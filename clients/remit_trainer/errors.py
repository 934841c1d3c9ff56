"""What can go wrong, each with one line a person can act on."""


class TrainerError(Exception):
    """What was asked cannot be done; the text is the one line to show."""


class ReleaseError(TrainerError):
    """A release is not what its signed manifest says."""
