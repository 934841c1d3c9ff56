"""Letters: what somebody without an account wrote to this service, sealed until it was answered.

Promise: a letter is ciphertext under a key of its own, which dies when it was answered; a link that
is mailed carries its words sealed, so that nobody on its way reads them. Neither is captured data:
the gate guards that, and none of it can be opened here.
"""

import base64
import binascii
from secrets import token_bytes
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from governance.vault import keyring, sealing, shredding
from governance.vault.epochs import NONCE_BYTES
from governance.vault.errors import KeyShreddedError, UnsealError
from governance.vault.keyring import Place
from governance.vault.models import KeyKind

_KIND: Final = "letter"
_LINKS: Final = "links"
_LONGEST_LINK: Final = 1024


def seal(*, ref: str, words: str) -> bytes:
    """Seal a letter under a key of its own."""
    return sealing.seal_object(kind=_KIND, ref=ref, subject=None, plaintext=words.encode())


def read(*, ref: str, sealed: bytes) -> str:
    """Return the words of a letter. KeyShreddedError once it was answered; UnsealError."""
    key = keyring.find_object(kind=_KIND, ref=ref)
    if key is None:
        raise KeyShreddedError("This letter was answered, and its key destroyed.")
    return _opened(key.secret, sealed, ref)


def destroy(*, ref: str) -> None:
    """Destroy the key of a letter, for good; twice is once."""
    shredding.destroy_object(kind=_KIND, ref=ref)


def link(words: str) -> str:
    """Return words as the part of a link that only this service can read."""
    scope = keyring.object_scope(kind=_KIND, ref=_LINKS)
    secret = keyring.obtain(Place(KeyKind.OBJECT, owner="", scope=scope)).secret
    nonce = token_bytes(NONCE_BYTES)
    context = sealing.object_context(kind=_KIND, ref=_LINKS)
    sealed = nonce + AESGCM(secret).encrypt(nonce, words.encode(), context)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def follow(part: str) -> str:
    """Return the words of a link. UnsealError for what this service did not make."""
    key = keyring.find_object(kind=_KIND, ref=_LINKS)
    try:
        sealed = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnsealError("This is no link of this service.") from error
    if key is None or len(part) > _LONGEST_LINK:
        raise UnsealError("This is no link of this service.")
    return _opened(key.secret, sealed, _LINKS)


def _opened(secret: bytes, sealed: bytes, ref: str) -> str:
    nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    context = sealing.object_context(kind=_KIND, ref=ref)
    try:
        return AESGCM(secret).decrypt(nonce, ciphertext, context).decode()
    except (InvalidTag, ValueError) as error:
        raise UnsealError("This was not sealed here.") from error
