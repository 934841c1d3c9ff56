"""What can go wrong with a picture of a screen; a caller refuses it, nothing of it is stored."""

from governance.redaction.errors import RedactionError


class PictureError(Exception):
    """The bytes are not one picture this service would open."""


class ScreensUnavailableError(Exception):
    """The extra `ocr` is not installed, so no picture of a screen can be made safe."""


class UnreadableScreenError(RedactionError):
    """A second look at the painted screen still found an entity."""
