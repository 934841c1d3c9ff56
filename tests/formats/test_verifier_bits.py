"""Any flipped bit, in any file that a verifier reads, is noticed."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.verifier.checkpoint import Trust, accept
from audit.verifier.encoding import canonical_json, parse_canonical
from audit.verifier.errors import NotVerifiedError, UnreachableError
from audit.verifier.keys import parse_vkeys
from audit.verifier.merkle import check_consistency
from audit.verifier.mirror import TileTree, read_checkpoint
from audit.verifier.policy import parse_policy
from audit.verifier.receipt import check_receipt
from audit.verifier.rules import Rules
from audit.verifier.scan import Frontier, Scan
from audit.verifier.tlogproof import check_proof
from tests import reference_tree as tree
from tests.reference_log import START, Log, disclosure, entry

OPENED = disclosure("application", "freight-desk")
LOG = Log([entry(number, disclosures=[OPENED]) for number in range(300)])
FILES = LOG.files()
TRUST = Trust(keys=tuple(parse_vkeys(LOG.vkeys)))
PROOF = LOG.proof(77, [OPENED])


class Files:
    """A log in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def read(self, path: str, limit: int) -> bytes:
        if path not in self._files:
            raise UnreachableError(f"{path} is missing")
        return self._files[path][:limit]


def _flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _scan(files: dict[str, bytes]) -> None:
    source = Files(files)
    Scan(
        source=source,
        checkpoint=accept(read_checkpoint(source), TRUST),
        rules=Rules(origin=LOG.origin, longest_delay=86400, no_later_than=START + 4000),
        frontier=Frontier(),
    ).run()


# One base64 letter of an unknown key's line may change unseen; here every key is known. A bit in a
# signer's name or key id makes it a stranger: then the statement lacks a signature, not a truth.
def _same_statement(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    return text.startswith(LOG.body() + "\n") and text.count("\u2014") <= 3


@settings(max_examples=400, deadline=None)
@given(bit=st.integers(0, len(PROOF) * 8 - 1))
def test_a_flipped_bit_in_a_proof_is_noticed(bit: int) -> None:
    changed = _flip(PROOF, bit)
    try:
        proved = check_proof(changed, TRUST)
    except NotVerifiedError:
        return
    signed = len(proved.checkpoint.signers) + len(proved.checkpoint.witnesses)
    assert signed < 3, "all signatures hold over changed bytes"
    assert proved.leaf.fields == json.loads(LOG.entries[77])
    assert _same_statement(changed.partition(b"\n\n")[2])


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_in_a_log_is_noticed(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(FILES)))
    bit = data.draw(st.integers(0, len(FILES[path]) * 8 - 1))
    changed = {**FILES, path: _flip(FILES[path], bit)}
    try:
        _scan(changed)
    except NotVerifiedError:
        return
    assert path == "checkpoint"
    checkpoint = accept(changed[path], TRUST)
    assert len(checkpoint.signers) + len(checkpoint.witnesses) < 3
    assert _same_statement(changed[path])


def test_the_unchanged_files_pass() -> None:
    _scan(dict(FILES))
    assert check_proof(PROOF, TRUST).index == 77


@settings(max_examples=60, deadline=None)
@given(old=st.integers(0, 300), new=st.integers(1, 300))
def test_paths_from_tiles_are_those_of_the_rfc(old: int, new: int) -> None:
    old, new = sorted((old, new))
    entries = LOG.entries[:new]
    tiles = TileTree(Files(dict(Log(entries).files())), new)
    assert tiles.consistency_path(old) == ([] if old == new else tree.consistency(old, entries))
    check_consistency(
        old_size=old,
        old_root=tree.root(entries[:old]),
        new_size=new,
        new_root=tree.root(entries),
        path=tiles.consistency_path(old),
    )


@settings(max_examples=200, deadline=None)
@given(junk=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
def test_junk_raises_our_own_error_and_no_other(junk: bytes) -> None:
    readers = (
        lambda data: accept(data, TRUST),
        lambda data: check_proof(data, TRUST),
        lambda data: check_proof(b"c2sp.org/tlog-proof@v1\n" + data, TRUST),
        lambda data: check_receipt(data, TRUST),
        lambda data: check_receipt(b'{"transparency":{"proof":' + data + b"}}", TRUST),
        lambda data: parse_vkeys(data.decode("utf-8", "replace")),
        parse_policy,
    )
    for reader in readers:
        with pytest.raises(NotVerifiedError):
            reader(junk)


_NAMES = st.text(st.characters(max_codepoint=126, exclude_characters="\0"), max_size=6)
_WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(value=_VALUES)
def test_the_canonical_form_is_the_one_of_rfc_8785(value: object) -> None:
    import rfc8785

    data = canonical_json(value)
    assert data == rfc8785.dumps(value)  # type: ignore[arg-type] # JSON by construction.
    assert parse_canonical(data, "it") == value
    spaced = json.dumps(value, indent=1).encode()
    if spaced != data:
        with pytest.raises(NotVerifiedError):
            parse_canonical(spaced, "it")
