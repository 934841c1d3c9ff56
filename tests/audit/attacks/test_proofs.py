"""Rows 21 and 27: proof files that say another thing than the log, and forged disclosures."""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from audit import leaf as service
from tests import reference_tree as tree
from tests.audit.attacks.real import PLACES, Check, Places, Real
from tests.reference_log import b64, canonical

pytestmark = pytest.mark.django_db

Attack = Callable[[Real, int, Places], bytes]
PATH = "not in the signed tree at that index"


def _parts(proof: bytes) -> tuple[list[str], bytes]:
    """Return the lines before the checkpoint, and the checkpoint."""
    head, _, note = proof.partition(b"\n\n")
    return head.decode().split("\n"), note


def _joined(lines: Sequence[str], note: bytes) -> bytes:
    return "\n".join(lines).encode() + b"\n\n" + note


def _extra(lines: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(base64.b64decode(lines[1].removeprefix("extra ")))
    return found


def _with_extra(lines: Sequence[str], **changes: object) -> list[str]:
    return [lines[0], f"extra {b64(canonical(_extra(lines) | changes))}", *lines[2:]]


def another_entry(real: Real, at: int, rng: Places) -> bytes:
    lines, note = _parts(real.proofs[at])
    other = rng.choice([index for index in range(real.size) if index != at])
    changed = _with_extra(lines, leaf=real.entries[other].decode(), disclosures=[])
    return _joined(changed, note)


def another_index(real: Real, at: int, rng: Places) -> bytes:
    lines, note = _parts(real.proofs[at])
    other = rng.choice([index for index in range(_size(note)) if index != at])
    return _joined([*lines[:2], f"index {other}", *lines[3:]], note)


def hash_dropped(real: Real, at: int, rng: Places) -> bytes:
    lines, note = _parts(real.proofs[at])
    del lines[rng.randrange(3, len(lines))]
    return _joined(lines, note)


def hash_added(real: Real, at: int, rng: Places) -> bytes:
    lines, note = _parts(real.proofs[at])
    lines.insert(rng.randrange(3, len(lines) + 1), rng.choice([b64(rng.randbytes(32)), lines[-1]]))
    return _joined(lines, note)


def hash_altered(real: Real, at: int, rng: Places) -> bytes:
    lines, note = _parts(real.proofs[at])
    lines[rng.randrange(3, len(lines))] = b64(rng.randbytes(32))
    return _joined(lines, note)


def index_beyond(real: Real, at: int, rng: Places) -> bytes:
    lines, note = _parts(real.proofs[at])
    beyond = rng.choice([_size(note), _size(note) + at, 2**63 - 1, at + 2 ** (len(lines) - 3)])
    return _joined([*lines[:2], f"index {max(beyond, _size(note))}", *lines[3:]], note)


def interior_node(real: Real, at: int, rng: Places) -> bytes:
    """The 64 bytes below a node, passed off as a leaf one level up: only the prefixes differ."""
    lines, note = _parts(real.proofs[at])
    pair = [tree.leaf(real.entries[at & ~1]), tree.leaf(real.entries[at | 1])]
    text = b"".join(pair).decode("latin-1")
    changed = _with_extra(lines, leaf=text, disclosures=[])
    return _joined([*changed[:2], f"index {at >> 1}", *changed[4:]], note)


def foreign_checkpoint(real: Real, at: int, rng: Places) -> bytes:
    """Another head of the very same log, honestly signed, under this path."""
    lines, note = _parts(real.proofs[at])
    others = [head for size, head in real.heads.items() if size != _size(note)]
    history = real.signed([*real.entries[: rng.randrange(at + 1, real.size)]])
    return _joined(lines, rng.choice([*others, history.checkpoint()]))


def _size(note: bytes) -> int:
    return int(note.split(b"\n")[1])


def other_salt(real: Real, at: int, rng: Places) -> bytes:
    return _reopened(real, at, rng, lambda _, name, value: (b64(rng.randbytes(18)), name, value))


def other_value(real: Real, at: int, rng: Places) -> bytes:
    return _reopened(real, at, rng, lambda salt, name, _: (salt, name, "nobody"))


def other_name(real: Real, at: int, rng: Places) -> bytes:
    return _reopened(real, at, rng, lambda salt, name, value: (salt, f"{name}x", value))


def of_another_entry(real: Real, at: int, rng: Places) -> bytes:
    lines, note = _parts(real.proofs[at])
    other = rng.choice([index for index in real.own if index != at])
    return _joined(_with_extra(lines, disclosures=[rng.choice(real.own[other])]), note)


def _reopened(real: Real, at: int, rng: Places, change: Callable[..., tuple[object, ...]]) -> bytes:
    lines, note = _parts(real.proofs[at])
    opened = list(real.own[at])
    which = rng.randrange(len(opened))
    salt, name, value = json.loads(service.b64url_bytes(opened[which]))
    opened[which] = service.b64url(canonical(list(change(salt, name, value))))
    return _joined(_with_extra(lines, disclosures=sorted(opened)), note)


LENGTH = "the inclusion path is too"
TABLE: dict[str, tuple[Attack, str]] = {
    "21 proof for another entry: leaf hash": (another_entry, PATH),
    "21 proof for another index: path": (another_index, f"{PATH}|{LENGTH}"),
    "21 hash dropped: exact length": (hash_dropped, f"{LENGTH} short|{PATH}"),
    "21 hash added: exact length": (hash_added, f"{LENGTH} long"),
    "21 hash altered: root": (hash_altered, PATH),
    "21 index beyond the size: refused": (index_beyond, "is outside a tree of"),
    "21 interior node as a leaf: prefixes 0x00 and 0x01": (
        interior_node,
        f"{PATH}|{LENGTH}|canonical",
    ),
    "21 foreign checkpoint: path and root": (foreign_checkpoint, f"{PATH}|{LENGTH}|is outside"),
    "27 disclosure with another salt: digest": (other_salt, "does not belong to the entry"),
    "27 disclosure with another value: digest": (other_value, "does not belong to the entry"),
    "27 disclosure with another name: digest": (other_name, "does not belong to the entry"),
    "27 disclosure of another entry: digest": (of_another_entry, "does not belong to the entry"),
}


@pytest.mark.parametrize(("attack", "reasons"), TABLE.values(), ids=TABLE)
def test_a_proof_notices(
    real: Real, check: Check, rng: Places, tmp_path: Path, attack: Attack, reasons: str
) -> None:
    kept = sorted(real.own)
    saved = tmp_path / "entry.tlog-proof"
    for at in [rng.choice(kept) for _ in range(PLACES)]:
        saved.write_bytes(real.proofs[at])
        assert check("proof", saved)[0] == 0, "unattacked, it holds"
        saved.write_bytes(attack(real, at, rng))
        status, printed = check("proof", saved)
        assert status == 1
        assert any(reason in printed for reason in reasons.split("|")), printed
