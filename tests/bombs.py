"""Small requests that ask for much memory or time, and a real web process that gets them all.

    python -m tests.bombs

prints, as JSON, how each was answered and the most memory the process ever held. What a bomb is
answered may differ by server; that it is refused, and that the process lives on small, may not.
"""

import gzip
import json
import os
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

MOST_MIB: Final = 256
_MIB: Final = 1 << 20
_JSON: Final = "application/json"
_UPLOAD: Final = "/api/v1/agent/capture-batches"
_SEALED: Final = "application/vnd.remit.sealed-batch.v1"


@dataclass(frozen=True, slots=True)
class Bomb:
    """One request. `stream_mib`: the body is so much of nothing, in chunks without a length."""

    name: str
    path: str = "/api/v1/session"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream_mib: int = 0
    signed: bool = False


def documents() -> dict[str, bytes]:
    """Return JSON documents that cost a careless reader far more than their size."""
    return {
        "deep arrays": b"[" * 200_000,
        "deep arrays, closed": b"[" * 100_000 + b"]" * 100_000,
        "deep objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        "wide array": b"[" + b"0," * 120_000 + b"0]",
        "wide array of objects": b"[" + b"{}," * 80_000 + b"{}]",
        "wide object": b"{" + b",".join(b'"%d":0' % n for n in range(20_000)) + b"}",
        "many duplicate keys": b"{" + b'"a":0,' * 40_000 + b'"a":0}',
        "colliding keys": b"{"
        + b",".join(b'"%d":0' % (n * (2**61 - 1)) for n in range(9_000))
        + b"}",
        "a number of 250,000 digits": b"1" * 250_000,
        "a fraction of 250,000 digits": b"0." + b"1" * 250_000,
        "a huge exponent": b"1e999999999",
        "many huge exponents": b"[" + b"1e308," * 40_000 + b"1]",
        "lone surrogates": b'["' + b"\\ud800" * 40_000 + b'"]',
        "escaped zeros": b'["' + b"\\u0000" * 40_000 + b'"]',
        "escapes without an end": b'"' + b"\\" * 250_001,
        "quotes without an end": b'"' * 250_001,
        "blanks": b" " * 260_000,
        "beyond the limit": b"[" + b"0," * 400_000 + b"0]",
        "UTF-16": ("[" + '"a",' * 30_000 + '"a"]').encode("utf-16"),
        "no UTF-8": b'"' + b"\xf8" * 250_000 + b'"',
    }


def compressed() -> dict[str, Bomb]:
    """Return bodies that say they are compressed; nothing here opens such a body."""
    nothing = gzip.compress(bytes(32 * _MIB), 1)
    once_more = gzip.compress(nothing, 9)
    zstd = _zstd(bytes(128 * _MIB))
    kinds = {"gzip": nothing, "gzip of gzip": once_more, "zstd": zstd}
    return {
        f"{kind} to {path}": Bomb(
            "", path, body, {"Content-Encoding": kind.partition(" ")[0], "Content-Type": _JSON}
        )
        for kind, body in kinds.items()
        for path in ("/api/v1/session", "/api/v1/agent/enrolments")
    }


def _zstd(data: bytes) -> bytes:
    from governance.capture import content

    return content.pack([data])


def uploads() -> dict[str, bytes]:
    """Return bodies of signed uploads whose header is the bomb: u32 length, header, sealed part."""

    def framed(header: bytes, sealed: bytes = b"\x00" * 64) -> bytes:
        return struct.pack(">I", len(header)) + header + sealed

    full = 16_384
    return {
        "a length of 4 GiB": b"\xff\xff\xff\xff" + b"{}",
        "a header of a mebibyte": framed(b'{"a":' + b" " * _MIB)[:_MIB],
        "a deep header": framed(b"[" * full),
        "a header of many members": framed(
            (b"{" + b",".join(b'"%d":0' % n for n in range(2_000)))[: full - 1] + b"}"
        ),
        "a header of duplicate members": framed((b"{" + b'"schema":"",' * 1_300)[:full]),
        "a header with a huge number": framed(b'{"seq_from":' + b"9" * 16_000 + b"}"),
        "a header with lone surrogates": framed(b'{"schema":"' + b"\\ud800" * 2_700 + b'"}'),
        "many frames": framed(b'{"frames":[' + b"{}," * 5_400 + b"{}]}"),
        "a zstd bomb behind a small header": framed(b"{}", _zstd(bytes(128 * _MIB))),
        "just too large": framed(b"{}", bytes(_MIB)),
        "far too large": framed(b"{}", bytes(8 * _MIB)),
    }


def bombs() -> Iterator[Bomb]:
    """Return the whole set."""
    for name, body in documents().items():
        yield Bomb(f"JSON: {name}", body=body, headers={"Content-Type": _JSON})
    for name, bomb in compressed().items():
        yield Bomb(f"compressed: {name}", bomb.path, bomb.body, bomb.headers)
    for name, body in uploads().items():
        yield Bomb(f"upload: {name}", _UPLOAD, body, {"Content-Type": _SEALED}, signed=True)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    yield Bomb("form: 100,000 fields", "/sign-in/", b"a=1&" * 100_000, form)
    yield Bomb("form: a field of a mebibyte", "/sign-in/", b"a=" + b"%41" * 350_000, form)
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%d"\r\n\r\n1\r\n' % n for n in range(15_000)
    )
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    yield Bomb("form: 15,000 parts", "/sign-in/", parts + b"--x--\r\n", multipart)
    yield Bomb("form: a file of 16 MiB", "/sign-in/", _file(16), multipart)
    yield Bomb("address: a query of 60,000 bytes", "/api/v1/session?" + "a=1&" * 15_000)
    yield Bomb("headers: one of 60,000 bytes", headers={"Cookie": "a=" + "b" * 60_000})
    yield Bomb("headers: 90 of them", headers={f"X-{n}": "a" * 500 for n in range(90)})
    for path, kind in (("/api/v1/session", _JSON), (_UPLOAD, _SEALED), ("/sign-in/", "text/plain")):
        yield Bomb(f"stream to {path}", path, headers={"Content-Type": kind}, stream_mib=100)


def _file(mib: int) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    return head + bytes(mib * _MIB) + b"\r\n--x--\r\n"


def throw(client: httpx.Client, bomb: Bomb, sign: Any) -> str:
    """Send one; return the status, or "cut off" when the server stopped listening."""
    headers = dict(bomb.headers)
    if bomb.signed:
        headers |= sign(bomb)
    content: Any = bomb.body
    if bomb.stream_mib:
        content = (bytes(_MIB) for _ in range(bomb.stream_mib))
    try:
        return str(client.post(bomb.path, content=content, headers=headers).status_code)
    except httpx.TransportError:
        return "cut off"


def run() -> tuple[dict[str, str], float]:
    """Serve, throw the whole set and return every answer and the peak in MiB."""
    from django.core.management import call_command

    from bench.serving import serving
    from remit_agent import signing
    from tests import make

    # A page that refuses needs its style sheet, or it fails instead.
    call_command("collectstatic", interactive=False, verbosity=0)
    nordhafen = make.house()
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    agent = make.endpoint(nordhafen, "mira")
    origin = os.environ["REMIT_EXTERNAL_ORIGIN"]
    signer = signing.DeviceSigner(str(agent.device.id), agent.key)

    def sign(bomb: Bomb) -> dict[str, str]:
        headers = {**bomb.headers, "Idempotency-Key": '"0199"'}
        target = signing.Target(method="POST", uri=origin + bomb.path)
        return headers | signing.sign_request(
            target=target, headers=headers, body=bomb.body, signer=signer, now_s=int(time.time())
        )

    port = urlsplit(origin).port
    assert port is not None
    with serving(port) as server, httpx.Client(base_url=origin, timeout=60) as client:
        answers = {bomb.name: throw(client, bomb, sign) for bomb in bombs()}
        assert client.get("/healthz/live").is_success
        return answers, server.resident_mib()


def main() -> int:
    import django

    django.setup()
    from tests.infrastructure import laid

    laid.lay()
    answers, peak = run()
    sys.stdout.write(json.dumps({"answers": answers, "peak_mib": peak}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
