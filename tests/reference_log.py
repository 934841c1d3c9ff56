"""A small honest log, written after the C2SP texts and apart from our own code: what the verifier
must accept, and what the tamper tests then break. Signatures come from `cryptography`."""

import base64
import hashlib
import json
import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import gmtime, strftime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from tests import reference_tree as tree

START = 1_795_000_000
SHY = ("consent:decided", "capture:ingested", "private:told")
SEED = b"\x07" * 32


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def disclosure(name: str, value: Any, salt: bytes = b"s" * 16) -> str:
    return b64url(canonical([b64url(salt), name, value]))


def digest(text: str) -> str:
    return b64url(hashlib.sha256(text.encode()).digest())


def entry(
    number: int,
    event: str = "access:allowed",
    *,
    disclosures: Sequence[str] = (),
    tag: tuple[bytes, bytes] | None = None,
    at: int | None = None,
    **clear: Any,
) -> bytes:
    """Return the leaf of entry `number`; one a second, `clear` over the usual fields."""
    nonce, value = tag or (hashlib.sha256(b"n%d" % number).digest()[:16], b"\x55" * 16)
    least = 16 if event in SHY and number else 8
    count = max(least, -(-len(disclosures) // 8) * 8) - len(disclosures)
    decoys = [digest(f"decoy {number} {which}") for which in range(count)]
    fields = {
        "v": 1,
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))),
        "t": strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(START + number if at is None else at)),
        "ev": "log:genesis" if number == 0 else event,
        "dec": "allow" if event.endswith("allowed") and number else "n/a",
        "_sd_alg": "sha-256",
        "_sd": sorted([*decoys, *map(digest, disclosures)]),
        "tag": {"x": b64url(nonce), "s": [b64url(value)]},
    }
    if number == 0:
        fields["origin"] = "log.example/remit"
        fields["vkeys"] = [signer.vkey for signer in log_signers("log.example/remit")]
    return canonical(fields | clear)


@dataclass
class Signer:
    """A key pair under a C2SP name; type 1 signs notes, 4 cosigns, 6 is ML-DSA-44."""

    name: str
    kind: int
    seed: bytes = SEED
    public: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._key = (
            MLDSA44PrivateKey.from_seed_bytes(self.seed)
            if self.kind == 6
            else Ed25519PrivateKey.from_private_bytes(self.seed)
        )
        self.public = self._key.public_key().public_bytes_raw()

    @property
    def id(self) -> bytes:
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:4]

    @property
    def vkey(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64(bytes([self.kind]) + self.public)}"

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def line(self, body: str, *, time: int = START + 3600) -> str:
        """Return this key's signature line for a checkpoint body."""
        stamp = struct.pack(">Q", time)
        if self.kind == 1:
            signed = self.sign(body.encode())
        elif self.kind == 4:
            signed = stamp + self.sign(f"cosignature/v1\ntime {time}\n{body}".encode())
        else:
            origin, size, root = body.split("\n")[:3]
            message = b"subtree/v1\n\x00" + bytes([len(self.name)]) + self.name.encode() + stamp
            message += bytes([len(origin)]) + origin.encode()
            message += struct.pack(">QQ", 0, int(size)) + base64.b64decode(root)
            signed = stamp + self.sign(message)
        return f"\u2014 {self.name} {b64(self.id + signed)}\n"


def log_signers(origin: str) -> list[Signer]:
    """Return both keys of the log of that name."""
    return [Signer(origin, 1), Signer(origin, 6, b"\x08" * 32)]


@dataclass
class Log:
    """An honest log; change `entries`, `signers` or the files it writes to make it dishonest."""

    entries: list[bytes]
    origin: str = "log.example/remit"
    time: int = START + 3600
    signers: list[Signer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.signers = self.signers or [
            *log_signers(self.origin),
            Signer("witness.example/one", 4, b"\x09" * 32),
        ]

    @property
    def vkeys(self) -> str:
        return "".join(signer.vkey + "\n" for signer in self.signers)

    @property
    def policy(self) -> str:
        log, _, witness = self.signers
        return f"log {log.vkey}\nwitness w {witness.vkey} https://w.example/\nquorum w\n"

    def body(self, size: int | None = None) -> str:
        entries = self.entries[:size]
        return f"{self.origin}\n{len(entries)}\n{b64(tree.root(entries))}\n"

    def checkpoint(self, size: int | None = None, *, body: str | None = None) -> bytes:
        text = body or self.body(size)
        lines = (signer.line(text, time=self.time) for signer in self.signers)
        return (text + "\n" + "".join(lines)).encode()

    def proof(self, index: int, disclosures: Sequence[str] = ()) -> bytes:
        extra = canonical({"leaf": self.entries[index].decode(), "disclosures": list(disclosures)})
        path = "".join(b64(step) + "\n" for step in tree.inclusion(index, self.entries))
        head = f"c2sp.org/tlog-proof@v1\nextra {b64(extra)}\nindex {index}\n{path}\n"
        return head.encode() + self.checkpoint()

    def write(self, folder: Path) -> Path:
        """Write checkpoint, bundles and tiles as tlog-tiles lays them out."""
        for path, data in self.files().items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        return folder

    def files(self) -> Mapping[str, bytes]:
        files = {"checkpoint": self.checkpoint()}
        framed = [struct.pack(">H", len(one)) + one for one in self.entries]
        files |= _tiles("tile/entries", framed)
        level, nodes = 0, [tree.leaf(one) for one in self.entries]
        while nodes:
            files |= _tiles(f"tile/{level}", nodes)
            level += 1
            width = 256**level
            nodes = [
                tree.root(self.entries[at : at + width])
                for at in range(0, len(self.entries) // width * width, width)
            ]
        return files


def _tiles(prefix: str, nodes: Sequence[bytes]) -> dict[str, bytes]:
    tiles = {}
    for at in range(0, len(nodes), 256):
        part = nodes[at : at + 256]
        name = f"{prefix}/{at // 256:03d}" + (f".p/{len(part)}" if len(part) < 256 else "")
        tiles[name] = b"".join(part)
    return tiles
