"""Consent receipts: a DSSE envelope with a sibling `transparency`, checked without the service.

The envelope `{"payloadType","payload","signatures"}` is the operator's signed statement. Its
`transparency` `{"origin","index","proof"}` shows that the decision stands in the witnessed log.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.verifier.encoding import Json, base64_bytes, canonical_json, parse_json
from audit.verifier.errors import NotVerifiedError
from audit.verifier.fields import check_fields
from audit.verifier.keys import ED25519
from audit.verifier.signatures import is_ed25519_valid
from audit.verifier.tlogproof import LONGEST_PROOF, Proved, check_proof

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit.verifier.checkpoint import Trust

PAYLOAD_TYPE = "application/vnd.remit.consent-receipt.v1+json"
EVENT = "consent:decided"
DECISION = "decision"
LONGEST_RECEIPT = LONGEST_PROOF + 1024 * 1024
_MOST_SIGNATURES = 16


@dataclass(frozen=True)
class CheckedReceipt:
    """A receipt whose signature holds and whose decision is in the log."""

    identifier: str
    body: Json
    proved: Proved


def pae(payload_type: str, body: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding, the bytes that are signed."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)


def check_receipt(data: bytes, trust: Trust) -> CheckedReceipt:
    """Return the receipt, or raise NotVerifiedError with what does not hold or is missing."""
    if len(data) > LONGEST_RECEIPT:
        raise NotVerifiedError("the receipt is too long")
    envelope = parse_json(data, "the receipt")
    transparency = _member(envelope, "transparency", dict)
    if transparency.get("proof", "") is None:
        raise NotVerifiedError("the decision was not in the log yet: download the receipt again")
    proof = _member(transparency, "proof", str).encode("utf-8", "surrogatepass")
    proved = check_proof(proof, trust)
    if proved.leaf.event != EVENT:
        raise NotVerifiedError(f"the receipt points at an entry of {proved.leaf.event}")
    origin = proved.checkpoint.origin
    told = (_member(transparency, "origin", str), _member(transparency, "index", int))
    if told != (origin, proved.index):
        raise NotVerifiedError("the receipt names another place in the log than its proof")
    body = _signed_body(envelope, trust, origin)
    document = parse_json(body, "the receipt's text", with_fractions=True)
    identifier = _member(document, "dct:identifier", str)
    _check_bond(document, proved)
    check_fields(document)
    return CheckedReceipt(identifier=identifier, body=document, proved=proved)


def _member(value: Json, name: str, kind: type) -> Json:
    inner = value.get(name) if isinstance(value, dict) else None
    if not isinstance(inner, kind) or isinstance(inner, bool):
        raise NotVerifiedError(f"the receipt lacks {name}")
    return inner


def _signed_body(envelope: Json, trust: Trust, origin: str) -> bytes:
    """Return the payload once a trusted document key has signed it; the log's own key may not."""
    payload_type = _member(envelope, "payloadType", str)
    if payload_type != PAYLOAD_TYPE:
        raise NotVerifiedError("this is not a consent receipt")
    body = base64_bytes(_member(envelope, "payload", str), "the receipt's payload")
    signatures = _member(envelope, "signatures", list)
    if len(signatures) > _MOST_SIGNATURES:
        raise NotVerifiedError("the receipt bears too many signatures")
    known = {
        key.document_key_id: key for key in trust.keys if key.type == ED25519 and key.name != origin
    }
    valid = False
    for signature in signatures:
        key = known.get(_member(signature, "keyid", str))
        if key is None:
            continue
        raw = base64_bytes(_member(signature, "sig", str), "the receipt's signature")
        message = pae(payload_type, body)
        if not is_ed25519_valid(public=key.public, message=message, signature=raw):
            raise NotVerifiedError("the signature of the receipt is not valid")
        valid = True
    if not valid:
        raise NotVerifiedError("no trusted key signed the receipt")
    return body


def _check_bond(document: Json, proved: Proved) -> None:
    """Raise unless receipt and entry are about each other.

    The signed receipt must name the entry, and where the entry's `decision` is disclosed, that must
    be the digest of the receipt's. Otherwise any decision's proof could be stapled to any receipt.
    """
    if document.get("cu:auditLogOrigin", proved.checkpoint.origin) != proved.checkpoint.origin:
        raise NotVerifiedError("the receipt is about another log")
    if proved.leaf.uuid not in _strings(document):
        raise NotVerifiedError("the receipt is not about the entry in the log")
    if DECISION not in proved.details:  # The person's key is gone, or only the public form is here.
        return
    digest = hashlib.sha256(canonical_json(document.get("cu:decision"))).hexdigest()
    if proved.details[DECISION] != digest:
        raise NotVerifiedError("the entry in the log records another decision than the receipt")


def _strings(value: Json) -> Iterator[str]:
    """Walk all strings of a document without recursion."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, dict):
            waiting.extend(current.values())
        elif isinstance(current, list):
            waiting.extend(current)
