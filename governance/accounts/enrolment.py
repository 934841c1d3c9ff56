"""The one-time code that brings a device in: what it looks like and how it is kept.

Fifty random bits in an alphabet without look-alikes, read in groups. The database holds a MAC under
the service's secret, so that a copy of it enrols nobody; ten minutes and one use do the rest.
"""

import secrets
from typing import Final

from django.utils.crypto import salted_hmac

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32.
SYMBOLS: Final = 10
_GROUP: Final = 5
_LOOK_ALIKES: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


def fresh_code() -> str:
    """Return a code such as `7K2QM-X4T9D`."""
    symbols = "".join(secrets.choice(ALPHABET) for _ in range(SYMBOLS))
    return f"{symbols[:_GROUP]}-{symbols[_GROUP:]}"


def code_mac(code: str) -> bytes:
    """Return the MAC of a code; case, spaces, hyphens and look-alikes do not matter."""
    plain = "".join(code.upper().split()).replace("-", "").translate(_LOOK_ALIKES)
    return salted_hmac("remit.accounts.enrolment", plain, algorithm="sha256").digest()
