"""The signed certificate a person keeps after an erasure: what went, when, and what stays.

It says two times, because they differ: when the data became unreadable (its keys were destroyed)
and by when no copy of the key store opens anything any more (three nightly rotations).
"""

import base64
import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import rfc8785
from django.conf import settings

from audit import selectors as log
from audit import signing
from audit.errors import NotYetSequencedError
from audit.ids import uuid7
from governance.rights.errors import RequestNotFoundError
from governance.rights.models import ErasureCertificate, ErasureOrder
from governance.rights.states import ErasureState

if TYPE_CHECKING:
    from audit.models import Entry

PAYLOAD_TYPE = "application/vnd.remit.erasure-certificate.v1+json"
# Keys rotate nightly (tasks.renew_keys). The first night retires what may have sealed the person's
# last batch, the third destroys it; copies of the key store stop opening the first (decisions 27).
COPIES_END_AFTER = timedelta(hours=72)

REMAINS = [
    "account and devices",
    "consent decisions and receipts, as proof of what was lawful",
    "entries of the public log, whose personal halves nobody can open any more",
]


def issue(*, order: ErasureOrder, entry: "Entry", now: datetime) -> ErasureCertificate:
    """Sign and keep the certificate of an order all of whose stations were reached."""
    certificate_id = uuid7(now)
    body = rfc8785.dumps(_document(certificate_id, order=order, entry=entry, now=now))  # type: ignore[arg-type]
    return ErasureCertificate.objects.create(
        id=certificate_id,
        order=order,
        subject=order.subject,
        envelope=signing.dsse_sign(key="certificate", payload_type=PAYLOAD_TYPE, body=body),
        issued_at=now,
        entry=entry,
    )


def envelope(*, subject: str, order_id: UUID) -> dict[str, object]:
    """Return the certificate to download, with public keys and proof. RequestNotFoundError."""
    held = (
        ErasureCertificate.objects.select_related("entry")
        .filter(subject=subject, order_id=order_id)
        .first()
    )
    if held is None:
        raise RequestNotFoundError
    found: dict[str, object] = dict(held.envelope)
    found["verify_keys"] = [
        {
            "key_id": key.key_id,
            "alg": key.alg,
            "public": base64.b64encode(key.public).decode("ascii"),
        }
        for key in signing.public_keys("certificate")
    ]
    found["transparency"] = _transparency(held.entry)
    return found


def envelope_of_request(*, subject: str, request_id: UUID) -> dict[str, object]:
    """Return the certificate that answers a request. RequestNotFoundError."""
    order = ErasureOrder.objects.filter(subject=subject, request_id=request_id).first()
    if order is None:
        raise RequestNotFoundError
    return envelope(subject=subject, order_id=order.id)


def _transparency(entry: "Entry") -> dict[str, object]:
    proof = None
    with contextlib.suppress(NotYetSequencedError):
        proof = log.proof(uuid=entry.uuid).decode("utf-8")
    return {
        "origin": settings.REMIT_LOG_ORIGIN,
        "entry": str(entry.uuid),
        "leaf_hash": base64.b64encode(bytes(entry.leaf_hash)).decode("ascii"),
        "proof": proof,
    }


def _document(
    certificate_id: UUID, *, order: ErasureOrder, entry: "Entry", now: datetime
) -> dict[str, object]:
    reached = {step.state: step for step in order.steps.select_related("entry")}
    steps = {state: reached[state.value] for state in ErasureState if state.value in reached}
    destroyed = steps[ErasureState.KEY_DESTROYED]
    purged = steps[ErasureState.OBJECTS_PURGED]
    return {
        "schema": "erasure-certificate/1",
        "certificate_id": str(certificate_id),
        "order_id": str(order.id),
        "data_subject": f"urn:uuid:{order.subject}",
        "controller": settings.REMIT_ORGANISATION,
        "scope": "everything captured",
        "basis": "GDPR Art. 17(1)",
        "reason": order.reason,
        "ordered_at": _time(order.ordered_at),
        "unreadable_since": _time(destroyed.at),
        "copies_unreadable_by": _time(destroyed.at + COPIES_END_AFTER),
        "keys_destroyed": destroyed.figures["keys"],
        "objects_purged": purged.figures["objects"],
        "verified_at": _time(now),
        "completed_at": _time(now),
        "remains": REMAINS,
        "log": {
            "origin": settings.REMIT_LOG_ORIGIN,
            "entries": [
                {"state": state.value, **_reference(step.entry)} for state, step in steps.items()
            ],
            "completed": _reference(entry),
        },
    }


def _reference(entry: "Entry") -> dict[str, str]:
    return {
        "entry": str(entry.uuid),
        "leaf_hash": base64.b64encode(bytes(entry.leaf_hash)).decode("ascii"),
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
