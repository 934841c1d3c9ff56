"""Small secret files that survive a power cut and never appear half written.

Promise: a file written here is complete or absent, mode 0600 inside a 0700 directory, and on
disk (file and directory fsynced) before the call returns. A destroyed file is overwritten first;
on an SSD that is not certain, which is why production keeps its root key in a KMS or TPM.
"""

import contextlib
import os
import secrets
from pathlib import Path

from governance.vault.errors import KeyFileError

_PRIVATE_DIRECTORY = 0o700
_PRIVATE_FILE = 0o600
_OTHERS = 0o077


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path) -> None:
    """Make a directory and its missing parents, each durable and closed to others."""
    missing = []
    while not directory.is_dir():
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        path.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)
        sync_directory(path.parent)


def write_once(path: Path, content: bytes) -> bool:
    """Write a new file at once and for good; return False when the name is taken.

    The content is linked into place only when it is complete, so a reader or a second writer
    sees either nothing or all of it.
    """
    make_directory(path.parent)
    draft = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)
    return True


def read_secret(path: Path, *, length: int) -> bytes:
    """Return a secret of exactly `length` bytes; refuse a file that others may read."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(length + 1)
    except FileNotFoundError as error:
        raise KeyFileError(f"The key file {path.name} is missing.") from error
    if mode & _OTHERS:
        raise KeyFileError(f"The key file {path.name} may be read by others.")
    if len(content) != length:
        raise KeyFileError(f"The key file {path.name} is damaged.")
    return content


def identity(path: str) -> tuple[int, ...]:
    """Return what changes whenever a file is replaced, overwritten or opened to others.

    KeyFileError when it is gone.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path costs more than the call, once an entry.
    except FileNotFoundError as error:
        raise KeyFileError(f"The key file {Path(path).name} is missing.") from error
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_mode


def destroy(path: Path) -> None:
    """Overwrite and remove a secret file; removing it twice is no error."""
    with contextlib.suppress(FileNotFoundError):
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_directory(path.parent)
