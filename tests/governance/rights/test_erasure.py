"""Erasing everything: at once, resumed after any crash, verified, certified, once."""

import base64
import json
from types import ModuleType

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from audit import signing
from consent import selectors as consents
from consent.status import ConsentStatus
from governance import authorizer
from governance.accounts import selectors as accounts
from governance.capture import deletion
from governance.capture import selectors as captured
from governance.capture.errors import AccessDeniedError, RecordGoneError
from governance.jobs import services as jobs
from governance.jobs.services import Fence
from governance.rights import accesses, certificate, erasure, selectors, services
from governance.rights.errors import RequestNotFoundError, SubjectErasedError
from governance.rights.models import ErasureCertificate, ErasureOrder
from governance.rights.states import ErasureState, RequestStatus
from governance.vault import shredding
from tests.governance.rights.conftest import CLICK, FORM, POINTER, Someone

pytestmark = pytest.mark.django_db


def erase(someone: Someone) -> ErasureOrder:
    return services.erase_everything(
        subject=someone.subject, actor=someone.actor, language="en", form_digest=FORM
    )


def test_nothing_can_be_read_from_the_commit_on_and_the_certificate_follows(
    mira: Someone, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    mira.allow(POINTER, CLICK)
    frames = mira.record("pointer", "click")
    with django_capture_on_commit_callbacks(execute=True):
        order = erase(mira)
    assert shredding.is_destroyed(subject=mira.subject)
    assert consents.valid_cells(subject=mira.subject) == {}
    with pytest.raises(RecordGoneError):
        mira.read(*frames)
    assert selectors.erasure_state(order) is ErasureState.KEY_DESTROYED
    jobs.run_due()
    assert selectors.erasure_state(order) is ErasureState.COMPLETED
    with pytest.raises((AccessDeniedError, RecordGoneError)):
        mira.read(*frames)
    (asked,) = selectors.own_requests(subject=mira.subject)
    assert asked.status is RequestStatus.FULFILLED
    assert asked.has_certificate


def test_the_certificate_is_signed_and_says_what_went_and_what_stays(mira: Someone) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    order = erase(mira)
    jobs.run_due()
    envelope = certificate.envelope(subject=mira.subject, order_id=order.id)
    keys = {k.key_id: k.public for k in signing.public_keys("certificate")}
    document = json.loads(
        signing.dsse_verify(
            public_keys=keys, envelope=envelope, payload_type=certificate.PAYLOAD_TYPE
        )
    )
    assert document["data_subject"] == f"urn:uuid:{mira.subject}"
    assert document["objects_purged"] == 1
    assert document["keys_destroyed"] > 0
    assert document["unreadable_since"] < document["copies_unreadable_by"]
    assert [entry["state"] for entry in document["log"]["entries"]] == [
        s.value for s in ErasureState
    ]
    held = ErasureCertificate.objects.get()
    leaf = base64.b64encode(bytes(held.entry.leaf_hash)).decode()
    assert document["log"]["completed"] == {"entry": str(held.entry.uuid), "leaf_hash": leaf}


def test_the_certificate_is_the_persons_own(mira: Someone, carla: Someone) -> None:
    order = erase(mira)
    jobs.run_due()
    with pytest.raises(RequestNotFoundError):
        certificate.envelope(subject=carla.subject, order_id=order.id)


@pytest.mark.parametrize(
    ("module", "station"), [(deletion, "purge_subject"), (captured, "remaining")]
)
def test_an_erasure_goes_on_from_wherever_it_was_cut_short(
    mira: Someone, monkeypatch: pytest.MonkeyPatch, module: ModuleType, station: str
) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    order = erase(mira)
    real = getattr(module, station)
    struck: list[int] = []

    def fails_once(**arguments: object) -> object:
        if not struck:
            struck.append(1)
            raise ConnectionError
        return real(**arguments)

    monkeypatch.setattr(module, station, fails_once)
    job = jobs.add(kind=erasure.SUBJECT_JOB, ref=str(order.id))
    jobs.run(job.id)
    assert struck
    assert selectors.erasure_state(order) is not ErasureState.COMPLETED
    job.refresh_from_db()
    job.run_at = job.created_at
    job.save(update_fields=["run_at"])
    jobs.run(job.id)
    assert selectors.erasure_state(order) is ErasureState.COMPLETED
    assert order.steps.count() == len(ErasureState)


def test_what_is_not_verified_is_not_completed(
    mira: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    order = erase(mira)
    monkeypatch.setattr(captured, "remaining", lambda **_: 1)
    job = jobs.add(kind=erasure.SUBJECT_JOB, ref=str(order.id))
    with pytest.raises(erasure.NotYetVerifiedError):
        erasure.erase_subject(str(order.id), Fence(job.id, 1))
    assert not ErasureCertificate.objects.exists()


def test_erasing_twice_is_one_order_and_the_account_stays(mira: Someone) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    first = erase(mira)
    jobs.run_due()
    assert erase(mira) == first
    assert ErasureOrder.objects.filter(application="").count() == 1
    assert accounts.person_by_subject(mira.subject) is not None
    assert accounts.devices_of(mira.subject)
    assert consents.history(subject=mira.subject)


def test_after_an_erasure_a_yes_is_refused_and_a_no_is_not(mira: Someone) -> None:
    erase(mira)
    jobs.run_due()
    with pytest.raises(SubjectErasedError):
        mira.allow(POINTER)
    mira.choose(ConsentStatus.REFUSED, POINTER)
    assert accesses.lines(subject=mira.subject) == []


def test_an_erasure_touches_nobody_else(mira: Someone, carla: Someone) -> None:
    for someone in (mira, carla):
        someone.allow(POINTER)
        someone.record("pointer")
    erase(mira)
    jobs.run_due()
    (frame,) = carla.frames()
    assert carla.read(frame.id)
    assert accesses.lines(subject=carla.subject)


@pytest.mark.parametrize(
    "table",
    [
        "rights_rightsrequest",
        "rights_requeststep",
        "rights_erasureorder",
        "rights_erasurestep",
        "rights_erasurecertificate",
    ],
)
def test_what_was_ordered_and_certified_cannot_be_changed(mira: Someone, table: str) -> None:
    erase(mira)
    jobs.run_due()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] > 0
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
            with (
                authorizer.lifted(connection),
                pytest.raises(DatabaseError, match="append-only"),
                transaction.atomic(),
            ):
                cursor.execute(statement)
