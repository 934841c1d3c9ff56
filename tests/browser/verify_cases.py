"""Proofs, honest and broken, for both verifiers to agree about.

Each case is a file a reader may hold. The honest ones say so; what the others get wrong is their
name. Nothing here knows how either verifier works.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.reference_log import START, Log, Signer, b64, b64url, canonical, disclosure, entry

PURPOSE = disclosure("application", "freight-desk")
NESTED = disclosure("reason", ["a", {"b": 1}, "\u00f6\u2028\x7f"], b"t" * 16)
DECISION = {"decision_id": "d", "cells": []}
DECIDED = disclosure("decision", hashlib.sha256(canonical(DECISION)).hexdigest())
HOUR = START // 3600 * 3600
AT, DECIDED_AT = 4, 9


def _disclosing(number: int) -> bytes:
    return entry(number, disclosures=[PURPOSE, NESTED])


LEAVES = [
    *(_disclosing(number) for number in range(DECIDED_AT)),
    entry(DECIDED_AT, "consent:decided", at=HOUR, disclosures=[DECIDED]),
    *(entry(number) for number in range(DECIDED_AT + 1, 300)),
]
LOG = Log(LEAVES)
PROOF = LOG.proof(AT, [PURPOSE]).decode()


@dataclass(frozen=True, slots=True)
class Case:
    """A file, what its reader trusts, and whether it holds."""

    name: str
    holds: bool
    file: bytes
    command: str = "proof"
    vkeys: str = LOG.vkeys
    policy: str = ""


def cases_of_files() -> list[Case]:
    """Return the cases in which the proof itself is right or wrong."""
    return [
        *_honest(),
        *_changed_proofs(),
        *_irregular_leaves(),
        *_irregular_disclosures(),
    ]


def _honest() -> Iterator[Case]:
    for at in (0, 1, AT, DECIDED_AT, 255, 256, 299):
        yield Case(f"entry {at}", True, LOG.proof(at))
    yield Case("with disclosures", True, LOG.proof(AT, [PURPOSE]))
    yield Case("a log of one entry", True, Log(LEAVES[:1]).proof(0))
    yield Case("a log of two", True, Log(LEAVES[:2]).proof(1))
    strangers = "".join(Signer(f"s{n}.example", 1).line(LOG.body()) for n in range(16))
    yield Case("signatures of strangers", True, LOG.proof(1) + strangers.encode())
    alone = Log(LEAVES, signers=LOG.signers[:1]).proof(AT)
    yield Case("Ed25519 alone", True, alone)
    yield Case("the post-quantum key alone", True, Log(LEAVES, signers=[LOG.signers[1]]).proof(AT))
    yield Case("a policy that is met", True, LOG.proof(AT), policy=LOG.policy)
    text = LOG.vkeys.replace("\n", "\r\n") + "\n# a comment\n\n"
    yield Case("keys with comments", True, LOG.proof(AT), vkeys=text)


def _extra(change: Callable[[dict[str, Any]], Any], proof: str = PROOF) -> bytes:
    lines = proof.split("\n")
    extra = json.loads(base64.b64decode(lines[1].removeprefix("extra ")))
    changed = change(extra)
    body = changed if isinstance(changed, bytes) else canonical(changed)
    lines[1] = "extra " + b64(body)
    return "\n".join(lines).encode()


def _line(number: int, change: Callable[[str], str | None]) -> bytes:
    lines: list[str | None] = list(PROOF.split("\n"))
    lines[number] = change(str(lines[number]))
    return "\n".join(line for line in lines if line is not None).encode()


def _twin(line: str) -> str:
    """Spell the same bytes with another leftover bit."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return line[:-2] + letters[letters.index(line[-2]) ^ 1] + "="


def _changed_proofs() -> Iterator[Case]:
    head = PROOF.partition("\n\n")[0]
    forged = disclosure("application", "payroll")
    changed = {
        "another entry": _extra(lambda extra: extra | {"leaf": LEAVES[5].decode()}),
        "another letter": _extra(lambda e: e | {"leaf": e["leaf"].replace("allow", "denyy", 1)}),
        "a forged disclosure": _extra(lambda extra: extra | {"disclosures": [forged]}),
        "a disclosure twice": _extra(lambda extra: extra | {"disclosures": [PURPOSE, PURPOSE]}),
        "disclosures that are no list": _extra(lambda extra: extra | {"disclosures": PURPOSE}),
        "a disclosure that is no text": _extra(lambda extra: extra | {"disclosures": [1]}),
        "something more": _extra(lambda extra: extra | {"note": "trust me"}),
        "no disclosures at all": _extra(lambda extra: {"leaf": extra["leaf"]}),
        "a list for an object": _extra(lambda extra: [extra]),
        "a leaf that is no text": _extra(lambda extra: extra | {"leaf": 1}),
        "a lone surrogate": _extra(lambda _: b'{"disclosures":[],"leaf":"\\ud800"}'),
        "extra in another order": _extra(
            lambda e: b'{"leaf":%s,"disclosures":[]}' % canonical(e["leaf"])
        ),
        "a spare blank in extra": _line(1, lambda line: line + " "),
        "two extras": _line(1, lambda line: f"{line}\n{line}"),
        "no extra": _line(1, lambda _: None),
        "another index": _line(2, lambda _: "index 5"),
        "an index with a leading zero": _line(2, lambda _: "index 04"),
        "an index with a sign": _line(2, lambda _: "index +4"),
        "an index in other digits": _line(2, lambda _: "index \u0664"),
        "an index beyond the log": _line(2, lambda _: "index 300"),
        "an index beyond 2^63": _line(2, lambda _: f"index {2**63 + 4}"),
        "an index beyond 2^53": _line(2, lambda _: f"index {2**53 + 4}"),
        "no index": _line(2, lambda _: None),
        "a step dropped": _line(3, lambda _: None),
        "a step doubled": _line(3, lambda line: f"{line}\n{line}"),
        "a step that is no hash": _line(3, lambda _: "AAAA"),
        "a step with a leftover bit": _line(3, _twin),
        "a step without padding": _line(3, lambda line: line.rstrip("=")),
        "a step with a blank": _line(3, lambda line: f" {line}"),
        "a step in base64url": _line(3, lambda _: b64url(b"\xfb" * 32) + "="),
        "seventy steps": _line(3, lambda line: "\n".join([line] * 70)),
        "lines that end otherwise": PROOF.replace("\n", "\r\n").encode(),
        "a byte order mark": b"\xef\xbb\xbf" + PROOF.encode(),
        "another version": _line(0, lambda _: "c2sp.org/tlog-proof@v2"),
        "no checkpoint": f"{head}\n\n".encode(),
        "no gap": PROOF.replace("\n\n", "\n").encode(),
        "an older checkpoint": f"{head}\n\n".encode() + LOG.checkpoint(299),
        "trailing bytes": PROOF.encode() + b"x",
        "a trailing line": PROOF.encode() + b"\n",
        "another log": PROOF.replace("log.example", "lag.example").encode(),
        "what is not UTF-8": PROOF.encode() + b"\xe2\x80\x94 x\xff AAAAAAAA\n",
        "nothing": b"",
        "two megabytes": PROOF.encode() + b"\n" * 2_000_000,
    }
    for name, file in changed.items():
        yield Case(name, False, file)
    for at in range(0, len(PROOF.encode()), 211):
        data = bytearray(PROOF.encode())
        data[at] ^= 1
        yield Case(f"byte {at} flipped", False, bytes(data))


def _of_leaf(leaf: bytes, disclosures: tuple[str, ...] = ()) -> bytes:
    """Return an honest proof of a leaf that should not be."""
    return Log([*LEAVES[:3], leaf]).proof(3, list(disclosures))


def _leaf(**changes: Any) -> bytes:
    fields = json.loads(_disclosing(3)) | changes
    return canonical({name: value for name, value in fields.items() if value is not None})


def _irregular_leaves() -> Iterator[Case]:
    fields = json.loads(_disclosing(3))
    digests, tag = fields["_sd"], fields["tag"]
    leaves = {
        "a blank behind it": _leaf() + b" ",
        "a name twice": _leaf().replace(b'"v":1', b'"v":1,"v":1'),
        "a fraction": _leaf().replace(b'"v":1', b'"v":1.0'),
        "an exponent": _leaf().replace(b'"v":1', b'"v":1e0'),
        "minus zero": _leaf(n=0).replace(b'"n":0', b'"n":-0'),
        "not a number": _leaf().replace(b'"v":1', b'"v":NaN'),
        "a needless escape": _leaf().replace(b"access", b"\\u0061ccess"),
        "a name of two letters": canonical({"é": 1} | fields),
        "a number beyond 2^53": _leaf(n=2**53),
        "brackets": b"[" * 5_000,
        "an empty list": b"[]",
        "a person in clear": _leaf(subject="mira"),
        "no tag": _leaf(tag=None),
        "a tag of another form": _leaf(tag=tag | {"s": tag["s"] * 2}),
        "a short tag": _leaf(tag=tag | {"s": ["AAAA"]}),
        "version 2": _leaf(v=2),
        "version true": _leaf(v=True),
        "an unknown event": _leaf(ev="access:stolen"),
        "an event that is a list": _leaf(ev=["access:allowed"]),
        "an unknown decision": _leaf(dec="maybe"),
        "a time without milliseconds": _leaf(t="2026-11-21T07:38:11Z"),
        "a thirteenth month": _leaf(t="2026-13-21T07:38:11.123Z"),
        "the 30th of February": _leaf(t="2026-02-30T07:38:11.123Z"),
        "an hour too many": _leaf(t="2026-02-03T24:00:00.000Z"),
        "the year 0": _leaf(t="0000-02-03T07:38:11.123Z"),
        "a time that is a number": _leaf(t=1),
        "an id of another form": _leaf(id="nobody"),
        "an id in capitals": _leaf(id="7C6A3A8E-CF58-5E71-8987-5A59385334F7"),
        "digests in another order": _leaf(_sd=digests[::-1]),
        "a digest twice": _leaf(_sd=sorted([*digests[:-1], digests[0]])),
        "seven digests": _leaf(_sd=digests[1:]),
        "no digests": _leaf(_sd=[]),
        "a short digest": _leaf(_sd=["short"]),
        "digests that are no list": _leaf(_sd={}),
        "a count that is text": _leaf(n="1"),
        "a purpose that is a number": _leaf(pur=7),
        "a policy of another form": _leaf(pol={"id": "x"}),
        "a shy act with a purpose": _leaf(ev="consent:decided", dec="n/a", pur="train"),
        "a shy act with a time": entry(3, "consent:decided"),
        "a shy act of eight digests": _leaf(
            ev="consent:decided", dec="n/a", t="2026-11-21T07:00:00.000Z"
        ),
        "a genesis without keys": _leaf(ev="log:genesis", origin="log.example/remit"),
        "too long": _leaf(act="x" * 70_000),
    }
    for name, leaf in leaves.items():
        yield Case(f"leaf: {name}", False, _of_leaf(leaf))
    policy = {"id": "freight-desk", "ver": 2, "sha256": "ab" * 32}
    spoken: dict[str, dict[str, Any]] = {
        "all that may stand in clear": {"act": "read", "n": 3, "pur": "train", "pol": policy},
        "other letters": {"act": "gr\u00f6\u00dfe \u2028 \U0001f600 \x7f \x1f\b\t\n' \\"},
        "less than nothing": {"n": -5},
    }
    for name, clear in spoken.items():
        yield Case(f"leaf: {name}", True, _of_leaf(_leaf(**clear)))


def _irregular_disclosures() -> Iterator[Case]:
    texts = {
        "a name of the leaf": disclosure("role", "x"),
        "no name": disclosure("", "x"),
        "a short salt": disclosure("application", "x", b"short"),
        "padding": PURPOSE + "=",
        "two parts": b64url(b'["c2FsdHNhbHRzYWx0c2FsdA","b"]'),
        "a blank inside": b64url(b'[ "c2FsdHNhbHRzYWx0c2FsdA","b","c"]'),
        "a fraction": b64url(b'["c2FsdHNhbHRzYWx0c2FsdA","b",1.5]'),
        "an object": b64url(b"{}"),
        "seventeen lists": disclosure("a", json.loads("[" * 17 + "]" * 17)),
        "U+0000": disclosure("a", "\0"),
        "names that are no ASCII": disclosure("a", {"ä": 1}),
    }
    for name, text in texts.items():
        leaf = entry(3, disclosures=[text], role="employee")
        yield Case(f"disclosure: {name}", False, _of_leaf(leaf, (text,)))
    whole = disclosure("a", {"list": [None, True, "é", -1]})
    yield Case("disclosure: of any shape", True, _of_leaf(entry(3, disclosures=[whole]), (whole,)))
    yield Case("disclosures: both", True, LOG.proof(AT, [PURPOSE, NESTED]))
