"""The copy to take away: whole, checkable, sealed at rest, read through the gate only."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from consent import receipt
from governance.capture.errors import AccessDeniedError
from governance.jobs import models as jobs_models
from governance.jobs import services as jobs
from governance.rights import accesses, exports, selectors, services
from governance.rights.errors import (
    ExportNotReadyError,
    RequestNotFoundError,
    SubjectErasedError,
)
from governance.rights.models import PortabilityExport
from governance.rights.states import ExportState, RequestStatus
from governance.vault import shredding, storage
from tests.governance.rights.conftest import CLICK, POINTER, Someone

pytestmark = pytest.mark.django_db


def _opened(someone: Someone) -> zipfile.ZipFile:
    with exports.open_archive(subject=someone.subject, actor=someone.actor) as archive:
        return zipfile.ZipFile(io.BytesIO(archive))


def test_the_archive_holds_everything_and_its_manifest_proves_it(mira: Someone) -> None:
    act = mira.allow(POINTER, CLICK)
    frames = mira.record("pointer", "click")
    services.export(subject=mira.subject, actor=mira.actor)
    jobs.run_due()
    archive = _opened(mira)
    manifest = json.loads(archive.read("manifest.json"))
    for file in manifest["files"]:
        body = archive.read(file["name"])
        assert (file["length"], file["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert {f["name"] for f in manifest["files"]} | {"manifest.json"} == set(archive.namelist())
    captures = [json.loads(line) for line in archive.read("captures.jsonl").splitlines()]
    assert {capture["id"] for capture in captures} == {str(frame) for frame in frames}
    assert {event["type"] for capture in captures for event in capture["events"]} == {
        "mouse.move",
        "mouse.down",
    }
    assert json.loads(archive.read(f"receipts/{act.receipt_id}.json"))["signatures"]
    told = [json.loads(line) for line in archive.read("accesses.jsonl").splitlines()]
    assert {line["purpose"] for line in told} >= {"own-access", "redaction", "export"}
    (asked,) = selectors.own_requests(subject=mira.subject)
    assert (asked.kind, asked.status) == ("portability", RequestStatus.FULFILLED)


def test_at_rest_nothing_of_it_can_be_read(mira: Someone) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    services.export(subject=mira.subject, actor=mira.actor)
    jobs.run_due()
    sealed = storage.get(PortabilityExport.objects.get().object_key)
    for word in (b"PK", b"manifest.json", b"mouse.move", mira.subject.encode()):
        assert not sealed.startswith(word)
        assert len(word) < 4 or word not in sealed


def test_fetching_it_is_an_access_the_person_sees(mira: Someone) -> None:
    services.export(subject=mira.subject, actor=mira.actor)
    jobs.run_due()
    _opened(mira)
    assert accesses.lines(subject=mira.subject)[0].act == "download-export"


def test_before_it_is_built_and_after_its_week_there_is_none(mira: Someone) -> None:
    with pytest.raises(RequestNotFoundError):
        _opened(mira)
    export = services.export(subject=mira.subject, actor=mira.actor)
    assert services.export(subject=mira.subject, actor=mira.actor) == export
    with pytest.raises(ExportNotReadyError):
        _opened(mira)
    jobs.run_due()
    assert _opened(mira).testzip() is None
    key = PortabilityExport.objects.get().object_key
    assert exports.end_due() == 0
    assert exports.end_due(now=timezone.now() + timedelta(days=8)) == 1
    with pytest.raises(RequestNotFoundError):
        _opened(mira)
    with pytest.raises(Exception, match="gone"):
        storage.get(key)


def test_nobody_else_can_fetch_it(mira: Someone, carla: Someone) -> None:
    services.export(subject=mira.subject, actor=mira.actor)
    jobs.run_due()
    with (
        pytest.raises(AccessDeniedError),
        exports.open_archive(subject=mira.subject, actor=carla.actor),
    ):
        pass


def test_a_copy_built_while_the_person_is_erased_leaves_no_bytes(
    mira: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = storage.put

    def put_too_late(content: bytes) -> storage.ObjectRef:
        place = put(content)
        _erase(mira)
        assert jobs.run_due()
        assert PortabilityExport.objects.get().state == ExportState.ENDED
        return place

    before = set(storage.keys())
    services.export(subject=mira.subject, actor=mira.actor)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "put", put_too_late)
        jobs.run_due()
    assert set(storage.keys()) == before
    assert not Entry.objects.filter(event="export:built").exists()
    assert not jobs_models.Job.objects.exclude(state="done").exists()


def test_a_copy_published_while_it_is_ended_is_ended_whole(
    mira: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The builder writes its place after somebody found the export and before they end it."""
    services.export(subject=mira.subject, actor=mira.actor)
    destroy, before = shredding.destroy_object, set(storage.keys())

    def build_first(*, kind: str, ref: str) -> None:
        jobs.run_due()
        destroy(kind=kind, ref=ref)

    with monkeypatch.context() as patch:
        patch.setattr(shredding, "destroy_object", build_first)
        assert exports.end_all(subject=mira.subject) == 1
    assert set(storage.keys()) == before
    assert exports.end_all(subject=mira.subject) == 0


def _erase(someone: Someone) -> None:
    services.erase_everything(
        subject=someone.subject, actor=someone.actor, language="en", form_digest="0" * 64
    )


def test_an_export_that_cannot_be_built_is_given_up_and_can_be_asked_again(mira: Someone) -> None:
    export = services.export(subject=mira.subject, actor=mira.actor)
    exports.give_up(str(export.id))
    export.refresh_from_db()
    assert export.state == ExportState.FAILED
    assert services.export(subject=mira.subject, actor=mira.actor) != export


def test_after_an_erasure_a_copy_is_refused_at_once_and_receipts_stay(mira: Someone) -> None:
    act = mira.allow(POINTER)
    _erase(mira)
    jobs.run_due()
    with pytest.raises(SubjectErasedError):
        services.export(subject=mira.subject, actor=mira.actor)
    kept = receipt.receipt_document(subject=mira.subject, receipt_id=act.receipt_id)
    assert kept["signatures"]
    assert kept["transparency"]
