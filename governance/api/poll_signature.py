"""The signature of a plain poll, read in the one form in which our agents write it.

Promise: whose device is found here, DeviceSession would find too (device_authentication), by the
same key, times and bounds; any other form of a signature, and every refusal, is left to it.
"""

import base64
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

from governance.api.device_authentication import LONGEST_SECONDS, session_key

_INPUT: Final = re.compile(
    r'remit=(\("@method" "@target-uri"\);created=([0-9]{10});expires=([0-9]{10})'
    r';nonce="[A-Za-z0-9_-]{8,64}"'
    r';keyid="(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{10})\.[A-Za-z0-9_-]{16})"'
    r';alg="hmac-sha256";tag="remit-agent-1")'
)


def signing_device(environ: Mapping[str, Any], path: str) -> str | None:
    """Return the id of the device whose session signed a GET of this path; None: ask the view."""
    found = _INPUT.fullmatch(environ.get("HTTP_SIGNATURE_INPUT", ""))
    if found is None:
        return None
    parameters, created, expires, session, device, ends = found.groups()
    if not _is_in_time(int(created), int(expires), int(ends)):
        return None
    base = (
        f'"@method": GET\n"@target-uri": {settings.REMIT_EXTERNAL_ORIGIN}{path}\n'
        f'"@signature-params": {parameters}'
    )
    mac = base64.b64encode(hmac.digest(session_key(session), base.encode(), "sha256"))
    shown = environ.get("HTTP_SIGNATURE", "").encode(errors="replace")
    return device if hmac.compare_digest(b"remit=:%b:" % mac, shown) else None


def _is_in_time(created: int, expires: int, ends: int) -> bool:
    now, skew = time.time(), settings.REMIT_CLOCK_SKEW_SECONDS
    return (
        abs(created - now) <= skew
        and created < expires <= created + LONGEST_SECONDS
        and expires + skew >= now
        and ends >= now
    )
