"""Speaks HTTP with a witness at an address that was checked, and nowhere else.

Promises: http or https, no redirects, no proxy. The name is resolved once and the connection goes
to the very address that was judged, so a second answer of the name server changes nothing. No
link-local, multicast, unspecified or reserved address and no cloud's metadata service is ever
reached; loopback only where the URL says so literally; a private network only when
REMIT_WITNESS_PRIVATE names it. Elsewhere plain http is refused. The whole exchange ends when its
time is up, however slowly the other side drips, and reads no more than it was told.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, Self
from urllib.parse import urlsplit

from django.conf import settings

from audit.errors import WitnessError

_IP = IPv4Address | IPv6Address
# (host, port) -> addresses; the operating system's resolver but for tests.
Resolver = Callable[[str, int], Sequence[str]]

_PORTS: Final = {"http": 80, "https": 443}
# RFC 6052: an IPv4 address rides in the last 32 bits.
_NAT64: Final = IPv6Network("64:ff9b::/96")
# Metadata services of clouds that are not link-local.
_METADATA: Final = frozenset(map(ip_address, ("168.63.129.16", "100.100.100.200", "fd00:ec2::254")))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_loopback_by_name(self) -> bool:
        """Whether the URL itself says that it means this machine."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def authority(self) -> str:
        """Return what the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP."""

    status: int
    content_type: str
    body: bytes


def parse(url: str) -> Place:
    """Return where the URL leads. Raises WitnessError for anything but plain http and https."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise WitnessError(f"{url!r} is no address of a witness.") from error
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in _PORTS or not host or not is_plain or not url.isascii():
        raise WitnessError(f"{url!r} is no address of a witness.")
    if any(letter.isspace() for letter in url):
        raise WitnessError(f"{url!r} is no address of a witness.")
    return Place(parts.scheme, host, port or _PORTS[parts.scheme], parts.path)


def judge(place: Place, address: str) -> None:
    """Return when the place may be reached at this address. Raises WitnessError."""
    found = _unwrapped(ip_address(address.partition("%")[0]))
    if found in _METADATA and not _is_named(found):
        raise WitnessError(f"{place.host} is at {found}, which is no witness's address.")
    if found.is_loopback:
        if not place.is_loopback_by_name:
            raise WitnessError(f"{place.host} is at {found}, which is this machine.")
        return
    if found.is_link_local or found.is_multicast or found.is_unspecified or found.is_reserved:
        raise WitnessError(f"{place.host} is at {found}, which is no witness's address.")
    if _is_named(found):
        return
    if not found.is_global:
        raise WitnessError(
            f"{place.host} is at {found}; name its network in REMIT_WITNESS_PRIVATE first."
        )
    if place.scheme != "https":
        raise WitnessError(f"{place.host} is on the open internet; its address begins https://.")


def _unwrapped(address: _IP) -> _IP:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _is_named(address: _IP) -> bool:
    return any(address in network for network in settings.REMIT_WITNESS_PRIVATE)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the operating system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(row[4][0]) for row in found]


@dataclass(frozen=True, slots=True)
class Caller:
    """Makes requests that end in time. `longest` bounds the body of an answer."""

    seconds: float
    longest: int
    resolver: Resolver = resolve

    def get(self, url: str) -> Answer:
        """GET the URL. Raises WitnessError."""
        return self._exchange("GET", url, None)

    def post(self, url: str, body: bytes) -> Answer:
        """POST the body. Raises WitnessError."""
        return self._exchange("POST", url, body)

    def _exchange(self, method: str, url: str, body: bytes | None) -> Answer:
        place = parse(url)
        until = time.monotonic() + self.seconds
        try:
            with self._connected(place, until) as line, _Alarm(until) as alarm:
                if place.scheme == "http":
                    return self._asked(alarm.watch(line), place, method, body)
                context = ssl.create_default_context()
                sealed = context.wrap_socket(
                    line, server_hostname=place.host, do_handshake_on_connect=False
                )
                with alarm.watch(sealed):
                    sealed.do_handshake()
                    return self._asked(sealed, place, method, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise WitnessError(f"{place.host} does not answer: {error}.") from error

    def _connected(self, place: Place, until: float) -> socket.socket:
        addresses = self.resolver(place.host, place.port)
        for address in addresses:
            judge(place, address)
        failed: OSError = OSError("the name has no address")
        for address in addresses:
            try:
                return socket.create_connection((address, place.port), timeout=_left(until))
            except OSError as error:
                failed = error
        raise failed

    def _asked(self, line: socket.socket, place: Place, method: str, body: bytes | None) -> Answer:
        connection = http.client.HTTPConnection(place.host, place.port)
        connection.sock = line
        headers = {"Host": place.authority, "Connection": "close", "Accept-Encoding": "identity"}
        connection.request(method, place.path or "/", body=body, headers=headers)
        answer = connection.getresponse()
        content = answer.read(self.longest + 1)
        if len(content) > self.longest:
            raise WitnessError(f"The answer of {place.host} is too long.")
        return Answer(answer.status, answer.headers.get("Content-Type", ""), content)


class _Alarm:
    """Hangs up when time is up: a socket's own timeout begins anew with each byte that drips in."""

    def __init__(self, until: float) -> None:
        self._timer = threading.Timer(_left(until), self._hang_up)
        self._timer.daemon = True
        self._line: socket.socket | None = None
        self._rang = False

    def watch(self, line: socket.socket) -> socket.socket:
        self._line = line
        return line

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._rang:
            # Whatever was read may be a part that looks whole.
            raise TimeoutError("it took too long")

    def _hang_up(self) -> None:
        self._rang = True
        with contextlib.suppress(OSError):
            if self._line is not None:
                # Of the plain socket: TLS would say goodbye first, and wait for an answer.
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("time is up")
    return left
