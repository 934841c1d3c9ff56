"""Where a witness may live, and how long it may talk: a real socket, and a name that changes."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from audit import addresses
from audit.addresses import Caller
from audit.errors import WitnessError

Speak = Callable[[socket.socket], None]


@contextmanager
def server(speak: Speak) -> Iterator[int]:
    """Answer each connection on a loopback port with `speak`."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line:
                try:
                    line.recv(65536)
                    speak(line)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    listening.close()


def caller(*found: str, seconds: float = 2, longest: int = 100) -> Caller:
    return Caller(seconds, longest, resolver=lambda _host, _port: found or ("127.0.0.1",))


def says(status: str, *headers: str, body: bytes = b"") -> Speak:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return lambda line: line.sendall("\r\n".join(lines).encode() + body)


def test_an_answer_comes_back_whole_and_a_redirect_leads_nowhere() -> None:
    with server(says("200 OK", "Content-Type: text/plain", body=b"line\n")) as port:
        answer = caller().get(f"http://127.0.0.1:{port}/x")
        assert (answer.status, answer.content_type, answer.body) == (200, "text/plain", b"line\n")
    with server(says("307 Moved", "Location: http://169.254.169.254/")) as port:
        assert caller().post(f"http://127.0.0.1:{port}/x", b"old 0").status == 307


def drip(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    while True:
        line.sendall(b"x")
        time.sleep(0.02)


def drip_headers(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        line.sendall(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize("speak", [drip, drip_headers])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_whoever_drips_is_cut_off_when_the_time_is_up(speak: Speak, scheme: str) -> None:
    begun = time.monotonic()
    with server(speak) as port, pytest.raises(WitnessError, match="does not answer"):
        caller(seconds=0.4).get(f"{scheme}://127.0.0.1:{port}/")
    assert time.monotonic() - begun < 1.5


def test_nobody_makes_us_read_more_than_we_want() -> None:
    with server(says("200 OK", body=b"x" * 101)) as port:
        with pytest.raises(WitnessError, match="too long"):
            caller().get(f"http://127.0.0.1:{port}/")
        assert len(caller(longest=101).get(f"http://127.0.0.1:{port}/").body) == 101


def test_a_name_that_changes_its_mind_is_asked_once_and_judged() -> None:
    """Rebinding: the first answer is harmless, the second is the metadata service."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    with server(says("200 OK")) as port:
        found = Caller(2, 100, resolver=lambda *_: answers.pop(0))
        assert found.get(f"http://localhost:{port}/").status == 200
        assert len(answers) == 1, "asked once: what was judged is what is called"
        with pytest.raises(WitnessError, match=r"169\.254\.169\.254"):
            found.get(f"http://localhost:{port}/")


@pytest.mark.parametrize(
    "found",
    [
        ("127.0.0.1",),
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("10.0.0.7",),
        ("192.168.1.1",),
        ("100.64.0.1",),
        ("fd00::7",),
        ("169.254.169.254",),
        ("fe80::1%eth0",),
        ("64:ff9b::a9fe:a9fe",),
        ("2002:7f00:1::",),
        ("0.0.0.0",),
        ("::",),
        ("224.0.0.1",),
        ("ff02::1",),
        ("240.0.0.1",),
        ("255.255.255.255",),
        ("168.63.129.16",),
        ("100.100.100.200",),
        ("93.184.215.14", "127.0.0.1"),
    ],
)
def test_no_name_leads_into_our_own_network(found: tuple[str, ...]) -> None:
    """One forbidden address among several refuses the name."""
    place = addresses.parse("https://witness.example/")
    with pytest.raises(WitnessError):
        judged(place, found)


def test_loopback_private_networks_and_plain_http_must_be_meant(settings: Settings) -> None:
    public, private = "93.184.215.14", "10.8.3.4"
    addresses.judge(addresses.parse("https://w.example/"), public)
    with pytest.raises(WitnessError, match="https"):
        addresses.judge(addresses.parse("http://w.example/"), public)
    for literal in ("http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost/"):
        addresses.judge(addresses.parse(literal), "127.0.0.1")
    with pytest.raises(WitnessError, match="REMIT_WITNESS_PRIVATE"):
        addresses.judge(addresses.parse("http://10.8.3.4/"), private)
    settings.REMIT_WITNESS_PRIVATE = [ip_network("10.8.0.0/16"), ip_network("169.254.0.0/16")]
    addresses.judge(addresses.parse("http://council.example/"), private)
    with pytest.raises(WitnessError):
        addresses.judge(addresses.parse("http://council.example/"), "10.9.0.1")
    with pytest.raises(WitnessError, match="no witness's"):
        addresses.judge(addresses.parse("http://council.example/"), "169.254.169.254")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://w.example/",
        "//w.example/",
        "http:///x",
        "http://user@w.example/",
        "http://w.example/?x",
        "http://w.example/#x",
        "http://w.example:99999/",
        "http://w.example/\r\nX: y",
        "http://wítness.example/",
        "http://[::1/",
    ],
)
def test_only_plain_addresses_are_addresses(url: str) -> None:
    with pytest.raises(WitnessError, match="no address"):
        addresses.parse(url)


def judged(place: addresses.Place, found: tuple[str, ...]) -> None:
    """Judge every address of a name, as a call does before it connects."""
    for address in found:
        addresses.judge(place, address)
