"""What can go wrong with a picture of a screen; a caller refuses it, nothing of it is stored."""

from governance.redaction.errors import RedactionError


class PictureError(Exception):
    """The bytes are not one picture this service would open."""


class UnreadableScreenError(RedactionError):
    """A second look at the painted screen still found an entity."""
