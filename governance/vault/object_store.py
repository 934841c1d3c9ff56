"""Ciphertext objects in an S3-compatible store, through django-storages; see `storage`.

Imported only where REMIT_STORAGE_URL names such a store, so that nobody else needs the libraries.
Whatever goes wrong comes out as OSError, as it does from a directory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

if TYPE_CHECKING:
    from django.core.files.base import File

# A store that hangs must not hold a worker longer than a person would wait.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"total_max_attempts": 3, "mode": "standard"},
    s3={"addressing_style": "path"},
)


class ObjectStore(S3Storage):  # type: ignore[misc]  # No types.
    """One bucket that only this service writes; no object is public, none has a signed address."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - django-storages' own options.
        defaults = {
            "client_config": _CONFIG,
            "default_acl": None,
            "file_overwrite": True,  # The name is the digest: what is there is the same.
            "gzip": False,
            "object_parameters": {"ContentType": "application/octet-stream"},
            "querystring_auth": True,
            "signature_version": "s3v4",
        }
        super().__init__(**{**defaults, **options})

    def _save(self, name: str, content: "File[bytes]") -> str:
        with _as_os_error():
            return str(super()._save(name, content))

    def _open(self, name: str, mode: str = "rb") -> Any:  # noqa: ANN401 - a file of the library.
        with _as_os_error():
            return super()._open(name, mode)

    def delete(self, name: str) -> None:
        """Remove an object; removing it twice is no error."""
        with _as_os_error():
            super().delete(name)

    def exists(self, name: str) -> bool:
        """Say whether there is such an object."""
        with _as_os_error():
            return bool(super().exists(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Return the directories and files under a path."""
        with _as_os_error():
            directories, files = super().listdir(path)
            return list(directories), list(files)


@contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        # The library's text may quote names and addresses; its class says enough.
        raise OSError(f"The object store failed: {type(error).__name__}.") from error
