"""The tree and its tiles against RFC 6962 written down once more, naively."""

import os
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import tree
from audit.errors import ForkError, TileError
from audit.frontier import Frontier
from audit.tiles import WIDTH, TileStore, bundle, tile_path, unbundle
from audit.verifier.errors import NotVerifiedError
from audit.verifier.merkle import check_inclusion

LEAVES = [f"leaf {number}".encode() for number in range(1500)]
HASHES = [tree.leaf_hash(body) for body in LEAVES]


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, as it stands there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def node(level: int, index: int) -> bytes:
    start = index << level
    return tree.perfect_root(HASHES[start : start + (1 << level)])


@given(st.integers(0, len(LEAVES)))
def test_roots_are_those_of_the_rfc(size: int) -> None:
    assert tree.root(node, size) == naive_root(LEAVES[:size])


@given(st.data())
def test_inclusion_proofs_hold_for_their_leaf_alone(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    root, proof = tree.root(node, size), tree.inclusion_proof(node, index, size)

    def holds(at: int, path: Sequence[bytes], leaf: bytes = HASHES[index]) -> bool:
        return tree.is_included(leaf=leaf, index=at, size=size, tree_root=root, proof=path)

    assert holds(index, proof)
    check_inclusion(leaf=HASHES[index], index=index, size=size, path=tuple(proof), root=root)
    assert not holds(index, [*proof, bytes(32)])
    assert not holds(index, proof, leaf=bytes(32))
    assert not holds(size, proof)
    if proof:
        assert not holds(index, proof[:-1])
        assert not holds(index ^ 1, proof)
        with pytest.raises(NotVerifiedError):
            check_inclusion(
                leaf=HASHES[index], index=index, size=size, path=tuple(proof[1:]), root=root
            )


@given(st.integers(0, len(LEAVES)), st.integers(0, len(LEAVES)))
def test_consistency_proofs_hold_for_a_past_that_was(one: int, two: int) -> None:
    old, size = sorted((one, two))
    proof = tree.consistency_proof(node, old, size)
    old_root, new_root = tree.root(node, old), tree.root(node, size)

    def holds(past: bytes, path: Sequence[bytes]) -> bool:
        return tree.is_consistent(old=old, old_root=past, size=size, new_root=new_root, proof=path)

    assert holds(old_root, proof)
    assert not holds(old_root, [*proof, bytes(32)])
    if old:
        assert not holds(bytes(32), proof)
    if proof:
        assert not holds(old_root, proof[:-1])
        assert not holds(old_root, [bytes(32), *proof[1:]])
    assert not tree.is_consistent(
        old=size + 1, old_root=new_root, size=size, new_root=new_root, proof=()
    )


@pytest.mark.parametrize(
    ("index", "width", "path"),
    [
        (0, 256, "tile/0/000"),
        (5, 7, "tile/0/005.p/7"),
        (1234067, 256, "tile/0/x001/x234/067"),
        (1234067, 1, "tile/0/x001/x234/067.p/1"),
        (1000, 256, "tile/0/x001/000"),
    ],
)
def test_paths_are_those_of_tlog_tiles(index: int, width: int, path: str) -> None:
    assert tile_path(0, index, width) == path


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_tiles_written_in_any_steps_hold_every_tree_on_the_way(steps: list[int]) -> None:
    with tempfile.TemporaryDirectory() as where:
        store, size, seen = TileStore(Path(where)), 0, []
        for step in steps:
            size = grow(store, size, min(size + step, len(LEAVES)))
            seen.append(size)
            assert tree.root(store.node(size), size) == naive_root(LEAVES[:size])
        for old in seen:
            proof = tree.consistency_proof(store.node(size), old, size)
            assert tree.is_consistent(
                old=old,
                old_root=naive_root(LEAVES[:old]),
                size=size,
                new_root=naive_root(LEAVES[:size]),
                proof=proof,
            )


def grow(store: TileStore, old: int, new: int) -> int:
    start = old - old % WIDTH
    frontier = Frontier(store)
    frontier.load(start)
    frontier.append(LEAVES[start:new], HASHES[start:new])
    frontier.lay_parts()
    assert frontier.root() == naive_root(LEAVES[:new])
    return frontier.size


def test_size_256_is_a_full_tile_and_one_hash_above_it(tmp_path: Path) -> None:
    grow(TileStore(tmp_path), 0, 256)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"tile/0/000", "tile/1/000.p/1", "tile/entries/000"}
    assert (tmp_path / "tile/0/000").stat().st_size == 8192


def test_a_file_is_never_written_with_other_bytes(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    grow(store, 0, 300)
    grow(store, 0, 300)
    for leaf, hashed in ((b"other", HASHES[0]), (LEAVES[0], os.urandom(32))):
        with pytest.raises(ForkError):
            Frontier(store).append([leaf, *LEAVES[1:300]], [hashed, *HASHES[1:300]])
    assert store.hashes(0, 0, 256) == HASHES[:256]


def test_what_is_missing_or_cut_is_an_error(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    grow(store, 0, 300)
    (tmp_path / "tile/1/000.p/1").unlink()
    assert tree.root(store.node(300), 300) == naive_root(LEAVES[:300])
    path = tmp_path / "tile/0/001.p/44"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TileError):
        store.hashes(0, 1, 44)
    path.unlink()
    with pytest.raises(TileError):
        store.hashes(0, 1, 44)
    with pytest.raises(TileError):
        store.leaves(2, 1)
    with pytest.raises(ValueError, match="outside"):
        tree.inclusion_proof(node, 5, 5)
    with pytest.raises(ValueError, match="outside"):
        tree.consistency_proof(node, 6, 5)


def test_a_bundle_with_a_byte_too_few_or_too_many_is_refused() -> None:
    data = bundle([b"one", b""])
    assert unbundle(data) == [b"one", b""]
    for broken in (data[:-1], data + b"\x00", data + b"\x00\x05abc"):
        with pytest.raises(TileError):
            unbundle(broken)
