"""What can go wrong with records and reports."""


class OversightError(Exception):
    """Anything this floor refuses."""


class NoProcessorError(OversightError):
    """The settings do not say that this installation processes for others."""
