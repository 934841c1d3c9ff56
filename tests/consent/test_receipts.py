"""Receipts: complete in the sense of TS 27560, signed, and the person's own."""

import base64
import hashlib
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
import rfc8785

from audit import disclosures, signing
from audit.actors import Actor
from audit.errors import SignatureError
from consent import notice as notices
from consent import receipt, selectors
from consent.errors import ReceiptNotFoundError
from consent.vocabulary import context
from tests.consent.test_decide import CLICK, POINTER, decide, no, withdraw, yes

pytestmark = pytest.mark.django_db

# TS 27560 fields that are mandatory in a record, by their DPV property (standards.md 2.1).
RECORD_FIELDS = {
    "dct:identifier",
    "dpv:hasIdentifier",
    "dct:conformsTo",
    "dpv:hasDataSubject",
    "dpv:hasNotice",
    "dpv:hasProcess",
    "dpv:hasJurisdiction",
    "dpv:hasApplicableLaw",
    "dpv:hasAuthority",
    "dpv:hasConsentControl",
    "dpv:hasRight",
    "dpv:hasConsentStatus",
    "dpv:hasDataController",
}
PROCESS_FIELDS = {
    "dpv:hasPurpose",
    "dpv:hasService",
    "dpv:hasPersonalData",
    "dpv:hasProcessing",
    "dpv:hasStorageCondition",
    "dpv:hasDataController",
    "dpv:hasRecipient",
    "dpv:hasLegalBasis",
}


def signed_document(subject: str, receipt_id: UUID | None) -> Any:
    envelope = receipt.receipt_document(
        subject=subject,
        receipt_id=receipt_id,
        with_proof=False,
    )
    keys = {k.key_id: k.public for k in signing.public_keys("receipt")}
    body = signing.dsse_verify(
        public_keys=keys, envelope=envelope, payload_type=receipt.PAYLOAD_TYPE
    )
    document = json.loads(body)
    assert rfc8785.dumps(document) == body
    return document


def test_a_receipt_holds_one_complete_record_a_cell(mira: Actor, notice: str) -> None:
    act = decide(mira, yes(POINTER, notice), no(CLICK))
    document = signed_document(mira.key, act.receipt_id)
    records = document["dpv:hasRecordOfActivity"]
    assert [r["dpv:hasProcess"]["dpv:hasPersonalData"]["@id"] for r in records] == [
        "cu:pointer",
        "cu:click",
    ]
    for record in records:
        assert set(record) >= RECORD_FIELDS
        assert set(record["dpv:hasProcess"]) >= PROCESS_FIELDS
        for event in record["dpv:hasConsentStatus"]:
            assert set(event) >= {"dpv:isIndicatedAtTime", "dpv:isIndicatedBy", "dpv:hasDuration"}
    given, refused = (r["dpv:hasConsentStatus"][-1] for r in records)
    assert given["@type"] == ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"]
    assert given["dpv:hasDuration"]["rdf:value"] == "P6M"
    assert refused["@type"] == ["dpv:ConsentRefused"]
    kept = records[0]["dpv:hasProcess"]["dpv:hasStorageCondition"][0]
    assert kept["dpv:hasDuration"]["rdf:value"] == "P90D"


def test_every_reference_in_a_receipt_leads_to_a_node_in_it(mira: Actor, notice: str) -> None:
    act = decide(mira, yes(POINTER, notice))
    act = decide(mira, withdraw(POINTER), minute=1)
    document = signed_document(mira.key, act.receipt_id)
    known = {node["@id"] for node in document["@included"]}
    (record,) = document["dpv:hasRecordOfActivity"]
    process = record["dpv:hasProcess"]
    referred = [
        record["dpv:hasDataSubject"],
        record["dpv:hasDataController"],
        record["dpv:hasAuthority"],
        record["dpv:hasNotice"],
        record["dpv:hasConsentControl"],
        process["dpv:hasPurpose"],
        process["dpv:hasService"],
        *record["dpv:hasRight"],
        *process["dpv:hasProhibition"],
        *process["dpv:hasRecipient"],
        *(c for c in process["dpv:hasStorageCondition"] if isinstance(c, str)),
    ]
    assert set(referred) <= known
    assert [e["@type"][0] for e in record["dpv:hasConsentStatus"]] == [
        "dpv:ConsentGiven",
        "dpv:ConsentWithdrawn",
    ]


def _terms(node: object) -> set[str]:
    if isinstance(node, dict):
        return set(node).union(*(_terms(value) for value in node.values())) if node else set()
    if isinstance(node, list):
        return set().union(*(_terms(value) for value in node)) if node else set()
    return set()


def test_every_term_of_a_receipt_is_in_its_own_context(mira: Actor, notice: str) -> None:
    document = signed_document(mira.key, decide(mira, yes(POINTER, notice)).receipt_id)
    terms = document.pop("@context")
    assert terms == context(terms["@base"])
    del document["cu:decision"]
    for term in _terms(document):
        assert term.startswith("@") or term.partition(":")[0] in terms


def test_the_log_commits_to_the_decision_in_the_receipt(mira: Actor, notice: str) -> None:
    act = decide(mira, yes(POINTER, notice))
    document = signed_document(mira.key, act.receipt_id)
    told = disclosures.details(act.entry)
    assert told["decision"] == notices.digest(document["cu:decision"])
    event = document["dpv:hasRecordOfActivity"][0]["dpv:hasConsentStatus"][-1]
    assert event["cu:auditEntry"] == str(act.entry.uuid)
    leaf_hash = hashlib.sha256(b"\x00" + bytes(act.entry.leaf)).digest()
    assert event["cu:auditLeafHash"] == f"sha-256=:{base64.b64encode(leaf_hash).decode()}:"


def test_a_changed_receipt_and_another_persons_are_refused(mira: Actor, notice: str) -> None:
    act = decide(mira, yes(POINTER, notice))
    envelope = receipt.receipt_document(
        subject=mira.key, receipt_id=act.receipt_id, with_proof=False
    )
    body = base64.b64decode(str(envelope["payload"])).replace(b"P6M", b"P9M")
    keys = {k.key_id: k.public for k in signing.public_keys("receipt")}
    with pytest.raises(SignatureError):
        signing.dsse_verify(
            public_keys=keys,
            envelope=envelope | {"payload": base64.b64encode(body).decode()},
            payload_type=receipt.PAYLOAD_TYPE,
        )
    for subject, receipt_id in ((str(uuid4()), act.receipt_id), (mira.key, uuid4())):
        with pytest.raises(ReceiptNotFoundError):
            receipt.receipt_document(subject=subject, receipt_id=receipt_id)


def test_before_its_entry_is_sequenced_a_receipt_says_so(mira: Actor, notice: str) -> None:
    act = decide(mira, yes(POINTER, notice))
    envelope = receipt.receipt_document(subject=mira.key, receipt_id=act.receipt_id)
    transparency = envelope["transparency"]
    assert isinstance(transparency, dict)
    assert transparency["entry"] == str(act.entry.uuid)
    assert transparency["index"] is transparency["proof"] is None


def test_receipts_are_listed_newest_first(mira: Actor, notice: str) -> None:
    first = decide(mira, yes(POINTER, notice))
    second = decide(mira, withdraw(POINTER), minute=1)
    assert [r.id for r in selectors.receipts(subject=mira.key)] == [
        second.receipt_id,
        first.receipt_id,
    ]
