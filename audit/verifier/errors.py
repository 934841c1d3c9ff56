"""The one way in which a check fails."""

from __future__ import annotations


class NotVerifiedError(Exception):
    """Something does not hold; the text is one sentence for people."""


class UnreachableError(NotVerifiedError):
    """A part of the log could not be read: missing, withheld or out of reach."""
