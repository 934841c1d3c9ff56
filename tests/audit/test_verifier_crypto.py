"""Hashes and signatures of the verifier against published vectors and other implementations."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.verifier import ed25519, merkle, mldsa44
from audit.verifier.errors import NotVerifiedError
from tests import reference_tree as tree

VECTORS = Path(__file__).parent.parent / "vectors"
ORDER = 2**252 + 27742317777372353535851937790883648493
P = 2**255 - 19


@pytest.mark.parametrize("vector", json.loads((VECTORS / "rfc8032.json").read_text()))
def test_rfc_8032_signatures_hold_and_changed_ones_do_not(vector: dict[str, str]) -> None:
    public, message, signature = (
        bytes.fromhex(vector[name]) for name in ("public", "message", "signature")
    )
    assert ed25519.is_valid(public=public, message=message, signature=signature)
    assert not ed25519.is_valid(public=public, message=message + b"!", signature=signature)
    changed = bytes([signature[0] ^ 1]) + signature[1:]
    assert not ed25519.is_valid(public=public, message=message, signature=changed)


def test_a_second_spelling_of_an_ed25519_signature_is_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"m")
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    malleable = signature[:32] + scalar.to_bytes(32, "little")
    assert ed25519.is_valid(public=public, message=b"m", signature=signature)
    assert not ed25519.is_valid(public=public, message=b"m", signature=malleable)


@pytest.mark.parametrize(
    "public",
    [
        pytest.param((1).to_bytes(32, "little"), id="neutral"),
        pytest.param(bytes(32), id="order 4"),
        pytest.param((P - 1).to_bytes(32, "little"), id="order 2"),
        pytest.param((P + 1).to_bytes(32, "little"), id="y beyond p"),
        pytest.param((1 | 1 << 255).to_bytes(32, "little"), id="minus zero"),
        pytest.param((2).to_bytes(32, "little"), id="not on the curve"),
        pytest.param(b"\x01" * 31, id="short"),
    ],
)
def test_a_key_under_which_signatures_mean_nothing_is_refused(public: bytes) -> None:
    # R = neutral and S = 0 satisfy the equation for the neutral key and any message.
    signature = (1).to_bytes(32, "little") + bytes(32)
    assert not ed25519.is_valid(public=public, message=b"m", signature=signature)


@settings(max_examples=40, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300))
def test_ed25519_agrees_with_openssl(seed: bytes, message: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert ed25519.is_valid(public=public, message=message, signature=signature)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    message=st.binary(max_size=300),
    bit=st.integers(0, 2420 * 8 - 1),
)
def test_ml_dsa_44_agrees_with_openssl_and_notices_each_bit(
    seed: bytes, message: bytes, bit: int
) -> None:
    key = MLDSA44PrivateKey.from_seed_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert mldsa44.is_valid(public=public, message=message, signature=signature)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    assert not mldsa44.is_valid(public=public, message=message, signature=bytes(changed))
    assert not mldsa44.is_valid(public=public, message=message + b"!", signature=signature)


def test_an_ml_dsa_hint_has_one_spelling() -> None:
    key = MLDSA44PrivateKey.from_seed_bytes(b"\x01" * 32)
    public, signature = key.public_key().public_bytes_raw(), bytearray(key.sign(b"m"))
    used = signature[-1]
    assert used < 80, "the padding that this test writes to must exist"
    signature[-84 + used] = 7
    assert not mldsa44.is_valid(public=public, message=b"m", signature=bytes(signature))


def test_the_published_roots_come_out() -> None:
    vectors = json.loads((VECTORS / "rfc6962.json").read_text())
    leaves = [bytes.fromhex(leaf) for leaf in vectors["leaves"]]
    for size, root in enumerate(vectors["roots"]):
        assert merkle.root_of(merkle.leaf_hashes(leaves[:size])).hex() == root
        assert tree.root(leaves[:size]).hex() == root


def test_every_inclusion_and_consistency_proof_up_to_40_entries_holds() -> None:
    entries = [b"%d" % number for number in range(40)]
    for size in range(1, 41):
        root = tree.root(entries[:size])
        for index in range(size):
            merkle.check_inclusion(
                leaf=tree.leaf(entries[index]),
                index=index,
                size=size,
                path=tree.inclusion(index, entries[:size]),
                root=root,
            )
        for old in range(size + 1):
            merkle.check_consistency(
                old_size=old,
                old_root=tree.root(entries[:old]),
                new_size=size,
                new_root=root,
                path=tree.consistency(old, entries[:size]),
            )


@given(data=st.data())
def test_a_proof_holds_for_its_own_entry_index_and_size_only(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    entries = [b"%d" % number for number in range(size)]
    index, other = data.draw(st.permutations(range(size)))[:2]
    path = tree.inclusion(index, entries)
    root, leaf = tree.root(entries), tree.leaf(entries[index])
    wrong: list[dict[str, Any]] = [
        {"leaf": tree.leaf(entries[other])},
        {"index": other},
        {"index": size},
        {"path": path[:-1]},
        {"path": [*path, root]},
        {"root": tree.root(entries[:-1])},
        {"leaf": root, "path": []},
    ]
    for change in wrong:
        told: dict[str, Any] = {"leaf": leaf, "index": index, "size": size}
        told |= {"path": path, "root": root}
        with pytest.raises(NotVerifiedError):
            merkle.check_inclusion(**(told | change))


@given(data=st.data())
def test_a_rewritten_past_is_never_consistent(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, size))
    entries = [b"%d" % number for number in range(size)]
    rewritten = list(entries)
    rewritten[data.draw(st.integers(0, old - 1))] = b"rewritten"
    for path in (tree.consistency(old, rewritten), tree.consistency(old, entries)):
        with pytest.raises(NotVerifiedError):
            merkle.check_consistency(
                old_size=old,
                old_root=tree.root(entries[:old]),
                new_size=size,
                new_root=tree.root(rewritten),
                path=path,
            )
