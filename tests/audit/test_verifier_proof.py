"""Proof files, leaves, disclosures and receipts: what holds, and what each change breaks."""

import base64
import hashlib
import json
import os
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import leaf as service_leaf
from audit.actions import SHY as SERVICE_SHY
from audit.actions import Action, Verdict
from audit.ids import uuid7
from audit.verifier.checkpoint import Trust
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import parse_vkeys
from audit.verifier.leaf import EVENTS, OWN, SHY, parse_leaf, read_carefully
from audit.verifier.mine import parse_key
from audit.verifier.receipt import check_receipt, pae
from audit.verifier.rules import open_disclosures
from audit.verifier.tlogproof import check_proof
from tests import reference_receipt
from tests.reference_log import START, Log, Signer, b64, canonical, digest, disclosure, entry

PURPOSE = disclosure("application", "freight-desk")
REASON = disclosure("reason", ["a", {"b": 1}], b"t" * 16)
RECEIPT_ID = "0199a1f0-4f00-7a55-9d10-6b1e2f9a7700"
DECISION = {"decision_id": "d", "cells": []}
DECIDED = disclosure("decision", hashlib.sha256(canonical(DECISION)).hexdigest())
HOUR = START // 3600 * 3600
LOG = Log(
    [
        *(entry(number, disclosures=[PURPOSE, REASON]) for number in range(9)),
        entry(9, "consent:decided", at=HOUR, disclosures=[DECIDED]),
        *(entry(number) for number in range(10, 14)),
    ]
)
TRUST = Trust(keys=tuple(parse_vkeys(LOG.vkeys)))


def test_a_proof_shows_the_entry_and_what_was_opened_of_it() -> None:
    proved = check_proof(LOG.proof(4, [PURPOSE, REASON]), TRUST)
    assert (proved.index, proved.leaf.event, proved.checkpoint.size) == (4, "access:allowed", 14)
    assert proved.details == {"application": "freight-desk", "reason": ["a", {"b": 1}]}
    assert check_proof(LOG.proof(4), TRUST).details == {}


def _extra(change: Callable[[dict[str, Any]], Any]) -> Callable[[str], str]:
    def apply(text: str) -> str:
        lines = text.split("\n")
        extra = json.loads(base64.b64decode(lines[1].removeprefix("extra ")))
        changed = change(extra) or extra
        lines[1] = "extra " + b64(canonical(changed))
        return "\n".join(lines)

    return apply


def _line(number: int, change: Callable[[str], str | None]) -> Callable[[str], str]:
    def apply(text: str) -> str:
        lines: list[str | None] = list(text.split("\n"))
        lines[number] = change(str(lines[number]))
        return "\n".join(line for line in lines if line is not None)

    return apply


CHANGES = {
    "another entry": _extra(lambda extra: extra | {"leaf": LOG.entries[5].decode()}),
    "another letter in it": _extra(
        lambda extra: extra | {"leaf": extra["leaf"].replace("allow", "deny_", 1)}
    ),
    "a forged disclosure": _extra(
        lambda extra: extra | {"disclosures": [disclosure("application", "payroll")]}
    ),
    "a disclosure twice": _extra(lambda extra: extra | {"disclosures": [PURPOSE, PURPOSE]}),
    "disclosures that are no list": _extra(lambda extra: extra | {"disclosures": PURPOSE}),
    "a disclosure that is no text": _extra(lambda extra: extra | {"disclosures": [1]}),
    "something more": _extra(lambda extra: extra | {"note": "trust me"}),
    "no disclosures at all": _extra(lambda extra: {"leaf": extra["leaf"]}),
    "a list for an object": _extra(lambda extra: [extra]),
    "a spare blank in extra": _line(1, lambda line: line + " "),
    "no extra": _line(1, lambda _: None),
    "another index": _line(2, lambda _: "index 5"),
    "an index with a leading zero": _line(2, lambda _: "index 04"),
    "an index beyond the log": _line(2, lambda _: "index 14"),
    "no index": _line(2, lambda _: None),
    "a step dropped": _line(3, lambda _: None),
    "a step doubled": _line(3, lambda line: f"{line}\n{line}"),
    "a step that is no hash": _line(3, lambda _: "AAAA"),
    "seventy steps": _line(3, lambda line: "\n".join([line] * 70)),
    "another version": _line(0, lambda _: "c2sp.org/tlog-proof@v2"),
    "no checkpoint": lambda text: text.split("\n\n")[0] + "\n\n",
    "an older checkpoint": lambda text: (
        text.split("\n\n")[0] + "\n\n" + LOG.checkpoint(13).decode()
    ),
    "another log": lambda text: text.replace("log.example", "lag.example"),
    "nothing": lambda _: "",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_proof_is_refused(change: Callable[[str], str]) -> None:
    honest = LOG.proof(4, [PURPOSE]).decode()
    assert check_proof(honest.encode(), TRUST).index == 4
    with pytest.raises(NotVerifiedError):
        check_proof(change(honest).encode(), TRUST)


def _leaf(**changes: Any) -> bytes:
    fields = json.loads(entry(3, disclosures=[PURPOSE])) | changes
    return canonical({name: value for name, value in fields.items() if value is not None})


SD = json.loads(entry(3, disclosures=[PURPOSE]))["_sd"]


@pytest.mark.parametrize(
    ("leaf", "reason"),
    [
        (_leaf() + b" ", "canonical"),
        (_leaf().replace(b'"v":1', b'"v":1,"v":1'), "canonical"),
        (_leaf().replace(b'"v":1', b'"v":1.0'), "whole number"),
        (_leaf().replace(b'"v":1', b'"v":1e0'), "whole number"),
        (_leaf().replace(b'"v":1', b'"v":NaN'), "whole number"),
        (_leaf().replace(b"access", b"\\u0061ccess"), "canonical"),
        (_leaf(n=2**53), "2\\^53"),
        (b"[" * 50_000, "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "profile"),
        (_leaf(subject="mira"), "profile"),
        (_leaf(tag=None), "profile"),
        (_leaf(v=2), "version"),
        (_leaf(ev="access:stolen"), "registry"),
        (_leaf(ev=["access:allowed"]), "registry"),
        (_leaf(dec="maybe"), "decision"),
        (_leaf(t="2026-11-21T07:38:11Z"), "time"),
        (_leaf(t="2026-13-21T07:38:11.123Z"), "does not exist"),
        (_leaf(t=1), "time"),
        (_leaf(id="nobody"), "UUID"),
        (_leaf(id=7), "UUID"),
        (_leaf(id="7C6A3A8E-CF58-5E71-8987-5A59385334F7"), "UUID in its one form"),
        (_leaf(_sd=SD[::-1]), "not sorted"),
        (_leaf(_sd=[SD[0], SD[0]]), "not unique"),
        (_leaf(_sd=["short"]), "malformed"),
        (_leaf(_sd={}), "malformed"),
        (_leaf(ev="consent:decided", dec="n/a", pur="train"), "more in clear"),
        (_leaf(ev="consent:decided", dec="allow"), "more in clear"),
        (_leaf(ev="consent:decided", dec="n/a"), "too exactly"),
        (_leaf(act="x" * 70_000), "too long"),
    ],
)
def test_an_irregular_leaf_is_refused(leaf: bytes, reason: str) -> None:
    with pytest.raises(NotVerifiedError, match=reason):
        parse_leaf(leaf)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (disclosure("application", "payroll"), "does not belong"),
        (disclosure("role", "x"), "no name of its own"),
        (disclosure("", "x"), "no name of its own"),
        (disclosure("application", "x", b"short"), "guessed"),
        (PURPOSE + "=", "base64url"),
        (base64.urlsafe_b64encode(b'["a","b"]').decode().rstrip("="), "salt, name and value"),
        (base64.urlsafe_b64encode(b'[ "a","b","c"]').decode().rstrip("="), "canonical"),
        ("é", "base64url"),
    ],
)
def test_an_irregular_disclosure_is_refused_even_when_committed_to(text: str, reason: str) -> None:
    committed = [] if reason == "does not belong" or not text.isascii() else [text]
    leaf = parse_leaf(entry(3, disclosures=committed, role="employee"))
    with pytest.raises(NotVerifiedError, match=reason):
        open_disclosures(leaf, [text])


def test_the_registry_is_the_services_own() -> None:
    assert set(Action) == EVENTS
    assert set(SERVICE_SHY) == SHY


@pytest.mark.parametrize("event", sorted(OWN))
def test_what_the_log_says_about_itself_says_all_of_it(event: str) -> None:
    with pytest.raises(NotVerifiedError, match="lacks a field"):
        parse_leaf(entry(3, event))


@pytest.mark.parametrize("action", sorted(set(Action) - OWN.keys()))
def test_the_services_leaves_are_accepted_whatever_they_say(action: Action) -> None:
    at = datetime(2026, 11, 21, 7, 38, 11, 123456, tzinfo=UTC)
    shy = action in SERVICE_SHY
    clear = service_leaf.Clear(
        uuid=uuid7(at),
        at=service_leaf.rounded_hour(at) if shy else at,
        action=action,
        verdict=Verdict.ALLOW,
        purpose="train-computer-use-agents",
        role="employee",
        act="read",
        count=12,
        policy=service_leaf.PolicyRef("freight-desk", 2, "ab" * 32),
    )
    text = service_leaf.disclose({"subject_seq": 3})[0]
    leaf = parse_leaf(
        service_leaf.build(clear, disclosures=[text], tag=service_leaf.no_tag(), shy=shy)
    )
    assert leaf == read_carefully(leaf.data)
    assert (leaf.uuid, leaf.event) == (str(clear.uuid), action.value)
    assert open_disclosures(leaf, [text]) == {"subject_seq": 3}


RECEIPT_KEY = Signer("log.example/remit/receipt", 1, b"\x0a" * 32)
RECEIPT_TRUST = Trust(keys=(*TRUST.keys, *parse_vkeys(RECEIPT_KEY.vkey)))


DOCUMENT = reference_receipt.receipt(
    identifier=RECEIPT_ID,
    entry=json.loads(LOG.entries[9])["id"],
    origin=LOG.origin,
    decision=DECISION,
)


def _receipt(
    *, signer: Signer = RECEIPT_KEY, index: int = 9, document: Any = None, **transparency: Any
) -> dict[str, Any]:
    kind = "application/vnd.remit.consent-receipt.v1+json"
    body = canonical(DOCUMENT if document is None else document)
    keyid = hashlib.sha256(signer.public).hexdigest()[:16]
    opened = [DECIDED] if index == 9 else []
    return {
        "payloadType": kind,
        "payload": b64(body),
        "signatures": [{"keyid": keyid, "sig": b64(signer.sign(pae(kind, body)))}],
        "transparency": {
            "origin": LOG.origin,
            "index": index,
            "proof": LOG.proof(index, opened).decode(),
        }
        | transparency,
    }


def test_a_receipt_holds_with_its_signature_and_its_place_in_the_log() -> None:
    checked = check_receipt(json.dumps(_receipt()).encode(), RECEIPT_TRUST)
    assert checked.identifier == RECEIPT_ID
    assert checked.proved.index == 9


def test_a_receipt_holds_after_the_persons_key_was_destroyed() -> None:
    proof = LOG.proof(9).decode()
    checked = check_receipt(json.dumps(_receipt(proof=proof)).encode(), RECEIPT_TRUST)
    assert checked.proved.details == {}


@pytest.mark.parametrize(
    ("receipt", "reason"),
    [
        (_receipt(signer=LOG.signers[0]), "no trusted key"),
        (_receipt(signer=Signer("x", 1, b"\x0b" * 32)), "no trusted key"),
        (_receipt(index=4), "entry of access:allowed"),
        (_receipt(document=DOCUMENT | {"cu:decision": {}}), "another decision"),
        (_receipt(document=DOCUMENT | {"dpv:hasRecordOfActivity": []}), "not about the entry"),
        (_receipt(document=DOCUMENT | {"cu:auditLogOrigin": "other"}), "another log"),
        (_receipt(proof=None), "not in the log yet"),
        (_receipt(document={"no": "identifier"}), "dct:identifier"),
        (_receipt(origin="other"), "another place"),
        (_receipt() | {"transparency": {}}, "lacks proof"),
        (_receipt() | {"payloadType": "text/plain"}, "not a consent receipt"),
        (_receipt() | {"payload": b64(b'{"dct:identifier":"x"}')}, "signature of the receipt"),
        (_receipt() | {"signatures": []}, "no trusted key"),
        (_receipt() | {"signatures": [{"keyid": 7}]}, "lacks keyid"),
        (_receipt() | {"signatures": [{}] * 50}, "too many"),
        ([], "lacks transparency"),
    ],
)
def test_a_receipt_that_does_not_hold_is_refused(receipt: Any, reason: str) -> None:
    with pytest.raises(NotVerifiedError, match=reason):
        check_receipt(json.dumps(receipt).encode(), RECEIPT_TRUST)


def test_a_tag_key_is_read_in_each_form_it_is_kept_in() -> None:
    key = random.Random(4711).randbytes(32)
    texts = [key.hex(), b64(key), base64.urlsafe_b64encode(key).decode().rstrip("=")]
    assert {parse_key(key), *(parse_key(text.encode() + b"\n") for text in texts)} == {key}
    for wrong in (b"", key[:31], key.hex()[:-2].encode(), os.urandom(500)):
        with pytest.raises(NotVerifiedError, match="32 bytes"):
            parse_key(wrong)


def test_a_digest_is_the_one_of_rfc_9901() -> None:
    # RFC 9901 §4.2.3: the digest of the family name's disclosure.
    text = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert digest(text) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    assert service_leaf.digest(text) == digest(text)


def _pieces() -> list[bytes]:
    """The parts of every kind of leaf, and what a forger may put between them."""
    kinds = [
        entry(3, "access:closed"),
        entry(3, "consent:decided", at=START // 3600 * 3600),
        entry(3, role="r", pur="p", act="a", n=3, pol={"id": "i", "sha256": "s", "ver": 1}),
    ]
    assert all(parse_leaf(kind) for kind in kinds)
    cut = {piece for kind in kinds for piece in re.split(rb'([,:{}\[\]"])', kind)}
    return sorted(
        cut | {b" ", b"\\", b"\x00", b"\x7f", "\u00e9".encode(), b"0", b"-0", b"01", b"1e0"}
    )


PIECES = _pieces()
KINDS = [entry(3, role="r", n=3), entry(3, "consent:decided", at=START // 3600 * 3600)]


def _agree(parts: list[bytes]) -> bool:
    forged = b"".join(parts)
    return bool(_verdict(parse_leaf, forged) == _verdict(read_carefully, forged))


@pytest.mark.parametrize("kind", KINDS)
def test_the_fast_and_the_careful_reading_give_one_verdict(kind: bytes) -> None:
    """Each piece of a leaf stands once in the place of each other."""
    parts = re.split(rb'([,:{}\[\]"])', kind)
    for at in range(len(parts)):
        for piece in PIECES:
            assert _agree([*parts[:at], piece, *parts[at + 1 :]]), (at, piece)


SOAK = bool(os.environ.get("REMIT_SOAK"))


@settings(max_examples=20_000 if SOAK else 300, deadline=None)
@given(data=st.data())
def test_they_do_so_where_several_pieces_are_others(data: st.DataObject) -> None:
    parts = re.split(rb'([,:{}\[\]"])', data.draw(st.sampled_from(KINDS)))
    for _ in range(3):
        parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(st.sampled_from(PIECES))
    assert _agree(parts)


if SOAK:  # It selects by its mark.
    pytest.mark.soak(test_they_do_so_where_several_pieces_are_others)


def _verdict(read: Callable[[bytes], Any], leaf: bytes) -> Any:
    try:
        return read(leaf)
    except NotVerifiedError as error:
        return str(error)
