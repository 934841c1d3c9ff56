"""The log's view of the key store: seals disclosures and makes tags, each under its owner's key.

Promise (`audit.ports.KeyPort`): once an owner is destroyed, what was sealed for it is None to
everyone, and writing about it still works: it is sealed under a key that nobody keeps, so the
log never stops because somebody left. Nothing is kept between two calls.
"""

import hmac
from functools import cached_property
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from governance.vault import epochs, keyring
from governance.vault.binding import bind
from governance.vault.errors import KeyShreddedError
from governance.vault.keyring import Place
from governance.vault.models import KeyKind

TAG_BYTES = 16
_DISCLOSURE = bind("remit person key v1", "disclosure")
_TAG = bind("remit person key v1", "tag")


class OwnerKeys:
    """An owner's keys in hand, derived when first needed; see `audit.ports.OwnerKeys`."""

    def __init__(self, owner: str, secret: bytes) -> None:
        """Take the owner's stored secret, or one that nobody keeps."""
        self._secret = secret
        self._bound = bind("remit disclosure v1", owner)

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(_derived(self._secret, _DISCLOSURE))

    @cached_property
    def tag_key(self) -> bytes:
        """The key that finds the owner's tags; it opens nothing."""
        return _derived(self._secret, _TAG)

    def seal(self, *, context: bytes, plaintext: bytes) -> bytes:
        """Return nonce and ciphertext that open only for this owner in this context."""
        nonce = token_bytes(epochs.NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plaintext, self._bound + context)

    def open(self, *, context: bytes, sealed: bytes) -> bytes | None:
        """Return the plaintext, or None when it was sealed for another owner or context."""
        nonce, ciphertext = sealed[: epochs.NONCE_BYTES], sealed[epochs.NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, self._bound + context)
        except (InvalidTag, ValueError):
            return None

    def tag(self, nonce: bytes) -> bytes:
        """Return 16 bytes that the owner can find again and nobody else can link."""
        return hmac.digest(self.tag_key, nonce, "sha256")[:TAG_BYTES]

    def token(self) -> str:
        """Return the owner's token in the deletable index."""
        return hmac.digest(self.tag_key, b"index", "sha256").hex()


class SubjectKeys:
    """One random key per owner; what seals and what tags are derived from it apart."""

    def of(self, *owners: str) -> dict[str, OwnerKeys]:
        """Return every owner's keys in one read; for the destroyed keys that nobody keeps."""
        if not all(owners):
            raise ValueError("A disclosure has an owner.")
        secrets = keyring.people(owners)
        return {
            owner: OwnerKeys(owner, secrets.get(owner) or token_bytes(epochs.KEY_BYTES))
            for owner in owners
        }

    def known(self, *owners: str) -> dict[str, OwnerKeys]:
        """Return the keys of those owners that have any, in one read; makes none."""
        secrets = keyring.known_people(owners)
        return {owner: OwnerKeys(owner, secret) for owner, secret in secrets.items()}

    def open(self, *, owner: str, context: bytes, sealed: bytes) -> bytes | None:
        """Return the plaintext, or None once the owner's key is gone."""
        key = keyring.find(_place(owner))
        if key is None:
            return None
        return OwnerKeys(owner, key.secret).open(context=context, sealed=sealed)

    def tag(self, *, owner: str, nonce: bytes) -> bytes:
        """Return 16 bytes that the owner can find again and nobody else can link."""
        return self.of(owner)[owner].tag(nonce)

    def token(self, *, owner: str) -> str:
        """Return the owner's token in the deletable index; a fresh one once it is destroyed."""
        return self.of(owner)[owner].token()

    def tag_key(self, *, owner: str) -> bytes:
        """Return the key that finds the owner's tags; it opens nothing. KeyShreddedError."""
        secret = keyring.people([owner]).get(owner)
        if secret is None:
            raise KeyShreddedError("These keys were destroyed and are never made again.")
        return OwnerKeys(owner, secret).tag_key


def _place(owner: str) -> Place:
    return Place(kind=KeyKind.PERSON, owner=owner)


def _derived(secret: bytes, use: bytes) -> bytes:
    """Return HKDF-Expand(secret, use, 32): for one block of SHA-256 that is one HMAC (RFC 5869)."""
    return hmac.digest(secret, use + b"\x01", "sha256")
