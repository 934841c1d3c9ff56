"""Files that survive a power cut: written whole, renamed into place, the directory synced."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

_WRITERS: Final = 4


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


def replace(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Put `content` at `path` atomically."""
    temporary = _temporary(path, content, mode)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def replace_all(contents: Mapping[Path, bytes]) -> None:
    """Put each content at its path atomically, and all of them durably; for one writer at a time.

    The disk joins what is synced at once, hence the threads. Temporary names are fixed, so that
    whoever died left nothing that the next attempt does not write over.
    """
    folders = {path.parent for path in contents}
    for folder in folders:
        make_directory(folder)
    if len(contents) < _WRITERS:
        for item in contents.items():
            _write_beside(item)
    else:
        with ThreadPoolExecutor(_WRITERS) as writers:
            list(writers.map(_write_beside, contents.items()))
    for path in contents:
        _beside(path).replace(path)
    for folder in folders:
        sync_directory(folder)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _write_beside(item: tuple[Path, bytes]) -> None:
    path, content = item
    with _beside(path).open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, waiting for whoever holds it; it falls with the process."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


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
