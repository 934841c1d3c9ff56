"""The signed manifest of a release, and whether a folder is what it says.

Promises: a file counts only under a safe name, with the length and SHA-256 the manifest gives; a
manifest counts only under a pinned key. A file the manifest does not know is a fault too.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from remit_agent import dsse
from remit_agent.errors import SignatureError
from remit_trainer.errors import ReleaseError

PAYLOAD_TYPE: Final = "application/vnd.remit.release-manifest.v1+json"
FILE_NAME: Final = "manifest.dsse.json"
_SAFE: Final = re.compile(
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}(/[A-Za-z0-9][A-Za-z0-9._-]{0,127}){0,3}\Z"
)
_PIECE: Final = 1 << 20


class ReleaseFile(msgspec.Struct, frozen=True):
    """One file of a release; `sha256` is hex of what is in it."""

    name: str
    length: Annotated[int, Meta(ge=0)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    media_type: str = "application/octet-stream"
    episodes: int = 0
    steps: int = 0


class Manifest(msgspec.Struct, frozen=True):
    """What a release holds and what it is for; further facts are kept, not judged."""

    schema: Literal["release-manifest/1"]
    release_id: str
    purpose: str
    contributors: int
    files: list[ReleaseFile]
    governance: dict[str, Any] = {}


def read(envelope: bytes, *, keys: Mapping[str, bytes]) -> Manifest:
    """Return the manifest of an envelope signed by a pinned key; ReleaseError otherwise."""
    try:
        body = dsse.verify(envelope=envelope, payload_type=PAYLOAD_TYPE, public_keys=keys)
        manifest = msgspec.json.decode(body, type=Manifest)
    except SignatureError as error:
        raise ReleaseError(f"The manifest cannot be trusted. {error}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ReleaseError("The manifest is not one this client knows.") from error
    names = [each.name for each in manifest.files]
    if len(set(names)) != len(names) or not all(_SAFE.match(name) for name in names):
        raise ReleaseError("The manifest names files that cannot be.")
    if FILE_NAME in names:
        raise ReleaseError("The manifest names itself.")
    return manifest


def faults(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yield one line for each way in which the folder is not the release."""
    for file in manifest.files:
        path = folder / file.name
        if not path.is_file() or path.is_symlink():
            yield f"{file.name} is missing."
        elif path.stat().st_size != file.length or digest(path) != file.sha256:
            yield f"{file.name} is not what was released."
    known = {file.name for file in manifest.files} | {FILE_NAME}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and name not in known:
            yield f"{name} is not part of the release."


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex, without reading it whole."""
    state = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            state.update(piece)
    return state.hexdigest()
