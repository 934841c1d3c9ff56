"""Files that survive a power cut: written whole, renamed into place, the directory synced."""

import contextlib
import os
import tempfile
from pathlib import Path


def sync_directory(path: Path) -> None:
    """Make the directory's own entries durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path, *, mode: int = 0o755) -> None:
    """Create the directory and its parents; each new name is durable in its parent."""
    if path.is_dir():
        return
    make_directory(path.parent, mode=mode)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=mode)
    sync_directory(path.parent)


def _temporary(path: Path, content: bytes, mode: int) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def replace(path: Path, content: bytes, *, mode: int = 0o644, sync: bool = True) -> None:
    """Put `content` at `path` atomically. `sync=False` leaves the directory to the caller."""
    temporary = _temporary(path, content, mode)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if sync:
        sync_directory(path.parent)


def create_once(path: Path, content: bytes, *, mode: int = 0o600) -> bytes:
    """Put `content` at `path` unless something stands there; return what stands there then.

    A hard link is the only way to create a whole file exclusively: O_EXCL alone would let a second
    process read the first one's half-written key.
    """
    make_directory(path.parent, mode=0o700)
    temporary = _temporary(path, content, mode)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
            sync_directory(path.parent)
    finally:
        temporary.unlink()
    return path.read_bytes()
