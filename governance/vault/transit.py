"""Key-encryption keys in the Transit engine of OpenBao or Vault: one key per epoch, never ours.

Promise (`wrapping.KeyWrapper`): the service alone holds what wraps, so no file, database or backup
of this machine opens a key. A wrapped key is bound to its place, of which the service learns a
digest. An epoch is destroyed by deleting its key, read back as gone. Copies of the service's own
storage must be kept no longer than an epoch; that is the operator's part.

Traps this stands on, each with a test: `encrypt` makes a missing key for a token that may create,
so it is looked up first; a batch with one bad item answers 400 with the good ones beside it; a
server counts the strings of a request and refuses the 250th item; one that ignores associated data
would bind nothing, so each new key is tried; a soft-deleted key refuses all items like damage.

Epochs that began before the service was set lie in files; the next rotation ends them.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from hashlib import sha256
from secrets import token_bytes
from typing import Any, Final

from governance.env import KeyServiceAddress
from governance.vault.errors import KeyFileError, KeyServiceError, UnsealError
from governance.vault.key_service import Answer, KeyService
from governance.vault.wrapping import KEY_BYTES, FileWrapper, Plain, Sealed

# Four strings an item, names included; OpenBao takes at most a thousand in one request.
_BATCH: Final = 200
_KIND: Final = "aes256-gcm96"
_PREFIX: Final = "vault:v1:"
# What a key must be: nobody takes it out of the service, and its one version opens everything.
_FIT: Final = {
    "type": _KIND,
    "derived": False,
    "exportable": False,
    "allow_plaintext_backup": False,
    "latest_version": 1,
}


class TransitWrapper:
    """Keeps each epoch's key in the service; opens what earlier epochs left in files."""

    def __init__(self, address: KeyServiceAddress, earlier: FileWrapper) -> None:
        """Take the service, and the files of the time before it."""
        self._service = KeyService(address)
        self._keys = address.keys
        self._earlier = earlier

    def _name(self, epoch: int) -> str:
        return f"{self._keys}-epoch-{epoch}"

    def _stands(self, epoch: int) -> bool:
        """Say whether the service has an epoch's key; KeyServiceError when it is not as made."""
        answer = self._service.ask("get", f"keys/{self._name(epoch)}")
        if answer.is_missing:
            return False
        key = _data(answer)
        is_fit = all(key.get(name) == wanted for name, wanted in _FIT.items())
        # Vault knows no soft deletion and says nothing of it.
        if not is_fit or key.get("soft_deleted") or key.get("min_decryption_version") != 1:
            raise KeyServiceError("The key service's key is not as it was made.")
        return True

    def make(self, epoch: int) -> None:
        """Make an epoch's key and try that it binds; an administrator may have made it before."""
        if not self._stands(epoch):
            _data(self._service.ask("post", f"keys/{self._name(epoch)}", {"type": _KIND}))
            if not self._stands(epoch):
                raise KeyServiceError("The key service does not keep the key it made.")
        probe = Plain(b"here", token_bytes(KEY_BYTES))
        elsewhere = self._sealed(epoch, [probe])[0]._replace(place=b"elsewhere")
        try:
            self._opened(epoch, [elsewhere])
        except UnsealError:
            return
        raise KeyServiceError("The key service does not bind keys to their places.")

    def wrap(self, epoch: int, keys: Sequence[Plain]) -> list[Sealed]:
        """Wrap keys in the service; in the epoch's file when the service has no such epoch."""
        if not self._stands(epoch):
            return self._earlier.wrap(epoch, keys)
        return self._sealed(epoch, keys)

    def unwrap(self, epoch: int, keys: Sequence[Sealed]) -> list[bytes]:
        """Return the secrets, in their order; what a file wrapped has a nonce of its own."""
        if not any(key.nonce for key in keys):
            return self._opened(epoch, keys)
        there = iter(self._opened(epoch, [key for key in keys if not key.nonce]))
        here = iter(self._earlier.unwrap(epoch, [key for key in keys if key.nonce]))
        return [next(here if key.nonce else there) for key in keys]

    def epochs(self) -> list[int]:
        """Return the numbers of the keys in the service and of the files left."""
        answer = self._service.ask("list", "keys")
        names = [] if answer.is_missing else _data(answer).get("keys", [])
        pattern = re.compile(rf"{re.escape(self._keys)}-epoch-([1-9][0-9]*)")
        found = [pattern.fullmatch(name) for name in names]
        return sorted({int(match[1]) for match in found if match} | set(self._earlier.epochs()))

    def destroy(self, epoch: int) -> None:
        """Delete the epoch's key, and its file; KeyServiceError unless it is read back as gone."""
        path = f"keys/{self._name(epoch)}"
        if not self._service.ask("get", path).is_missing:
            self._service.ask("post", f"{path}/config", {"deletion_allowed": True})
            self._service.ask("delete", path)
            if not self._service.ask("get", path).is_missing:
                raise KeyServiceError("The key service still has a key that it deleted.")
        self._earlier.destroy(epoch)

    def _sealed(self, epoch: int, keys: Sequence[Plain]) -> list[Sealed]:
        items = [{"plaintext": _text(key.secret), **_bound(key.place)} for key in keys]
        texts = self._each("encrypt", "ciphertext", epoch, items)
        if not all(text.startswith(_PREFIX) for text in texts):
            raise KeyServiceError("The key service wrapped under a version that nobody made.")
        return [
            Sealed(key.place, b"", text.encode("ascii"))
            for key, text in zip(keys, texts, strict=True)
        ]

    def _opened(self, epoch: int, keys: Sequence[Sealed]) -> list[bytes]:
        items = [
            # What is damaged is refused by the service, not here.
            {"ciphertext": key.wrapped.decode("ascii", "replace"), **_bound(key.place)}
            for key in keys
        ]
        secrets = [_bytes(text) for text in self._each("decrypt", "plaintext", epoch, items)]
        if any(len(secret) != KEY_BYTES for secret in secrets):
            raise UnsealError("What was wrapped is no key.")
        return secrets

    def _each(
        self, verb: str, result: str, epoch: int, items: Sequence[dict[str, str]]
    ) -> list[str]:
        """Return one text for each item, all or none."""
        texts: list[str] = []
        for batch in _batches(items):
            path = f"{verb}/{self._name(epoch)}"
            answer = self._service.ask("post", path, {"batch_input": batch})
            if not answer.is_done:
                raise self._why_refused(epoch, answer)
            results = _data(answer).get("batch_results")
            if not isinstance(results, list) or len(results) != len(batch):
                raise KeyServiceError("The key service did not answer for each key.")
            texts += [_result(item, result) for item in results]
        return texts

    def _why_refused(self, epoch: int, answer: Answer) -> Exception:
        """Tell a damaged item from a key that is gone or unfit, and from a refused request."""
        if not self._stands(epoch):
            return KeyFileError("The key service has no key of this epoch.")
        data = answer.content.get("data")
        if isinstance(data, dict) and data.get("batch_results"):
            return UnsealError("The wrapped key does not belong to this row.")
        return KeyServiceError("The key service refuses the request.")


def _batches(items: Sequence[dict[str, str]]) -> Iterator[Sequence[dict[str, str]]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def _result(item: object, name: str) -> str:
    text = item.get(name) if isinstance(item, dict) and not item.get("error") else None
    if not isinstance(text, str) or not text:
        raise KeyServiceError("The key service left a key out.")
    return text


def _bound(place: bytes) -> dict[str, str]:
    # The place names a person; the service need not know whom.
    return {"associated_data": _text(sha256(place).digest())}


def _text(content: bytes) -> str:
    return b64encode(content).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except Base64Error:
        raise KeyServiceError("The key service answered what is no key.") from None


def _data(answer: Answer) -> dict[str, Any]:
    """Return what a carried-out request gave; KeyServiceError when it gave nothing."""
    data = answer.content.get("data")
    if not answer.is_done:
        raise KeyServiceError("The key service refuses the request.")
    return data if isinstance(data, dict) else {}
