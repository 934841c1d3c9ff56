"""Notes, keys, checkpoints and policies: what is accepted, and each of the ways to be refused."""

import json
from pathlib import Path

import pytest

from audit.verifier.checkpoint import Trust, accept, parse_tree
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import parse_vkey, parse_vkeys
from audit.verifier.note import parse_note, verified
from audit.verifier.policy import Policy, parse_policy
from tests.reference_log import SEED, START, Log, Signer, b64, entry

NOTES = json.loads((Path(__file__).parent.parent / "vectors" / "notes.json").read_text())
LOG = Log([entry(number) for number in range(5)])
TRUST = Trust(keys=tuple(parse_vkeys(LOG.vkeys)))


def test_the_published_note_verifies_under_its_published_key() -> None:
    vector = NOTES["peter_neumann"]
    key = parse_vkey(vector["vkey"])
    note = parse_note(vector["note"].encode())
    assert [by.key for by in verified(note, keys=[key])] == [key]
    changed = parse_note(vector["note"].replace("answer", "Answer").encode())
    with pytest.raises(NotVerifiedError, match="signature of PeterNeumann is not valid"):
        verified(changed, keys=[key])


def test_the_text_ends_at_the_last_empty_line() -> None:
    note = parse_note(NOTES["quasimodo"]["note"].encode())
    assert note.text.endswith("sole:\n\ned è subito sera.\n")
    assert [one.name for one in note.signatures] == ["quasimodo.example/salvatore"]


def test_the_published_checkpoint_parses_and_unknown_keys_prove_nothing() -> None:
    data = NOTES["behind_the_sofa"]["note"].encode()
    assert parse_tree(parse_note(data)).size == 20852163
    assert verified(parse_note(data), keys=TRUST.keys) == []
    with pytest.raises(NotVerifiedError, match="no trusted key"):
        accept(data, TRUST)


def test_an_honest_checkpoint_names_log_and_witness() -> None:
    checkpoint = accept(LOG.checkpoint(), TRUST)
    assert [by.key.type for by in checkpoint.signers] == [1, 6]
    assert [by.key.name for by in checkpoint.witnesses] == ["witness.example/one"]
    assert checkpoint.witnessed_at == START + 3600


def test_sixteen_signatures_of_strangers_are_no_hindrance() -> None:
    strangers = [Signer(f"stranger{number}.example", 1) for number in range(16)]
    data = LOG.checkpoint() + "".join(one.line(LOG.body()) for one in strangers).encode()
    assert accept(data, TRUST).size == 5


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("log.example/remit\n05\nROOT\n", "plain decimal"),
        ("log.example/remit\n5 \nROOT\n", "plain decimal"),
        ("log.example/remit\n-5\nROOT\n", "plain decimal"),
        ("log.example/remit\n\u0665\nROOT\n", "plain decimal"),
        (f"log.example/remit\n{2**63}\nROOT\n", "plain decimal"),
        ("log.example/remit\n5\nROOT\nextension\n", "three lines"),
        ("log.example/remit\n5\n", "three lines"),
        ("log.example/remit\n5\nAAAA\n", "not a SHA-256 hash"),
        ("log.example/remit\n0\nROOT\n", "empty log"),
        ("other.example\n5\nROOT\n", "no trusted key"),
    ],
)
def test_a_signed_but_irregular_checkpoint_is_refused(body: str, reason: str) -> None:
    text = body.replace("ROOT", LOG.body().split("\n")[2])
    signed = f"{text}\n{LOG.signers[0].line(text)}".encode()
    with pytest.raises(NotVerifiedError, match=reason):
        accept(signed, TRUST)


def _first_line(text: str) -> str:
    return text[: text.index("\n", text.index("\u2014")) + 1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("\n5\n", "\n6\n", 1), "not valid"),
        (lambda text: text.split("\u2014")[0], "not signed"),
        (lambda text: text[:-1], "not signed"),
        (lambda text: text.replace("\n\n", "\n"), "not signed"),
        (lambda text: text.replace("\u2014 ", "- "), "malformed"),
        (lambda text: text.replace("\u2014 log", "\u2014  log"), "malformed"),
        (lambda text: text.replace("5\n", "5\r\n"), "control characters"),
        (lambda text: _first_line(text)[:-2] + "!\n", "base64"),
        (lambda text: text + "\u2014 x AAAA\n", "too short"),
        (lambda text: text + "\u2014 x AAAAAB==\n", "base64"),
        (lambda text: text + "\u2014 x AAAAAAAA\n" * 80, "too many"),
        (lambda text: text + "\u2014 x " + "A" * 600_000 + "\n", "too long"),
        (lambda text: text.split("\u2014")[0] + "\u2014 x AAAAAAAA\n", "no trusted key"),
    ],
)
def test_a_broken_note_is_refused(change: object, reason: str) -> None:
    assert callable(change)
    with pytest.raises(NotVerifiedError, match=reason):
        accept(change(LOG.checkpoint().decode()).encode(), TRUST)


def test_base64_with_leftover_bits_is_refused() -> None:
    text = LOG.checkpoint().decode()
    line = _first_line(text)
    assert line.endswith("=\n")
    letter = line[-3]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    twin = alphabet[alphabet.index(letter) ^ 1]
    with pytest.raises(NotVerifiedError, match="base64"):
        accept((line[:-3] + twin + "=\n").encode(), TRUST)


def test_one_bad_signature_of_a_known_key_rejects_the_note() -> None:
    body = LOG.body()
    lines = [signer.line(body) for signer in LOG.signers]
    for at, signer in enumerate(LOG.signers):
        wrong = signer.line(body.replace("\n5\n", "\n6\n"))
        text = body + "\n" + "".join([*lines[:at], wrong, *lines[at + 1 :]])
        with pytest.raises(NotVerifiedError, match=f"{signer.name} is not valid"):
            accept(text.encode(), TRUST)


def test_a_key_swapped_under_the_same_name_is_unknown() -> None:
    swapped = Log(LOG.entries, signers=[Signer(LOG.origin, 1, b"\x66" * 32)])
    with pytest.raises(NotVerifiedError, match="no trusted key"):
        accept(swapped.checkpoint(), TRUST)


def test_a_colliding_key_id_is_a_failed_signature() -> None:
    forger = Signer(LOG.origin, 1, b"\x66" * 32)
    body = LOG.body()
    line = f"\u2014 {LOG.origin} {b64(LOG.signers[0].id + forger.sign(body.encode()))}\n"
    with pytest.raises(NotVerifiedError, match="not valid"):
        accept(f"{body}\n{line}".encode(), TRUST)


def test_a_witness_cannot_stand_in_for_the_log() -> None:
    witness = LOG.signers[2]
    only = Log(LOG.entries, signers=[witness])
    with pytest.raises(NotVerifiedError, match="no trusted key"):
        accept(only.checkpoint(), TRUST)


@pytest.mark.parametrize(
    "vkey",
    [
        "name",
        "na me+00000000+AAAA",
        "+00000000+AAAA",
        f"{Signer('x', 1).vkey[:-1]}",
        Signer("x", 1).vkey.replace("x+", "y+", 1),
        f"x+{Signer('x', 1).id.hex().upper()}+{b64(bytes([1]) + Signer('x', 1).public)}",
        f"x+00000000+{b64(bytes([9]) + SEED)}",
        f"x+00000000+{b64(bytes([6]) + SEED)}",
        # A cosignature's message has one byte for the length of a name: 128 letters of two bytes.
        Signer("\u00e9" * 128, 6).vkey,
        f"\udcff+00000000+{b64(bytes([1]) + SEED)}",
    ],
)
def test_a_malformed_key_is_refused(vkey: str) -> None:
    with pytest.raises(NotVerifiedError):
        parse_vkey(vkey)


W = [Signer(f"w{number}.example", 4, bytes([number]) * 32) for number in range(1, 5)]
NAMED = "".join(f"witness w{at} {one.vkey}\n" for at, one in enumerate(W, 1))


def _policy(text: str) -> Policy:
    return parse_policy(f"log {LOG.signers[0].vkey}\n{NAMED}{text}".encode())


@pytest.mark.parametrize(
    ("rules", "enough", "too_few"),
    [
        ("quorum w1", [1], [2, 3, 4]),
        ("quorum none", [], None),
        ("group g any w1 w2\nquorum g", [2], [3]),
        ("group g all w1 w2\nquorum g", [1, 2], [1, 3, 4]),
        ("group g 2 w1 w2 w3\nquorum g", [1, 3], [1, 4]),
        ("# two houses\ngroup a 2 w1 w2 w3\n\tgroup b all a w4 \nquorum b", [1, 2, 4], [1, 2, 3]),
    ],
)
def test_a_quorum_counts_as_the_policy_says(
    rules: str, enough: list[int], too_few: list[int] | None
) -> None:
    policy = _policy(rules + "\n")
    trust = Trust(policy=policy)

    def cosigned(numbers: list[int]) -> bytes:
        signers = [LOG.signers[0], *(W[number - 1] for number in numbers)]
        return Log(LOG.entries, signers=signers).checkpoint()

    assert len(accept(cosigned(enough), trust).witnesses) == len(enough)
    if too_few is not None:
        with pytest.raises(NotVerifiedError, match="fewer witnesses"):
            accept(cosigned(too_few), trust)


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "quorum w9",
        "quorum w1\nquorum w2",
        "quorum w1 w2",
        "group g 0 w1\nquorum g",
        "group g 3 w1 w2\nquorum g",
        "group g 02 w1 w2\nquorum g",
        "group g \uff12 w1 w2\nquorum g",
        "group g any\nquorum g",
        "group g any w1 w1\nquorum g",
        "group g any g\nquorum g",
        "group g any none\nquorum g",
        "group none any w1\nquorum none",
        "group w1 any w2\nquorum w1",
        "group a any w1\ngroup b any w1 w2\nquorum b",
        "quorum g\ngroup g any w1",
        f"witness again {W[0].vkey}\nquorum w1",
        f"witness log {LOG.signers[0].vkey}\nquorum w1",
        f"log {W[0].vkey}\nquorum w1",
        f"log {LOG.signers[0].vkey}\nquorum w1",
        "trust w1\nquorum w1",
        "quorum w1\r",
    ],
)
def test_a_policy_that_is_not_understood_is_refused(rules: str) -> None:
    with pytest.raises(NotVerifiedError):
        _policy(rules + "\n")
