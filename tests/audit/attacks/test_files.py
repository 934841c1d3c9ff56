"""Rows 1, 2, 8 to 18 and 20 of the attack table: what one look at the published files shows."""

import base64
from collections.abc import Callable

import pytest

from tests import reference_tree as tree
from tests.audit.attacks.real import PLACES, Check, Places, Real, Work, bundled, flipped
from tests.reference_log import Signer, b64

pytestmark = pytest.mark.django_db

Attack = Callable[[Real, Work, Places], str]


def _lie(leaf: bytes, rng: Places) -> bytes:
    """Return a leaf of the right form with another tag."""
    at = leaf.index(b'"x":"') + len(b'"x":"') + rng.randrange(21)
    return leaf[:at] + (b"B" if leaf[at : at + 1] != b"B" else b"C") + leaf[at + 1 :]


def _rebundled(real: Real, work: Work, at: int, lie: bytes) -> str:
    first = at // 256 * 256
    leaves = [*real.entries[first:at], lie, *real.entries[at + 1 : first + 256]]
    work.put(work.bundle(at), bundled(leaves))
    return f"entry {at} is not the one that the log committed to"


def leaf_edited(real: Real, work: Work, rng: Places) -> str:
    at = rng.randrange(real.size)
    return _rebundled(real, work, at, _lie(real.entries[at], rng))


def leaf_and_hash_edited(real: Real, work: Work, rng: Places) -> str:
    at = rng.randrange(real.size)
    lie = _lie(real.entries[at], rng)
    _rebundled(real, work, at, lie)
    _retile(work, at, lie)
    return f"tile {at // 65536} of level 1 does not match|signed root"


def _retile(work: Work, at: int, lie: bytes) -> None:
    path = work.tile(0, at // 256)
    row = work.read(path)
    where = at % 256 * 32
    work.put(path, row[:where] + tree.leaf(lie) + row[where + 32 :])


def leaf_hash_and_parent_edited(real: Real, work: Work, rng: Places) -> str:
    at = rng.randrange(real.size // 256 * 256)
    lie = _lie(real.entries[at], rng)
    _rebundled(real, work, at, lie)
    _retile(work, at, lie)
    first = at // 256 * 256
    parent = tree.root([*real.entries[first:at], lie, *real.entries[at + 1 : first + 256]])
    path = work.tile(1, at // 65536)
    row = work.read(path)
    where = at // 256 % 256 * 32
    work.put(path, row[:where] + parent + row[where + 32 :])
    return "signed root|tile 0 of level 2"


def key_swapped(real: Real, work: Work, rng: Places) -> str:
    stranger = Signer(real.origin, rng.choice((1, 6)), rng.randbytes(32))
    _signed_by(work, real, [stranger])
    return "no trusted key"


def key_id_stolen(real: Real, work: Work, rng: Places) -> str:
    genuine = rng.choice(real.keys)
    stranger = Signer(real.origin, genuine.kind, rng.randbytes(32))
    line = stranger.line(_body(real)).split(" ")
    payload = b64(genuine.id + _payload(line[2]))
    work.put("checkpoint", f"{_body(real)}\n\u2014 {real.origin} {payload}\n".encode())
    return f"the signature of {real.origin} is not valid"


def _payload(encoded: str) -> bytes:
    return base64.b64decode(encoded)[4:]


def _body(real: Real) -> str:
    return real.heads[real.size].decode().partition("\n\n")[0] + "\n"


def _signed_by(work: Work, real: Real, signers: list[Signer], body: str | None = None) -> None:
    text = body or _body(real)
    lines = "".join(signer.line(text) for signer in signers)
    work.put("checkpoint", f"{text}\n{lines}".encode())


def leaf_tile_modified(real: Real, work: Work, rng: Places) -> str:
    path = rng.choice(work.paths("0/"))
    row = work.read(path)
    at = rng.randrange(len(row))
    work.put(path, flipped(row, at))
    number = int(path.partition(".p/")[0].replace("/x", "").rpartition("/")[2])
    return f"entry {number * 256 + at // 32} is not the one that the log committed to"


def parent_tile_modified(real: Real, work: Work, rng: Places) -> str:
    level = rng.choice([level for level in (1, 2) if work.paths(f"{level}/")])
    path = rng.choice(work.paths(f"{level}/"))
    row = work.read(path)
    work.put(path, flipped(row, rng.randrange(len(row))))
    return f"of level {level} does not match the entries below"


def tile_withheld(real: Real, work: Work, rng: Places) -> str:
    path = rng.choice([*work.paths("0/"), *work.paths("1/"), *work.paths("entries/")])
    work.put(path, None)
    return f"{path} is missing from the log"


def checkpoint_withheld(real: Real, work: Work, rng: Places) -> str:
    work.put("checkpoint", None)
    return "checkpoint is missing from the log"


def origin_changed(real: Real, work: Work, rng: Places) -> str:
    other = _other_name(real.origin, rng)
    signers = rng.choice(
        [real.keys, [Signer(other, 1, real.keys[0].seed), Signer(other, 6, real.keys[1].seed)]]
    )
    _signed_by(work, real, signers, _body(real).replace(real.origin, other))
    return f"no trusted key of {other} signed"


def _other_name(name: str, rng: Places) -> str:
    at = rng.randrange(len(name))
    return name[:at] + ("q" if name[at] != "q" else "r") + name[at + 1 :]


def _stated(real: Real, work: Work, body: str) -> None:
    """Put another statement before the honest signatures."""
    note = real.heads[real.size]
    work.put("checkpoint", note.replace(_body(real).encode(), body.encode(), 1))


def size_changed(real: Real, work: Work, rng: Places) -> str:
    other = rng.choice([size for size in range(real.size * 2) if size != real.size])
    lines = _body(real).split("\n")
    _stated(real, work, "\n".join([lines[0], str(other), *lines[2:]]))
    return "is not valid|another root than RFC 6962"


def root_changed(real: Real, work: Work, rng: Places) -> str:
    lines = _body(real).split("\n")
    _stated(real, work, "\n".join([*lines[:2], b64(rng.randbytes(32)), ""]))
    return "is not valid"


def extension_inserted(real: Real, work: Work, rng: Places) -> str:
    body = _body(real) + f"time {rng.randrange(2**40)}\n"
    rng.choice([_stated, lambda *_: _signed_by(work, real, real.keys, body)])(real, work, body)
    return "the checkpoint is not three lines"


def signatures_stripped(real: Real, work: Work, rng: Places) -> str:
    text, _, lines = real.heads[real.size].decode().partition("\n\n")
    left = rng.choice(
        ["", *[line for line in lines.splitlines(keepends=True) if "council" in line]]
    )
    work.put("checkpoint", f"{text}\n\n{left}".encode())
    return "no trusted key" if left else "the note is not signed"


def bytes_appended(real: Real, work: Work, rng: Places) -> str:
    path = rng.choice(work.paths("entries/"))
    more = rng.choice([b"\x00", rng.randbytes(1), b"\x00\x02{}", b"\x00\x00", b"\xff\xff"])
    work.put(path, work.read(path) + more)
    return "ends inside an entry|wrong number of entries|after its last entry|longer than it may"


def entries_reframed(real: Real, work: Work, rng: Places) -> str:
    first = rng.randrange(real.size) // 256 * 256
    leaves = list(real.entries[first : first + 256])
    at = rng.randrange(len(leaves) - 1)
    joined, cut = leaves[at] + leaves[at + 1], rng.randrange(len(leaves[at]))
    leaves[at : at + 2] = [joined[:cut], joined[cut:]]
    work.put(work.bundle(first), bundled(leaves))
    return f"entry {first + at} is not the one that the log committed to"


def note_not_canonical(real: Real, work: Work, rng: Places) -> str:
    lines = _body(real).split("\n")
    odd = rng.choice([f"0{lines[1]}", f"+{lines[1]}", f"{lines[1]} ", f"{int(lines[1]):_}x"])
    loose = lines[2][:-2] + chr(ord(lines[2][-2]) + 1) + "="  # The same bytes, other spare bits.
    body = rng.choice(
        [
            "\n".join([lines[0], odd, *lines[2:]]),
            "\n".join([*lines[:2], loose, ""]),
            "\n".join([*lines[:2], lines[2].rstrip("="), ""]),
        ]
    )
    _signed_by(work, real, real.keys[:1], body)
    return "plain decimal number|not canonical base64|not base64"


def old_root_under_new_size(real: Real, work: Work, rng: Places) -> str:
    old = tree.root(real.entries[: rng.randrange(1, real.size)])
    lines = _body(real).split("\n")
    _signed_by(work, real, real.keys, "\n".join([*lines[:2], b64(old), ""]))
    return "the entries do not lead to the signed root"


TABLE: dict[str, Attack] = {
    "01 leaf edited in a bundle: leaf hash against level-0 tile": leaf_edited,
    "02 leaf and its level-0 hash edited: parent tile": leaf_and_hash_edited,
    "02 leaf, hash and parent edited: root": leaf_hash_and_parent_edited,
    "08 key swapped under the same name: no known signature": key_swapped,
    "09 other key with the genuine key id: signature": key_id_stolen,
    "11 level-0 tile modified: leaf hash": leaf_tile_modified,
    "12 level-1 tile modified: entries below": parent_tile_modified,
    "13 tile or bundle withheld: fetch fails": tile_withheld,
    "13 checkpoint withheld: fetch fails": checkpoint_withheld,
    "14 origin changed: origin and key name": origin_changed,
    "15 size changed without signing: signature": size_changed,
    "15 root changed without signing: signature": root_changed,
    "16 extension line inserted: refused": extension_inserted,
    "17 signatures stripped: unsigned note": signatures_stripped,
    "18 bytes after the last entry: bundle length": bytes_appended,
    "18 entries reframed: leaf hashes": entries_reframed,
    "20 note not canonical, signed so: strict parser": note_not_canonical,
    "20 old root under a new size: root": old_root_under_new_size,
}


def test_the_honest_log_scans(work: Work, check: Check, real: Real) -> None:
    status, printed = check("scan", work.folder)
    assert (status, f"All {real.size} entries lead to the signed root" in printed) == (0, True)
    assert "witnessed: council.example" in printed


@pytest.mark.parametrize("attack", TABLE.values(), ids=TABLE)
def test_a_scan_notices(real: Real, work: Work, check: Check, rng: Places, attack: Attack) -> None:
    for _ in range(PLACES):
        reasons = attack(real, work, rng)
        status, printed = check("scan", work.folder)
        work.undo()
        assert status == 1
        assert any(reason in printed for reason in reasons.split("|")), (reasons, printed)
    assert check("scan", work.folder)[0] == 0, "unattacked, it holds"
