"""The signature of a plain poll, read in the one form in which our agents write it.

Promise: whose device is found here, DeviceSession would find too (device_authentication), by the
same key, times and bounds; any other form of a signature, and every refusal, is left to it.
"""

import hmac
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from governance.api.device_authentication import LONGEST_SECONDS, session_macs

_INPUT: Final = re.compile(
    r'remit=(\("@method" "@target-uri"\);created=([0-9]{10});expires=([0-9]{10})'
    r';nonce="[A-Za-z0-9_-]{8,64}"'
    r';keyid="(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{10})\.[A-Za-z0-9_-]{16})"'
    r';alg="hmac-sha256";tag="remit-agent-1")'
)


class _Here(NamedTuple):
    """What of the settings is asked with every poll."""

    host: str
    # What stands before the parameters in what is signed (RFC 9421 §2.5).
    before: str
    skew: float
    mac_of: Callable[[str, bytes], bytes]


@lru_cache
def _here(path: str) -> _Here:
    origin = settings.REMIT_EXTERNAL_ORIGIN
    before = f'"@method": GET\n"@target-uri": {origin}{path}\n"@signature-params": '
    skew = settings.REMIT_CLOCK_SKEW_SECONDS
    return _Here(urlsplit(origin).netloc, before, skew, session_macs())


@receiver(setting_changed)
def _look_again(**_: object) -> None:
    _here.cache_clear()


def signing_device(environ: Mapping[str, Any], path: str) -> str | None:
    """Return the id of the device whose session signed a GET of this path; None: ask the view."""
    here = _here(path)
    found = _INPUT.fullmatch(environ.get("HTTP_SIGNATURE_INPUT", ""))
    if found is None or environ.get("HTTP_HOST") != here.host:
        return None
    parameters, created, expires, session, device, ends = found.groups()
    if not _is_in_time(int(created), int(expires), int(ends), skew=here.skew):
        return None
    mac = here.mac_of(session, (here.before + parameters).encode())
    shown = environ.get("HTTP_SIGNATURE", "").encode(errors="replace")
    return device if hmac.compare_digest(b"remit=:%b:" % b64encode(mac), shown) else None


def _is_in_time(created: int, expires: int, ends: int, *, skew: float) -> bool:
    now = time.time()
    return (
        -skew <= created - now <= skew
        and created < expires <= created + LONGEST_SECONDS
        and expires + skew >= now
        and ends >= now
    )
