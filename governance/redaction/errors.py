"""What redaction can refuse to do. A caller quarantines the record; nothing of it is stored."""


class RedactionError(Exception):
    """The record could not be made safe."""


class BudgetExceededError(RedactionError):
    """The record took longer than it may; a hostile text must not stop the others."""


class CanaryError(RedactionError):
    """What was planted to be found was not: the detector is broken, and so is its run."""


class ResidueError(RedactionError):
    """A second look still found an entity in what would have been stored."""


class ModelError(RedactionError):
    """The language model is missing or is not the one this version knows; nothing runs with it."""
