"""The copy a person may take away (Art. 15(3), 20): built by a job, sealed, streamed by the gate.

Promises: the plaintext exists in memory only, while it is built and while it is handed over; the
archive holds the captures as stored (redacted), every receipt, every access, the key that finds
the person's entries in the log, and a manifest with the digest of each file, so that a second
reader can check it is whole.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import consent.receipt
import consent.selectors
from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from governance.accounts import selectors as accounts
from governance.capture import gate
from governance.capture.gate import FrameFilter, FrameInfo
from governance.decisions import InternalPurpose
from governance.jobs import services as jobs
from governance.jobs.services import Fence
from governance.rights import accesses, requests, takeaway
from governance.rights.errors import (
    ExportNotReadyError,
    RequestNotFoundError,
    SubjectErasedError,
)
from governance.rights.models import PortabilityExport
from governance.rights.states import ExportState, Kind
from governance.vault import orphans, sealing, shredding, storage

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

EXPORTER = Actor.system("export")
JOB = "export:build"
KIND = "export"
KEPT = timedelta(days=7)


@transaction.atomic
def order(*, subject: str, actor: Actor, now: datetime | None = None) -> PortabilityExport:
    """Order a copy, or return the one that is on its way or still there. SubjectErasedError."""
    moment = now or timezone.now()
    # One person's double click must not build two archives.
    consent.selectors.lock(subject=subject, exclusive=True)
    current = latest(subject=subject, now=moment)
    if current is not None:
        return current
    if shredding.is_destroyed(subject=subject):
        # Nothing can be sealed for this person any more: said now, not after five attempts.
        raise SubjectErasedError
    request = requests.open_request(subject=subject, kind=Kind.PORTABILITY, actor=actor, now=moment)
    export = PortabilityExport.objects.create(
        id=uuid7(moment),
        subject=subject,
        state=ExportState.BUILDING.value,
        requested_at=moment,
        expires_at=moment + KEPT,
        request=request,
        entry=request.entry,
    )
    jobs.add(kind=JOB, ref=str(export.id))
    return export


def latest(*, subject: str, now: datetime | None = None) -> PortabilityExport | None:
    """Return the person's newest export that is being built or can be fetched."""
    rows = PortabilityExport.objects.filter(
        subject=subject,
        state__in=[ExportState.BUILDING.value, ExportState.READY.value],
        expires_at__gt=now or timezone.now(),
    )
    return rows.order_by("-requested_at").first()


def give_up(ref: str) -> None:
    """Tell the person that the copy could not be made."""
    PortabilityExport.objects.filter(id=ref, state=ExportState.BUILDING.value).update(
        state=ExportState.FAILED.value
    )


@jobs.handler(JOB, quarantined=give_up)
def build(ref: str, fence: Fence) -> None:
    """Build, seal and store the archive; its plaintext is gone when this returns."""
    export = PortabilityExport.objects.get(id=ref)
    if export.state != ExportState.BUILDING:
        return
    archive, captures = _archive(export)
    sealed = sealing.seal_object(
        kind=KIND, ref=str(export.id), subject=export.subject, plaintext=archive
    )
    place = storage.put(sealed)
    with transaction.atomic():
        held = PortabilityExport.objects.select_for_update().get(id=ref)
        is_wanted = held.state == ExportState.BUILDING
        if is_wanted:
            journal.append(
                Action.EXPORT_BUILT, actor=EXPORTER, subject=held.subject, count=captures
            )
            held.state, held.ready_at = ExportState.READY.value, timezone.now()
            held.object_key, held.length, held.captures = place.key, len(archive), captures
            held.save(update_fields=["state", "ready_at", "object_key", "length", "captures"])
            requests.fulfil(request=held.request, actor=EXPORTER)
        jobs.finish(fence)
    if not is_wanted:
        # The person was erased meanwhile: no row will ever name what was written for them.
        storage.delete(place.key)


@contextmanager
def open_archive(*, subject: str, actor: Actor) -> Iterator[bytes]:
    """Yield the archive to the person it is about; the access is an entry first.

    Raises RequestNotFoundError, ExportNotReadyError, and whatever the gate refuses.
    """
    export = latest(subject=subject)
    if export is None:
        raise RequestNotFoundError
    if export.state != ExportState.READY:
        raise ExportNotReadyError
    with gate.open_object(
        actor=actor,
        purpose=InternalPurpose.OWN_ACCESS,
        kind=KIND,
        ref=str(export.id),
        subject=subject,
        sealed=storage.get(export.object_key),
        is_live=True,
        retain_until=export.expires_at,
        consented=True,
    ) as archive:
        yield archive


def end_all(*, subject: str) -> int:
    """Remove every copy of a person, key and bytes; return how many there were."""
    return _end(PortabilityExport.objects.filter(subject=subject))


def end_due(*, now: datetime | None = None) -> int:
    """Remove copies whose week is over."""
    return _end(PortabilityExport.objects.filter(expires_at__lte=now or timezone.now()))


def _end(rows: "QuerySet[PortabilityExport]") -> int:
    """End each: first its key, then its row, so that no builder publishes it, then its bytes."""
    ids = rows.exclude(state=ExportState.ENDED, object_key="").values_list("id", flat=True)
    ended = list(ids)
    for export_id in ended:
        shredding.destroy_object(kind=KIND, ref=str(export_id))
        own = PortabilityExport.objects.filter(id=export_id)
        own.update(state=ExportState.ENDED.value)
        # Read now: whoever built it may have written its place since it was found.
        key = own.values_list("object_key", flat=True).get()
        if key:
            storage.delete(key)
            own.update(object_key="")
    return len(ended)


def _archive(export: PortabilityExport) -> tuple[bytes, int]:
    subject = export.subject
    captures = list(_captures(subject))
    files = {
        "captures.jsonl": _lines(captures),
        "accesses.jsonl": _lines(_accesses(subject)),
        "consents.jsonl": _lines(
            asdict(event) for event in consent.selectors.history(subject=subject)
        ),
        "devices.jsonl": _lines(_devices(subject)),
        **_receipts(subject),
        **_notices(subject),
        **takeaway.files(subject=subject),
    }
    files["manifest.json"] = _json(
        {
            "schema": "portability-export/1",
            "export_id": str(export.id),
            "data_subject": f"urn:uuid:{subject}",
            "controller": settings.REMIT_ORGANISATION,
            "created_at": timezone.now(),
            "captures": len(captures),
            "note": "Captures are as stored: other people's data and secrets were removed before.",
            "files": [
                {"name": name, "length": len(body), "sha256": hashlib.sha256(body).hexdigest()}
                for name, body in sorted(files.items())
            ],
        }
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for name, body in sorted(files.items()):
            archive.writestr(name, body)
    return packed.getvalue(), len(captures)


def _captures(subject: str) -> Iterator[dict[str, object]]:
    before: UUID | None = None
    while True:
        page = gate.list_frames(
            actor=EXPORTER,
            purpose=InternalPurpose.EXPORT,
            filters=FrameFilter(subject=subject, before=before, limit=gate.PAGE),
        )
        if not page:
            return
        with gate.open_records(
            actor=EXPORTER, purpose=InternalPurpose.EXPORT, frames=[frame.id for frame in page]
        ) as records:
            for record in records:
                yield _capture(record.frame, record.events)
        before = page[-1].id


def _capture(frame: FrameInfo, events: list[dict[str, object]]) -> dict[str, object]:
    return {
        "id": frame.id,
        "application": frame.application,
        "category": frame.category,
        "policy_version": frame.policy_version,
        "retain_until": frame.retain_until,
        "purposes": sorted(frame.consent_events),
        "redaction": frame.redaction,
        "events": events,
    }


def _accesses(subject: str) -> Iterator[dict[str, object]]:
    before: int | None = None
    while page := accesses.lines(subject=subject, before=before, limit=200):
        yield from (asdict(line) for line in page)
        before = page[-1].seq
        if before is None:
            return


def _devices(subject: str) -> Iterator[dict[str, object]]:
    for device in accounts.devices_of(subject):
        yield {
            "id": device.id,
            "label": device.label,
            "platform": device.platform,
            "enrolled_at": device.enrolled_at,
            "revoked_at": device.revoked_at,
        }


def _receipts(subject: str) -> dict[str, bytes]:
    return {
        f"receipts/{held.id}.json": _json(
            consent.receipt.receipt_document(subject=subject, receipt_id=held.id)
        )
        for held in consent.selectors.receipts(subject=subject)
    }


def _notices(subject: str) -> dict[str, bytes]:
    """Return what the person was told, which answers Art. 15(1)(a) to (h)."""
    shown = {event.notice_version for event in consent.selectors.history(subject=subject)}
    return {
        f"notices/{version.reference}.{version.language}.json": _json(version.content)
        for version in consent.selectors.notice_versions()
        if version.reference in shown
    }


def _lines(rows: Iterable[object]) -> bytes:
    return b"".join(_json(row) + b"\n" for row in rows)


def _json(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=_plain)
    return text.encode("utf-8")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@orphans.claim("exports")
def needed(keys: Collection[str]) -> set[str]:
    """Return which of these objects are copies that have not ended."""
    held = PortabilityExport.objects.filter(object_key__in=keys)
    return set(held.exclude(state=ExportState.ENDED).values_list("object_key", flat=True))
