"""Where an epoch's key-encryption key lies, and what it wraps: a file, unless a service is set.

Promise: a wrapped key opens only at the place it was wrapped for, and only while its epoch's key
stands; a missing one is never quietly made again. The default keeps each key in a file outside
every database and every backup of one. It holds one epoch's cipher and asks each time whether its
file is still there and the same, so what was destroyed opens nothing here either.
"""

from collections.abc import Sequence
from pathlib import Path
from secrets import token_bytes
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from governance.env import KeyServiceAddress
from governance.vault import files
from governance.vault.errors import KeyFileError, UnsealError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class Plain(NamedTuple):
    """A key to wrap, and the place it is bound to."""

    place: bytes
    secret: bytes


class Sealed(NamedTuple):
    """A wrapped key as its row holds it, and the place it is bound to."""

    place: bytes
    nonce: bytes
    wrapped: bytes


class KeyWrapper(Protocol):
    """Holds the key-encryption keys of epochs. All calls are safe to repeat."""

    def make(self, epoch: int) -> None:
        """Make an epoch's key, durably; one that is there already stays as it is."""

    def wrap(self, epoch: int, keys: Sequence[Plain]) -> list[Sealed]:
        """Wrap keys, in their order. KeyFileError without the epoch's key."""

    def unwrap(self, epoch: int, keys: Sequence[Sealed]) -> list[bytes]:
        """Return the secrets, in their order.

        KeyFileError without the epoch's key; UnsealError when one was moved, mixed or damaged.
        """

    def epochs(self) -> list[int]:
        """Return the numbers of all epochs that have a key."""

    def destroy(self, epoch: int) -> None:
        """Destroy an epoch's key for good; destroying it twice is no error."""


class FileWrapper:
    """Keeps each epoch's key in a file, 0600 in a directory that is closed to others."""

    def __init__(self, directory: str) -> None:
        """Keep the keys in this directory, which the first of them makes."""
        self._directory = directory
        # The cipher of the epoch used last, with its file as that was when it was read.
        self._kept: tuple[str, tuple[int, ...], AESGCM] | None = None

    def _name(self, epoch: int) -> str:
        return f"{self._directory}/epoch-{epoch}.key"

    def _cipher(self, epoch: int) -> AESGCM:
        """Return an epoch's cipher while its file is there, whole and unchanged."""
        name = self._name(epoch)
        try:
            found = files.identity(name)
        except KeyFileError:
            self._kept = None
            raise
        kept = self._kept
        if kept and kept[:2] == (name, found):
            return kept[2]
        cipher = AESGCM(files.read_secret(Path(name), length=KEY_BYTES))
        self._kept = (name, found, cipher)
        return cipher

    def make(self, epoch: int) -> None:
        """Write the epoch's file once."""
        files.write_once(Path(self._name(epoch)), token_bytes(KEY_BYTES))

    def wrap(self, epoch: int, keys: Sequence[Plain]) -> list[Sealed]:
        """Wrap keys by AES-256-GCM with the place as associated data."""
        cipher = self._cipher(epoch)
        drawn = token_bytes(NONCE_BYTES * len(keys))
        nonces = [drawn[at : at + NONCE_BYTES] for at in range(0, len(drawn), NONCE_BYTES)]
        return [
            Sealed(key.place, nonce, cipher.encrypt(nonce, key.secret, key.place))
            for nonce, key in zip(nonces, keys, strict=True)
        ]

    def unwrap(self, epoch: int, keys: Sequence[Sealed]) -> list[bytes]:
        """Return the secrets, in their order."""
        cipher = self._cipher(epoch)
        try:
            return [cipher.decrypt(key.nonce, key.wrapped, key.place) for key in keys]
        except (InvalidTag, ValueError) as error:
            raise UnsealError("The wrapped key does not belong to this row.") from error

    def epochs(self) -> list[int]:
        """Return the numbers of the files that are there."""
        paths = Path(self._directory).glob("epoch-*.key")
        return sorted(int(path.stem.removeprefix("epoch-")) for path in paths)

    def destroy(self, epoch: int) -> None:
        """Overwrite and remove the epoch's file."""
        files.destroy(Path(self._name(epoch)))
        self._kept = None


_chosen: dict[tuple[str, KeyServiceAddress | None], KeyWrapper] = {}


def chosen() -> KeyWrapper:
    """Return what the settings say holds the key-encryption keys; one for this process."""
    choice = f"{settings.REMIT_VAULT_DIR}/kek", settings.REMIT_KEK
    wrapper = _chosen.get(choice)
    if wrapper is None:
        _chosen.clear()
        wrapper = _chosen[choice] = _wrapper(*choice)
    return wrapper


def _wrapper(directory: str, address: KeyServiceAddress | None) -> KeyWrapper:
    files_of_before = FileWrapper(directory)
    if address is None:
        return files_of_before
    from governance.vault.transit import TransitWrapper  # noqa: PLC0415 - needs an extra.

    return TransitWrapper(address, files_of_before)
