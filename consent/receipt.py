"""Signed receipts: one per act of deciding, kept for good, verifiable without the service.

The payload is signed with the installation's receipt key (DSSE, Ed25519). Beside it, once the
entry is sequenced, stands the proof that the log holds the decision: its leaf's disclosures name
the digest of `cu:decision`, so that receipt and log can be compared by anybody who has both.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import rfc8785
from django.conf import settings

from audit import selectors as log
from audit import signing
from audit.errors import NotYetSequencedError, UnknownEntryError
from audit.ids import uuid7
from consent.errors import ReceiptNotFoundError
from consent.models import ConsentEvent, ConsentReceipt, NoticeVersion
from consent.planning import Step
from consent.receipt_document import (
    EventFacts,
    NoticeFacts,
    ReceiptFacts,
    RecordFacts,
    build,
    timestamp,
)
from consent.status import ConsentStatus

if TYPE_CHECKING:
    from audit.models import Entry

PAYLOAD_TYPE = "application/vnd.remit.consent-receipt.v1+json"


def decision_facts(
    decision_id: UUID, *, form_digest: str, steps: Sequence[Step]
) -> dict[str, object]:
    """Return what was decided as the log commits to it; the random id hides it from guessing."""
    return {
        "decision_id": str(decision_id),
        "form_digest": form_digest,
        "choices": [
            {
                "event_id": str(step.event_id),
                "record_id": str(step.record.id),
                "purpose": step.choice.purpose,
                "application": step.choice.application,
                "category": step.choice.category,
                "status": step.status.value,
                "occurred_at": timestamp(step.occurred_at),
                "notice_version": step.notice_version.reference,
                "notice_digest": step.notice_version.content_digest,
                "language": step.language,
                "scope_digest": step.scope_digest,
            }
            | ({"preference_signal": step.choice.signal} if step.choice.signal else {})
            for step in steps
        ],
    }


def issue(
    *,
    subject: str,
    facts: dict[str, object],
    events: Sequence[ConsentEvent],
    entry: "Entry",
) -> ConsentReceipt:
    """Sign and keep the receipt of a decision, in the decision's transaction."""
    moment = max(event.occurred_at for event in events)
    receipt_id = uuid7(moment)
    document = build(
        ReceiptFacts(
            id=receipt_id,
            base=f"{settings.REMIT_EXTERNAL_ORIGIN}/",
            log_origin=settings.REMIT_LOG_ORIGIN,
            subject=subject,
            language=events[-1].language,
            created_at=moment,
            decision=facts,
            records=[_record_facts(event) for event in events],
        )
    )
    body = rfc8785.dumps(document)  # type: ignore[arg-type]  # Node is JSON; its type is wider.
    return ConsentReceipt.objects.create(
        id=receipt_id,
        subject=subject,
        decision_id=events[0].decision_id,
        envelope=signing.dsse_sign(key="receipt", payload_type=PAYLOAD_TYPE, body=body),
        document_digest=hashlib.sha256(body).hexdigest(),
        created_at=moment,
        entry=entry,
    )


def document(*, subject: str, receipt_id: UUID) -> dict[str, object]:
    """Return the JSON-LD that was signed, as data. Raises ReceiptNotFoundError."""
    payload = base64.b64decode(_held(subject, receipt_id).envelope["payload"], validate=True)
    parsed = json.loads(payload)
    if not isinstance(parsed, dict):
        raise ReceiptNotFoundError
    return parsed


def receipt_document(
    *, subject: str, receipt_id: UUID | None, with_proof: bool = True
) -> dict[str, object]:
    """Return the envelope to download, with the public key and a `transparency` object beside it.

    It is proved under the name of the log that the signed document speaks of.

    `transparency` holds origin, entry and leaf hash from the start; index, proof (a C2SP
    tlog-proof with the disclosures, while the person's keys last) and checkpoint follow once the
    entry is sequenced.
    Raises ReceiptNotFoundError, also for another person's receipt and for an act without one.
    """
    held = _held(subject, receipt_id)
    keys = [
        {
            "key_id": key.key_id,
            "alg": key.alg,
            "public": base64.b64encode(key.public).decode("ascii"),
        }
        for key in signing.public_keys("receipt")
    ]
    envelope: dict[str, object] = dict(held.envelope)
    envelope["verify_keys"] = keys
    if with_proof:
        envelope["transparency"] = _transparency(held)
    return envelope


def _held(subject: str, receipt_id: UUID | None) -> ConsentReceipt:
    rows = ConsentReceipt.objects.select_related("entry")
    held = rows.filter(subject=subject, id=receipt_id).first() if receipt_id else None
    if held is None:
        raise ReceiptNotFoundError
    return held


def _transparency(held: ConsentReceipt) -> dict[str, object]:
    known: dict[str, object] = {
        "origin": settings.REMIT_LOG_ORIGIN,
        "entry": str(held.entry.uuid),
        "leaf_hash": base64.b64encode(bytes(held.entry.leaf_hash)).decode("ascii"),
        "index": None,
        "proof": None,
        "checkpoint": None,
    }
    try:
        proof = _proof(held).decode("utf-8")
    except NotYetSequencedError:
        return known
    head, _, checkpoint = proof.partition("\n\n")
    index = next(line for line in head.splitlines() if line.startswith("index "))
    return known | {
        "origin": checkpoint.partition("\n")[0],
        "index": int(index.removeprefix("index ")),
        "proof": proof,
        "checkpoint": checkpoint,
    }


def _proof(held: ConsentReceipt) -> bytes:
    try:
        return log.proof(uuid=held.entry.uuid, owner=held.subject, is_first_name=True)
    except UnknownEntryError:
        # After an erasure nothing opens the disclosures; that the entry is there stays provable.
        return log.proof(uuid=held.entry.uuid, is_first_name=True)


def _record_facts(event: ConsentEvent) -> RecordFacts:
    record = event.record
    history: Iterable[ConsentEvent] = record.events.select_related(
        "notice_version", "entry"
    ).order_by("number")
    return RecordFacts(
        id=record.id,
        purpose=record.purpose,
        application=record.application,
        category=record.category,
        created_at=record.created_at,
        events=[_event_facts(each) for each in history],
    )


def _event_facts(event: ConsentEvent) -> EventFacts:
    return EventFacts(
        id=event.id,
        status=ConsentStatus(event.status),
        occurred_at=event.occurred_at,
        valid_until=event.valid_until,
        indicated_by=event.indicated_by,
        decision_id=event.decision_id,
        form_digest=event.form_digest,
        scope_digest=event.scope_digest,
        notice=_notice_facts(event.notice_version),
        previous=event.previous_id,
        entry=event.entry.uuid,
        leaf_hash=_hash(bytes(event.entry.leaf_hash)),
    )


def _notice_facts(version: NoticeVersion) -> NoticeFacts:
    return NoticeFacts(
        reference=version.reference,
        purpose=version.notice_id,
        number=version.number,
        language=version.language,
        content=version.content,
        digest=_hash(bytes.fromhex(version.content_digest)),
        published_at=version.published_at,
    )


def _hash(value: bytes) -> str:
    """Return a digest in the form of RFC 9530."""
    return f"sha-256=:{base64.b64encode(value).decode('ascii')}:"
