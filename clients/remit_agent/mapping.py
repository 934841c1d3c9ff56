"""Which application a surface stands for. What is not listed is denied.

A recording brings a map, because its windows and pages are not those of this organisation; live,
only the policy itself says so.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

import msgspec

from remit_agent.errors import RecordingError
from remit_agent.observed import Facts, Surface, SurfaceKind
from remit_agent.policy import Policy

FILE_NAME: Final = "mapping.json"
# The root of a tree that the recorder itself read from the process of the window.
LIVE: Final = "live"
_LEVELS: Final = 4


class MappedSurface(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One surface and its application.

    `urls`: for an origin, the only pages of it that are mapped. `roots`: the only accessibility
    trees that belong to it; the trees of other applications show up under any process. `process`:
    the program of a window of which the recording knows the title alone.
    """

    kind: SurfaceKind
    value: str
    application: str
    urls: list[str] | None = None
    roots: list[str] = []
    process: str | None = None

    def covers(self, surface: Surface) -> bool:
        """Whether this entry maps the surface, its page included."""
        if (self.kind, self.value) != (surface.kind, surface.value):
            return False
        return self.urls is None or surface.url in self.urls

    def completed(self, surface: Surface) -> Facts:
        """Return what is known of the surface, with what this map adds."""
        added = {} if self.process is None else {"process": (self.process,)}
        return {**added, **surface.facts}


class Directory(Protocol):
    """Says which application a surface stands for."""

    def find(self, surface: Surface | None) -> MappedSurface | None:
        """Return the entry for a surface, or None: denied."""


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


@dataclass(slots=True)
class FromPolicy:
    """The map of a live recording: the one application of the policy that recognises a surface."""

    policy: Policy | None = None

    def find(self, surface: Surface | None) -> MappedSurface | None:
        """Return the entry for a surface; None when no application, or more than one, has it."""
        if surface is None or self.policy is None:
            return None
        facts = surface.facts
        found = [each.id for each in self.policy.document.applications if each.recognises(facts)]
        if len(found) != 1:
            return None
        return MappedSurface(surface.kind, surface.value, found[0], roots=[LIVE])
