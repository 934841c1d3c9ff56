"""Ciphertext objects: content-addressed, durable before anyone is told that they exist.

Promise: `put` returns only when the bytes and their name are on disk, or the S3-compatible store
has said so. What is stored is ciphertext under random nonces, so a digest as name tells nothing
about the plaintext. This module never sees a key.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, storages

from governance.vault import files
from governance.vault.errors import StorageUnavailableError, UnsealError

STORE = "captures"
_PRIVATE_FILE = 0o600
_PRIVATE_DIRECTORY = 0o700


class DurableStorage(FileSystemStorage):
    """Files that are complete, fsynced with their directory, and closed to other users."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - Django's own options.
        options.setdefault("file_permissions_mode", _PRIVATE_FILE)
        options.setdefault("directory_permissions_mode", _PRIVATE_DIRECTORY)
        super().__init__(**options)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:  # noqa: ARG002
        """Keep the name: it is the digest of the content, so a second file would be the same."""
        return name

    def _save(self, name: str, content: "File[bytes]") -> str:
        content.seek(0)
        files.write_once(Path(self.path(name)), content.read())
        return name

    def delete(self, name: str) -> None:
        """Remove a file and make its absence durable."""
        path = Path(self.path(name))
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            files.sync_directory(path.parent)


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Where a ciphertext lies and how to know it again."""

    store: str
    key: str
    length: int
    digest: bytes


def put(content: bytes) -> ObjectRef:
    """Store a ciphertext under its SHA-256; storing the same bytes twice stores them once."""
    digest = hashlib.sha256(content).digest()
    name = digest.hex()
    key = f"{name[:2]}/{name}"
    with _available():
        storages[STORE].save(key, ContentFile(content))
    return ObjectRef(store=STORE, key=key, length=len(content), digest=digest)


def get(key: str) -> bytes:
    """Return a stored ciphertext; UnsealError when it is gone or not what its name promises."""
    try:
        with _available(), storages[STORE].open(key) as file:
            content: bytes = file.read()
    except FileNotFoundError as error:
        raise UnsealError("The stored object is gone.") from error
    if hashlib.sha256(content).hexdigest() != key.rsplit("/", 1)[-1]:
        raise UnsealError("The stored object is not what was stored.")
    return content


def delete(key: str) -> None:
    """Remove a stored ciphertext; removing it twice is no error."""
    with _available():
        storages[STORE].delete(key)


def keys() -> Iterator[str]:
    """Yield the keys of all stored ciphertexts."""
    storage = storages[STORE]
    for number in range(256):
        folder = f"{number:02x}"
        with contextlib.suppress(FileNotFoundError), _available():
            yield from (f"{folder}/{name}" for name in storage.listdir(folder)[1])


def stored_at(key: str) -> datetime:
    """Return when a ciphertext was stored."""
    with _available():
        return storages[STORE].get_modified_time(key)


@contextmanager
def _available() -> Iterator[None]:
    """Turn what a disk or a store reports into one error; what is missing stays missing."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageUnavailableError("The store of ciphertext does not answer.") from error
