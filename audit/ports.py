"""The one thing the log needs from above: keys that belong to people and can be destroyed.

`governance.vault.port.SubjectKeys` implements the port and is wired at start, so that the log
encrypts what is personal without knowing where keys live.
"""

from collections.abc import Mapping
from typing import Protocol

from audit.errors import NoKeyPortError

ORGANISATION = "organisation"


class OwnerKeys(Protocol):
    """What one entry needs of one owner. It must not outlive the append that asked for it.

    For an owner who was erased it works like any other, under a key that nobody keeps.
    """

    def seal(self, *, context: bytes, plaintext: bytes) -> bytes:
        """Encrypt and authenticate."""

    def open(self, *, context: bytes, sealed: bytes) -> bytes | None:
        """Return the plaintext, or None when it is another owner's or context's."""

    def tag(self, nonce: bytes) -> bytes:
        """Return HMAC-SHA-256(tag key, nonce)[:16]."""

    def token(self) -> str:
        """Return the hex HMAC under the tag key that names the owner in deletable indexes."""


class KeyPort(Protocol):
    """Keys per owner: a person's subject key, a device, or `ORGANISATION`."""

    def of(self, *owners: str) -> Mapping[str, OwnerKeys]:
        """Return the keys of all owners of one entry in one read; makes what is missing."""

    def known(self, *owners: str) -> Mapping[str, OwnerKeys]:
        """Return the keys of those owners that have any, in one read; makes none."""

    def open(self, *, owner: str, context: bytes, sealed: bytes) -> bytes | None:
        """Return the plaintext, or None once the owner's key is destroyed."""

    def tag(self, *, owner: str, nonce: bytes) -> bytes:
        """Return what `OwnerKeys.tag` gives."""

    def token(self, *, owner: str) -> str:
        """Return what `OwnerKeys.token` gives."""

    def tag_key(self, *, owner: str) -> bytes:
        """Return the key of `tag`, which the person may take home to find their own entries."""


_wired: list[KeyPort] = []


def use(port: KeyPort) -> None:
    """Wire the port; the last one wired serves."""
    _wired[:] = [port]


def keys() -> KeyPort:
    """Return the wired port. Raises NoKeyPortError."""
    if not _wired:
        raise NoKeyPortError("No key port is wired.")
    return _wired[0]
