"""Where the files of a log come from: a directory or a web address, both taken for hostile.

Every answer is bounded in length and in time, from the first byte of its head to its last; nothing
but a plain file is read from a directory; no redirect is followed, to whatever it leads.
"""

from __future__ import annotations

import http.client
import os
import stat
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from audit.verifier.errors import NotVerifiedError, UnreachableError

if TYPE_CHECKING:
    import socket

_SILENCE_SECONDS = 30.0
_LONGEST_SECONDS = 120.0
_CHUNK = 64 * 1024
_NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Source(Protocol):
    """Where the files of a log come from."""

    def read(self, path: str, limit: int) -> bytes:
        """Return the file, at most `limit` bytes; UnreachableError when it is not there."""


class DirectorySource:
    """A log that was downloaded."""

    def __init__(self, directory: Path) -> None:
        self._directory = os.fspath(directory)

    def read(self, path: str, limit: int) -> bytes:
        """Return the file; the paths are made here, so none leads out of the directory."""
        try:
            # A pipe or a device in the place of a file would keep us for ever.
            descriptor = os.open(f"{self._directory}/{path}", os.O_RDONLY | _NO_WAITING)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise NotVerifiedError(f"{path} is not a plain file")
                return _bounded(file.read(limit + 1), path, limit)
        except OSError:
            raise UnreachableError(f"{path} is missing from the log") from None


class UrlSource:
    """A log that is served over HTTP."""

    def __init__(self, url: str, *, longest_seconds: float = _LONGEST_SECONDS) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise UnreachableError(f"{url} is not a web address")
        self._url = url.rstrip("/")
        self._longest = longest_seconds
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Plain(),
            _Secure(),
        ):
            self._opener.add_handler(handler)

    def read(self, path: str, limit: int) -> bytes:
        """Return the file by GET, without content encodings."""
        timer = _Timer(self._longest)
        try:
            request = urllib.request.Request(f"{self._url}/{path}")  # noqa: S310 - checked above.
            request.remit_timer = timer  # type: ignore[attr-defined]  # Reaches the handlers so.
            with self._opener.open(request, timeout=_SILENCE_SECONDS) as answer:
                return _bounded(timer.read(answer, limit + 1), path, limit)
        except urllib.error.HTTPError as error:
            error.close()
            raise UnreachableError(f"{path} cannot be fetched from the log: {error.code}") from None
        except (http.client.HTTPException, OSError, ValueError):
            raise UnreachableError(f"{path} cannot be fetched from the log") from None
        finally:
            timer.stop()


class _Timer:
    """Cuts the line when an answer takes too long in all, however steadily it drips."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._thread = threading.Timer(seconds, self._cut)
        self._thread.daemon = True
        self._thread.start()

    def watch(self, connection: socket.socket) -> None:
        self._socket = connection

    def _cut(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(2)
            except OSError:
                return  # It has ended by itself.

    def stop(self) -> None:
        self._thread.cancel()

    def read(self, answer: Any, limit: int) -> bytes:  # noqa: ANN401 - what urllib gives.
        """Return the body, at most `limit` bytes."""
        parts: list[bytes] = []
        while limit > 0:
            part = answer.read(min(limit, _CHUNK))
            if not part:
                break
            limit -= len(part)
            parts.append(part)
        if time.monotonic() > self._end:
            raise TimeoutError
        return b"".join(parts)


def _watched(kind: type, timer: _Timer) -> Any:  # noqa: ANN401
    """Return a class of connections whose socket the timer knows before the first byte."""

    class Watched(kind):  # type: ignore[misc]
        def connect(self) -> None:
            super().connect()
            timer.watch(self.sock)

    return Watched


class _Plain(urllib.request.HTTPHandler):
    def http_open(self, req: Any) -> Any:  # noqa: ANN401
        return self.do_open(_watched(http.client.HTTPConnection, req.remit_timer), req)


class _Secure(urllib.request.HTTPSHandler):
    def https_open(self, req: Any) -> Any:  # noqa: ANN401
        return self.do_open(_watched(http.client.HTTPSConnection, req.remit_timer), req)


def _bounded(data: bytes, path: str, limit: int) -> bytes:
    if len(data) > limit:
        raise NotVerifiedError(f"{path} is longer than it may be")
    return data


def open_source(place: str) -> Source:
    """Return the log at a URL (http, https) or in a directory."""
    if urlsplit(place).scheme in ("http", "https"):
        return UrlSource(place)
    if not Path(place).is_dir():
        raise UnreachableError(f"{place} is neither a web address nor a directory")
    return DirectorySource(Path(place))
