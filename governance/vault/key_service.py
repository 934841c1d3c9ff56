"""Speaks with an OpenBao or Vault server over HTTP, through hvac's adapter.

Imported only where REMIT_KEK_URL names one, so that nobody else needs the library.

Promise: whatever keeps the service from answering as it should comes out as KeyServiceError within
seconds, and nothing of a request or an answer stands in it. The token goes to the configured
address alone: redirects, proxies and the environment's own VAULT_* settings are not followed. It is
read anew for each request, so one that an agent of the service renews in a file is taken at once.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Any, Final

import requests
from django.conf import settings
from hvac.adapters import RawAdapter

from governance.env import KeyServiceAddress
from governance.vault.errors import KeyServiceError

_OK: Final = 200
_DONE: Final = 204
_REFUSED: Final = 400
_FORBIDDEN: Final = 403
_MISSING: Final = 404
_BUSY: Final = 429
_BROKEN: Final = 500
_SEALED: Final = 503

# To connect, then to read: whoever waits may hold the epoch's row.
_TIMEOUT_SECONDS: Final = (2.0, 5.0)
_PAUSES_SECONDS: Final = (0.1, 0.4)
_WORDS: Final = {
    _FORBIDDEN: "The key service does not take our token, or grants it too little.",
    _MISSING: "The key service has nothing at the configured mount.",
    _SEALED: "The key service is sealed, or not the active one.",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said: 200 or 204, 400 for a request it refuses, 404 for no such thing."""

    status: int
    content: dict[str, Any]

    @property
    def is_done(self) -> bool:
        """Say whether the request was carried out."""
        return self.status in {_OK, _DONE}

    @property
    def is_missing(self) -> bool:
        """Say whether there is no such thing."""
        return self.status == _MISSING


class KeyService:
    """One mount of a key service."""

    def __init__(self, address: KeyServiceAddress) -> None:
        """Take where it is; nothing is asked yet."""
        self._address = address
        self._mine = local()

    def _session(self) -> requests.Session:
        """Return this thread's connections; a forked process must not share its parent's."""
        if getattr(self._mine, "process", None) != os.getpid():
            self._mine.session = requests.Session()
            self._mine.session.trust_env = False
            # hvac prefers what the session says to what it is told itself.
            self._mine.session.verify = self._address.ca or True
            self._mine.process = os.getpid()
        session: requests.Session = self._mine.session
        return session

    def _adapter(self) -> RawAdapter:
        return RawAdapter(
            base_uri=self._address.origin,
            token=_token(),
            namespace=self._address.namespace or None,
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
            strict_http=True,
            session=self._session(),
        )

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Ask until there is an answer, three times at most; KeyServiceError when there is none.

        Every request we make may be repeated: one that was carried out and lost its answer is
        carried out again to the same end.
        """
        answer, failure = self._once(method, path, body)
        for pause in _PAUSES_SECONDS:
            if answer is not None or not failure.may_pass:
                break
            time.sleep(pause)
            answer, failure = self._once(method, path, body)
        if answer is not None:
            return answer
        # Not inside an `except`: the library's own errors carry the request and its body.
        raise KeyServiceError(failure.words)

    def _once(self, method: str, path: str, body: object) -> "tuple[Answer | None, _Failure]":
        try:
            response = self._adapter().request(
                method, f"v1/{self._address.mount}/{path}", json=body, raise_exception=False
            )
        except requests.ReadTimeout:
            # It took the request and hangs: asking again would keep everybody waiting as long.
            return None, _Failure("The key service does not answer in time.", may_pass=False)
        except OSError as error:  # The library's own errors, and a file of certificates amiss.
            words = f"The key service cannot be reached: {type(error).__name__}."
            return None, _Failure(words, may_pass=isinstance(error, requests.ConnectionError))
        content = _content(response)
        if response.status_code in {_OK, _DONE, _REFUSED} or _says_missing(response, content):
            return Answer(response.status_code, content), _Failure("", may_pass=False)
        status = response.status_code
        words = _WORDS.get(status, f"The key service answered {status}.")
        return None, _Failure(words, may_pass=status == _BUSY or status >= _BROKEN)


@dataclass(frozen=True, slots=True)
class _Failure:
    words: str
    may_pass: bool


def _content(response: requests.Response) -> dict[str, Any]:
    try:
        content = response.json() if response.content else {}
    except requests.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def _says_missing(response: requests.Response, content: dict[str, Any]) -> bool:
    """Tell a key that is not there from a mount that is not: the latter comes with words."""
    return response.status_code == _MISSING and content.get("errors") == []


def _token() -> str:
    if path := settings.REMIT_KEK_TOKEN_FILE:
        try:
            return Path(path).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            raise KeyServiceError("The file of the key service's token cannot be read.") from None
    return str(settings.REMIT_KEK_TOKEN)
