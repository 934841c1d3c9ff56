"""Who computes signatures: `cryptography` where it is installed, otherwise this folder's own code.

One verdict either way, and it is the stricter one: what the plain code refuses before any
arithmetic on the message (lengths, keys of small order, a scalar beyond the order) is refused
first. `--pure` never looks for the other package, so that a reader trusts what they can read.
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from audit.verifier import ed25519, mldsa44

_WHERE = "cryptography.hazmat.primitives.asymmetric."


@dataclass
class _Choice:
    pure: bool = False


_choice = _Choice()


def use_own_code_alone(*, pure: bool) -> None:
    """Decide for this process."""
    _choice.pure = pure


def is_ed25519_valid(*, public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the signature of `message` under the 32-byte key `public`."""
    fast = _class("ed25519", "Ed25519PublicKey", ed25519.KEY_LENGTH)
    if fast is None:
        return ed25519.is_valid(public=public, message=message, signature=signature)
    return ed25519.is_well_formed(public=public, signature=signature) and _holds(
        fast, public, message, signature
    )


def is_ml_dsa_44_valid(*, public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the ML-DSA-44 signature of `message` with an empty context."""
    fast = _class("mldsa", "MLDSA44PublicKey", mldsa44.PUBLIC_LENGTH)
    if fast is None:
        return mldsa44.is_valid(public=public, message=message, signature=signature)
    lengths = (len(public), len(signature))
    return lengths == (mldsa44.PUBLIC_LENGTH, mldsa44.SIGNATURE_LENGTH) and _holds(
        fast, public, message, signature
    )


def _class(module: str, name: str, length: int) -> Any:  # noqa: ANN401 - of a package not here.
    return None if _choice.pure else _found(module, name, length)


@lru_cache(maxsize=2)
def _found(module: str, name: str, length: int) -> Any:  # noqa: ANN401
    """Return the class, or None where the package, or the library below it, does not have it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It deprecates Pythons; that is not the reader's care.
            found = getattr(importlib.import_module(_WHERE + module), name)
            found.from_public_bytes(bytes(length))
    except Exception:  # noqa: BLE001 - whatever is wrong with it, our own code can do the work.
        return None
    return found


def _holds(fast: Any, public: bytes, message: bytes, signature: bytes) -> bool:  # noqa: ANN401
    invalid = importlib.import_module("cryptography.exceptions").InvalidSignature
    try:
        fast.from_public_bytes(public).verify(signature, message)
    except (invalid, ValueError):
        return False
    return True
