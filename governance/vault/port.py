"""The log's view of the key store: seals disclosures and makes tags, each under its owner's key.

Promise (`audit.ports.KeyPort`): once an owner is destroyed, what was sealed for it is None to
everyone, and writing about it still works: it is sealed under a key that nobody keeps, so the
log never stops because somebody left.
"""

import hmac
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from governance.vault import epochs, keyring
from governance.vault.binding import bind
from governance.vault.errors import KeyShreddedError
from governance.vault.keyring import Place
from governance.vault.models import KeyKind

TAG_BYTES = 16


class SubjectKeys:
    """One random key per owner; what seals and what tags are derived from it apart."""

    def seal(self, *, owner: str, context: bytes, plaintext: bytes) -> bytes:
        """Return nonce and ciphertext that open only for this owner in this context."""
        try:
            key = _derived(keyring.obtain(_place(owner)).secret, "disclosure")
        except KeyShreddedError:
            key = token_bytes(epochs.KEY_BYTES)
        nonce = token_bytes(epochs.NONCE_BYTES)
        return nonce + AESGCM(key).encrypt(nonce, plaintext, _context(owner, context))

    def open(self, *, owner: str, context: bytes, sealed: bytes) -> bytes | None:
        """Return the plaintext, or None once the owner's key is gone."""
        key = keyring.find(_place(owner))
        if key is None or len(sealed) < epochs.NONCE_BYTES:
            return None
        cipher = AESGCM(_derived(key.secret, "disclosure"))
        nonce, ciphertext = sealed[: epochs.NONCE_BYTES], sealed[epochs.NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, ciphertext, _context(owner, context))
        except InvalidTag:
            return None

    def tag(self, *, owner: str, nonce: bytes) -> bytes:
        """Return 16 bytes that the owner can find again and nobody else can link."""
        try:
            key = self.tag_key(owner=owner)
        except KeyShreddedError:
            key = token_bytes(epochs.KEY_BYTES)
        return hmac.digest(key, nonce, "sha256")[:TAG_BYTES]

    def token(self, *, owner: str) -> str:
        """Return the owner's token in the deletable index; a fresh one once it is destroyed."""
        try:
            key = self.tag_key(owner=owner)
        except KeyShreddedError:
            key = token_bytes(epochs.KEY_BYTES)
        return hmac.digest(key, b"index", "sha256").hex()

    def tag_key(self, *, owner: str) -> bytes:
        """Return the key that finds the owner's tags; it opens nothing. KeyShreddedError."""
        return _derived(keyring.obtain(_place(owner)).secret, "tag")


def _place(owner: str) -> Place:
    if not owner:
        raise ValueError("A disclosure has an owner.")
    return Place(kind=KeyKind.PERSON, owner=owner)


def _derived(secret: bytes, use: str) -> bytes:
    expand = HKDFExpand(SHA256(), epochs.KEY_BYTES, bind("remit person key v1", use))
    return expand.derive(secret)


def _context(owner: str, context: bytes) -> bytes:
    return bind("remit disclosure v1", owner) + context
