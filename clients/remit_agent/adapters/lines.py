"""Newline-delimited JSON of a recorder: read whole, or refused."""

from pathlib import Path
from typing import TypeVar

import msgspec

from remit_agent.errors import RecordingError

T = TypeVar("T")


def read_lines(path: Path, kind: type[T]) -> list[T]:
    """Return every line as `kind`; RecordingError for an unreadable file or a foreign line."""
    try:
        return msgspec.json.Decoder(kind).decode_lines(path.read_bytes())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordingError(f"{path.name} of the recording cannot be read.") from error
