"""The signature of a plain poll, read in the one form in which our agents write it.

Promise: whose device is found here, DeviceSession would find too (device_authentication), by the
same key, times and bounds; any other form of a signature, and every refusal, is left to it.
"""

import base64
import hmac
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from django.conf import settings

from governance.api.device_authentication import LONGEST_SECONDS, session_mac

_INPUT: Final = re.compile(
    r'remit=(\("@method" "@target-uri"\);created=([0-9]{10});expires=([0-9]{10})'
    r';nonce="[A-Za-z0-9_-]{8,64}"'
    r';keyid="(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{10})\.[A-Za-z0-9_-]{16})"'
    r';alg="hmac-sha256";tag="remit-agent-1")'
)


def signing_device(environ: Mapping[str, Any], target: str) -> str | None:
    """Return the id of the device whose session signed a GET of this URI; None: ask the view."""
    found = _INPUT.fullmatch(environ.get("HTTP_SIGNATURE_INPUT", ""))
    if found is None:
        return None
    parameters, created, expires, session, device, ends = found.groups()
    if not _is_in_time(int(created), int(expires), int(ends)):
        return None
    mac = base64.b64encode(session_mac(session, (_before(target) + parameters).encode()))
    shown = environ.get("HTTP_SIGNATURE", "").encode(errors="replace")
    return device if hmac.compare_digest(b"remit=:%b:" % mac, shown) else None


@lru_cache
def _before(target: str) -> str:
    """Return what stands before the parameters in what is signed (RFC 9421 §2.5)."""
    return f'"@method": GET\n"@target-uri": {target}\n"@signature-params": '


def _is_in_time(created: int, expires: int, ends: int) -> bool:
    now, skew = time.time(), settings.REMIT_CLOCK_SKEW_SECONDS
    return (
        -skew <= created - now <= skew
        and created < expires <= created + LONGEST_SECONDS
        and expires + skew >= now
        and ends >= now
    )
