"""Which application of the demo a recorded surface stands for. What is not listed is denied."""

from pathlib import Path
from typing import Final, Literal

import msgspec

from remit_agent.errors import RecordingError
from remit_agent.observed import Surface

FILE_NAME: Final = "mapping.json"
_LEVELS: Final = 4


class MappedSurface(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One surface and its application.

    `urls`: for an origin, the only pages of it that are mapped. `roots`: the only accessibility
    trees that belong to it; the trees of other applications show up under any process.
    """

    kind: Literal["window-title", "process", "origin"]
    value: str
    application: str
    urls: list[str] | None = None
    roots: list[str] = []

    def covers(self, surface: Surface) -> bool:
        """Whether this entry maps the surface, its page included."""
        if (self.kind, self.value) != (surface.kind, surface.value):
            return False
        return self.urls is None or surface.url in self.urls


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole map."""

    schema: Literal["recording-map/1"]
    surfaces: list[MappedSurface]

    def find(self, surface: Surface | None) -> MappedSurface | None:
        """Return the entry for a surface, or None: denied."""
        if surface is None:
            return None
        return next((each for each in self.surfaces if each.covers(surface)), None)


def load(recording: Path, *, file: Path | None = None) -> Mapping:
    """Read `file`, or the nearest mapping.json above the recording; RecordingError without one."""
    places = [recording, *recording.resolve().parents][:_LEVELS]
    files = [file] if file else [place / FILE_NAME for place in places]
    found = next((each for each in files if each.is_file()), None)
    if found is None:
        raise RecordingError("There is no mapping.json beside the recording: nothing is allowed.")
    try:
        return msgspec.json.decode(found.read_bytes(), type=Mapping)
    except (OSError, msgspec.MsgspecError) as error:
        raise RecordingError("The mapping.json beside the recording cannot be read.") from error
