"""Keeps secrets that sign people in unreadable in the database: seeds of codes, above all.

Promise: AES-256-GCM under a key that only SECRET_KEY yields; a copy of the database signs nobody
in. A secret sealed under a key of SECRET_KEY_FALLBACKS still opens. What was changed does not.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from secrets import token_bytes
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.crypto import salted_hmac

from governance.accounts.errors import SecretUnreadableError

_NONCE_BYTES: Final = 12
_PLACE: Final = b"remit.accounts.secret.1"


def _cipher(secret_key: str) -> AESGCM:
    return AESGCM(
        salted_hmac(_PLACE.decode(), "key", secret=secret_key, algorithm="sha256").digest()
    )


def seal(text: str) -> str:
    """Return a secret as the database may hold it."""
    nonce = token_bytes(_NONCE_BYTES)
    sealed = _cipher(settings.SECRET_KEY).encrypt(nonce, text.encode(), _PLACE)
    return urlsafe_b64encode(nonce + sealed).decode()


def unseal(sealed: str) -> str:
    """Return what was sealed. SecretUnreadableError."""
    try:
        raw = urlsafe_b64decode(sealed)
    except Base64Error as error:
        raise SecretUnreadableError("A sealed secret is damaged.") from error
    nonce, body = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
    for secret_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return _cipher(secret_key).decrypt(nonce, body, _PLACE).decode()
        except (InvalidTag, ValueError):
            continue
    raise SecretUnreadableError("A sealed secret opens under no key of this installation.")
