"""Opens whatever a pile of files gives away, as somebody would who holds all of them.

It goes round the service: no row need stand in a table, no audit entry allow anything. A stored key
is unwrapped wherever its 60 bytes may lie, with every 32 bytes of every small file for a key; what
is found opens every stored value; sealed originals are tried with every private key. It asks for no
tag: AES-GCM is only decrypted, so that what a ciphertext is bound to hinders nobody here.

How it knows what it found: the test tells it beforehand which secrets and which words there were.
"""

import base64
import contextlib
import hashlib
import hmac
import io
import re
import sqlite3
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from backports import zstd
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

KEY, NONCE, TAG, BLOCK = 32, 12, 16, 16
SEAL_KEY = 96
_SMALL_FILE = 4096
# Of 32 random bytes fewer are different in one case of 10^9.
_FEWEST_DIFFERENT = 22
_LARGEST_VALUE = 1 << 20
_CHUNK = 1 << 22
_EMPTY = re.compile(rb"\0{512,}")
_HEX = re.compile(rb"\\\\x((?:[0-9a-f]{2}){28,})")
_DERIVATIONS = (b"disclosure", b"tag")


@dataclass(frozen=True, slots=True)
class Pile:
    """What was carried off: files as they lie, and every value that a database gives."""

    files: Mapping[str, bytes]
    values: frozenset[bytes]

    def __add__(self, other: "Pile") -> "Pile":
        return Pile({**self.files, **other.files}, self.values | other.values)


@dataclass(frozen=True, slots=True)
class Known:
    """What is to be recognised: keys by their first half, and words of what was captured."""

    secrets: Mapping[str, str]
    words: Mapping[str, str]


@dataclass(slots=True)
class Haul:
    """Whose keys and whose words came out, and what it took."""

    keys: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    tried: int = 0


def of_folders(*folders: Path) -> Pile:
    """Carry off whole folders, also what the databases and dumps in them give when opened."""
    files: dict[str, bytes] = {}
    values: set[bytes] = set()
    for folder in folders:
        files |= {name: data for name, data in _files(folder).items() if "/static/" not in name}
    for name, data in files.items():
        if data[:6] == b"SQLite":
            values |= set(_sqlite_values(data, files.get(f"{name}-wal", b"")))
        elif name.endswith(".copy"):
            values |= set(_copied_values(data))
        elif len(data) < _LARGEST_VALUE:
            values.add(data)
    return Pile(files, frozenset(values))


def of_server(data: Path) -> Pile:
    """Carry off the directory of a PostgreSQL server: pages and its log of writes, no values."""
    return Pile(_files(data), frozenset())


def _files(folder: Path) -> dict[str, bytes]:
    """Return each content once. What a server removes meanwhile is not there."""
    found: dict[bytes, tuple[str, bytes]] = {}
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                data = path.read_bytes()
                found.setdefault(hashlib.sha256(data).digest(), (str(path), data))
    return dict(found.values())


def _sqlite_values(data: bytes, log: bytes) -> Iterator[bytes]:
    # A copy, its log of writes beside it: to open the file itself might tidy it up.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "copy"
        path.write_bytes(data)
        Path(f"{path}-wal").write_bytes(log)
        with contextlib.closing(sqlite3.connect(path)) as database:
            listed = "SELECT name FROM sqlite_master WHERE type = 'table'"
            for (table,) in database.execute(listed).fetchall():
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    yield from _of_row([value for value in row if isinstance(value, bytes)])


def dumped(url: str, folder: Path) -> None:
    """Write all tables of a PostgreSQL database as a dump has them, one file each."""
    folder.mkdir(parents=True, exist_ok=True)
    with psycopg.connect(url) as database:
        tables = database.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (table,) in tables:
            with database.cursor().copy(f"COPY {table} TO STDOUT".encode()) as rows:
                (folder / f"{table}.copy").write_bytes(b"".join(map(bytes, rows)))


def _copied_values(text: bytes) -> Iterator[bytes]:
    for line in text.splitlines():
        yield from _of_row([bytes.fromhex(found.decode()) for found in _HEX.findall(line)])
        short = re.findall(rb"\\\\x((?:[0-9a-f]{2})+)", line)
        yield b"".join(bytes.fromhex(found.decode()) for found in short)


def _of_row(blobs: list[bytes]) -> Iterator[bytes]:
    yield from blobs
    # A nonce and what it belongs to stand in two columns.
    yield b"".join(blobs)


def rob(pile: Pile, known: Known, *, closely: Callable[[str], bool] = lambda _: True) -> Haul:
    """Open what can be opened; `closely` chooses the files in which every 60 bytes are tried.

    Values of rows are tried always.
    """
    haul = Haul()
    keys = set(_key_windows(pile))
    wanted = {bytes.fromhex(secret): owner for secret, owner in known.secrets.items()}
    # A key that lies about unwrapped needs no other.
    found = {secret for secret in wanted if any(secret in data for data in _everything(pile))}
    texts = [data for name, data in pile.files.items() if closely(name)]
    small = b"".join(value + b"\0" * TAG for value in pile.values if len(value) < _SMALL_FILE)
    for text in [*texts, small]:
        # Nothing stands between a nonce and its key in SQLite's rows and in values side by side;
        # in PostgreSQL's a length of one byte.
        gaps = (0,) if text is small or text[:6] == b"SQLite" else (0, 1)
        found |= unwrapped(text, keys, wanted, gaps)
        haul.tried += len(text)
    haul.keys = {wanted[secret] for secret in found}
    for plain in _opened(pile, keys | found):
        haul.words |= {owner for word, owner in known.words.items() if word.encode() in plain}
    return haul


def _everything(pile: Pile) -> Iterator[bytes]:
    yield from pile.files.values()
    yield from pile.values


def _key_files(pile: Pile) -> Iterator[bytes]:
    """Yield what may hold keys: small files that are not published to everybody, as Base64 too."""
    for name, data in pile.files.items():
        is_published = "/log/" in name and "/keys/" not in name
        if len(data) <= _SMALL_FILE and not is_published and "/" in name:
            yield data
            with contextlib.suppress(ValueError):
                yield base64.b64decode(data.strip(), validate=True)


def _key_windows(pile: Pile) -> Iterator[bytes]:
    for data in _key_files(pile):
        windows = (data[at : at + KEY] for at in range(0, len(data) - KEY + 1, KEY // 2))
        yield from filter(_is_random, windows)


def _is_random(window: bytes) -> bool:
    """Say whether these may be 32 random bytes: so few are alike, and they are no text."""
    return len(set(window)) >= _FEWEST_DIFFERENT and not window.isascii()


def unwrapped(
    text: bytes, keys: Iterable[bytes], wanted: Collection[bytes], gaps: Collection[int]
) -> set[bytes]:
    """Return the wanted secrets that some key unwraps from some 60 bytes of the text.

    `gaps` are the octets that may stand between a nonce and what it belongs to.
    """
    text = _EMPTY.sub(b"\0" * 64, text)
    reach = NONCE + max(gaps) + KEY + TAG
    parts = [text[at : at + _CHUNK + reach] for at in range(0, len(text), _CHUNK)]
    return {
        secret
        for part in parts
        if len(part) >= NONCE + KEY
        for found in _streams(part, keys)
        for gap in gaps
        for secret in _matches(part, found, gap, wanted)
    }


@dataclass(frozen=True, slots=True)
class _Streams:
    """Where each place of a text is a nonce: the key, and the first bytes of its stream."""

    key: bytes
    planes: tuple[bytes, ...]


_PLANES = 3


def _streams(part: bytes, keys: Iterable[bytes]) -> Iterator[_Streams]:
    count = len(part) - NONCE
    blocks = bytearray(BLOCK * count)
    for at in range(NONCE):
        blocks[at::BLOCK] = part[at : at + count]
    blocks[BLOCK - 1 :: BLOCK] = b"\x02" * count
    for key in keys:
        cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        stream = cipher.update(bytes(blocks))
        yield _Streams(key, tuple(stream[at::BLOCK] for at in range(_PLANES)))


def _matches(part: bytes, found: _Streams, gap: int, wanted: Collection[bytes]) -> Iterator[bytes]:
    count = len(part) - NONCE - gap - _PLANES
    if count <= 0:
        return
    plain = bytearray(_PLANES * count)
    for at, plane in enumerate(found.planes):
        start = NONCE + gap + at
        mixed = _int(plane[:count]) ^ _int(part[start : start + count])
        plain[at::_PLANES] = mixed.to_bytes(count, "little")
    for secret in wanted:
        at = plain.find(secret[:_PLANES])
        while at >= 0:
            place, rest = divmod(at, _PLANES)
            sealed = part[place + NONCE + gap :][:KEY]
            if not rest and decrypted(found.key, part[place:][:NONCE] + sealed) == secret:
                yield secret
            at = plain.find(secret[:_PLANES], at + 1)


def _int(data: bytes) -> int:
    return int.from_bytes(data, "little")


def decrypted(key: bytes, sealed: bytes) -> bytes:
    """Return what AES-256-GCM gives without looking at the tag: nonce first, no tag behind."""
    counter = sealed[:NONCE] + b"\0\0\0\x02"
    cipher = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()
    return cipher.update(sealed[NONCE:])


def _opened(pile: Pile, keys: Collection[bytes]) -> Iterator[bytes]:
    """Yield whatever each key makes of each value, and each private key of each original."""
    stored = {value for value in pile.values if len(value) > NONCE + TAG}
    every = {*keys, *(_derived(key, use) for key in keys for use in _DERIVATIONS)}
    for value in stored:
        for key in every:
            yield from _readable(decrypted(key, value[:-TAG]))
    private = list(_private_keys(pile))
    for value in stored:
        for seal_key in private:
            yield from _original(value, seal_key)


def _derived(secret: bytes, use: bytes) -> bytes:
    parts = (b"remit person key v1", use)
    info = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(secret, info + b"\x01", "sha256")


def _readable(plain: bytes) -> Iterator[bytes]:
    yield plain
    if plain[:4] == b"\x28\xb5\x2f\xfd":
        yield _expanded(plain)
    if plain[:4] == b"PK\x03\x04":
        # Its last bytes were taken for a tag at times; what opens is read all the same.
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(plain)) as archive:
            yield from map(archive.read, archive.namelist())


def _expanded(packed: bytes) -> bytes:
    try:
        return zstd.ZstdDecompressor().decompress(packed, 1 << 24)
    except zstd.ZstdError:
        return b""


def _private_keys(pile: Pile) -> Iterator[MLKEM768X25519PrivateKey]:
    for data in _key_files(pile):
        for at in range(0, len(data) - SEAL_KEY + 1, KEY // 2):
            seed, x25519 = data[at : at + 64], data[at + 64 : at + SEAL_KEY]
            yield MLKEM768X25519PrivateKey(
                MLKEM768PrivateKey.from_seed_bytes(seed),
                X25519PrivateKey.from_private_bytes(x25519),
            )


def _original(value: bytes, key: MLKEM768X25519PrivateKey) -> Iterator[bytes]:
    length = int.from_bytes(value[:4], "big")
    header = value[4 : 4 + length]
    if header[:1] != b"{" or len(header) != length:
        return
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    info = b"remit sealed-batch v1\x00" + hashlib.sha256(header).digest()
    try:
        yield _expanded(suite.decrypt(value[4 + length :], key, info=info))
    except (InvalidTag, ValueError):
        return
