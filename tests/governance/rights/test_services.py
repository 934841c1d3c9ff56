"""Deleting, forgetting, pausing, asking; and what the person sees of who accessed what."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from audit.actors import Actor
from governance.capture import gate
from governance.capture import selectors as capture
from governance.capture.errors import AccessDeniedError, RecordGoneError
from governance.capture.models import BatchOutcome, CaptureBatch, SealedBatch
from governance.jobs import services as jobs
from governance.jobs.models import Job
from governance.redaction import pipeline
from governance.rights import accesses, renewal, requests, selectors, services, tasks
from governance.rights.errors import ForgetSpanError, RequestChangeError, RequestNotFoundError
from governance.rights.states import REQUEST_CHANGES, Kind, RequestStatus
from governance.vault import seal_keys
from tests.governance.rights.conftest import CLICK, POINTER, Someone

pytestmark = pytest.mark.django_db


def test_one_capture_goes_and_the_others_stay_readable(mira: Someone) -> None:
    mira.allow(POINTER, CLICK)
    first = mira.record("pointer")[0]
    mira.record("pointer")
    services.delete_capture(subject=mira.subject, frames=[first], actor=mira.actor)
    left = mira.frames()
    assert len(left) == 1
    assert mira.read(left[0].id)
    with pytest.raises(AccessDeniedError):
        mira.read(first)
    with pytest.raises(RecordGoneError):
        services.delete_capture(subject=mira.subject, frames=[first], actor=mira.actor)


def test_nobody_deletes_anothers_capture(mira: Someone, carla: Someone) -> None:
    mira.allow(POINTER)
    (frame,) = mira.record("pointer")
    with pytest.raises(RecordGoneError):
        services.delete_capture(subject=carla.subject, frames=[frame], actor=carla.actor)
    assert mira.read(frame)


@pytest.mark.parametrize("minutes", [0, -1, 24 * 60 + 1])
def test_only_minutes_of_the_last_day_can_be_forgotten(mira: Someone, minutes: int) -> None:
    with pytest.raises(ForgetSpanError):
        services.forget(subject=mira.subject, last_minutes=minutes, actor=mira.actor)


def test_the_last_minutes_are_forgotten(mira: Someone) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    services.forget(subject=mira.subject, last_minutes=15, actor=mira.actor)
    assert mira.frames() == []


def test_accesses_show_role_and_pseudonym_but_no_key(mira: Someone, carla: Someone) -> None:
    mira.allow(POINTER)
    (frame,) = mira.record("pointer")
    mira.read(frame)
    for _ in range(2):
        with (
            pytest.raises(AccessDeniedError),
            gate.open_records(actor=carla.actor, purpose="own-access", frames=[frame]),
        ):
            pass
    lines = accesses.lines(subject=mira.subject)
    denied = [line for line in lines if line.action == "access:denied"]
    assert {line.reason for line in denied} == {"not_own_data"}
    assert len({line.accessor for line in denied}) == 1
    assert carla.subject not in repr(lines)
    own = next(line for line in lines if line.is_own)
    assert (own.accessor, own.role) == ("you", "employee")
    assert {line.accessor for line in lines if line.purpose == "redaction"} == {"redactor"}
    assert all(line.proof_url.endswith(f"{line.entry}/proof") for line in lines)
    pages = accesses.lines(subject=mira.subject, limit=1)
    assert accesses.lines(subject=mira.subject, limit=1, before=pages[0].seq) == lines[1:2]


def test_a_pause_has_an_end_or_none(mira: Someone) -> None:
    now = timezone.now()
    services.pause(subject=mira.subject, actor=mira.actor, minutes=15, now=now)
    from consent import selectors as consents

    (pause,) = consents.pauses(subject=mira.subject)
    assert pause.end == now + timedelta(minutes=15)
    assert services.resume(subject=mira.subject, actor=mira.actor) is not None


@pytest.mark.parametrize(
    ("received", "owed"),
    [
        ("2026-01-31", "2026-02-28"),
        ("2026-03-31", "2026-04-30"),
        ("2026-11-20", "2026-12-20"),
        ("2026-11-25", "2026-12-25"),
        ("2026-12-01", "2027-01-01"),
        ("2028-01-31", "2028-02-29"),
    ],
)
def test_an_answer_is_owed_within_a_month(received: str, owed: str) -> None:
    moment = datetime.fromisoformat(f"{received}T08:00:00").replace(tzinfo=UTC)
    assert requests.due(moment).date().isoformat() == owed


def test_a_request_is_confirmed_at_once_and_is_the_persons_own(
    mira: Someone, carla: Someone
) -> None:
    asked = services.request(
        subject=mira.subject, kind=Kind.RECTIFICATION, actor=mira.actor, words="My unit is wrong."
    )
    view = selectors.own_request(subject=mira.subject, request_id=asked.id)
    assert (view.status, view.words) == (RequestStatus.ACKNOWLEDGED, "My unit is wrong.")
    with pytest.raises(RequestNotFoundError):
        selectors.own_request(subject=carla.subject, request_id=asked.id)


@pytest.mark.parametrize("status", list(RequestStatus))
def test_a_request_goes_only_where_the_table_says(mira: Someone, status: RequestStatus) -> None:
    asked = services.request(subject=mira.subject, kind=Kind.ACCESS, actor=mira.actor)
    allowed = REQUEST_CHANGES[RequestStatus.ACKNOWLEDGED] | {RequestStatus.ACKNOWLEDGED}
    if status in allowed:
        requests.advance(request=asked, status=status, entry=asked.entry)
        assert requests.latest_step(asked).status == status
    else:
        with pytest.raises(RequestChangeError):
            requests.advance(request=asked, status=status, entry=asked.entry)


def test_fulfilling_twice_is_once(mira: Someone) -> None:
    asked = services.request(subject=mira.subject, kind=Kind.ACCESS, actor=mira.actor)
    for _ in range(2):
        requests.fulfil(request=asked, actor=Actor.system("export"))
    assert [step.status for step in asked.steps.order_by("number")] == [
        "RequestInitiated",
        "RequestAcknowledged",
        "RequestAccepted",
        "RequestFulfilled",
    ]


def test_three_nights_destroy_what_a_copy_could_open_and_data_stays_readable(mira: Someone) -> None:
    mira.allow(POINTER)
    (frame,) = mira.record("pointer")
    (used,) = seal_keys.current()
    now = timezone.now()
    for night in (0, 0, 1, 1):
        renewal.renew(now=now + timedelta(days=night))
        assert seal_keys.is_open(used.key_id), "Agents may still send, however often it rotates."
    renewal.renew(now=now + timedelta(days=2))
    assert not seal_keys.is_open(used.key_id)
    assert mira.read(frame)


def test_r54_where_redaction_fails_nothing_is_readable_and_after_72_hours_nothing_ever_is(
    mira: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    mira.allow(POINTER)
    (used,) = seal_keys.current()
    monkeypatch.setattr(pipeline, "redact", broken)
    now = timezone.now()
    mira.record("pointer")
    for _ in range(jobs.MAX_ATTEMPTS):
        Job.objects.update(run_at=now - timedelta(minutes=1))
        jobs.run_due()
    assert BatchOutcome.objects.get().state == "quarantined"
    assert mira.frames() == []
    original = SealedBatch.objects.get()
    assert b"mouse.move" not in bytes(original.wire)
    for night in range(1, 4):
        renewal.renew(now=now + timedelta(days=night))
    renewal.end_seal_keys(now=now + timedelta(hours=72))
    assert not seal_keys.is_open(used.key_id)
    monkeypatch.undo()
    Job.objects.update(state="ready", attempts=0, run_at=now - timedelta(minutes=1))
    jobs.run_due()
    assert mira.frames() == [], "a redactor that works again opens it no more"


def test_r54_a_retired_seal_key_ends_with_its_batches_and_after_72_hours_whatever_waits(
    mira: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    waiting: set[str] = set()
    monkeypatch.setattr(capture, "seal_keys_in_use", lambda: waiting)
    (first,) = seal_keys.current()
    second = seal_keys.rotate()
    seal_keys.rotate()
    waiting.add(second.key_id)
    now = timezone.now()

    assert renewal.end_seal_keys(now=now + timedelta(hours=24)) == 0, "Agents may still send."
    assert renewal.end_seal_keys(now=now + timedelta(hours=26)) == 1
    assert (seal_keys.is_open(first.key_id), seal_keys.is_open(second.key_id)) == (False, True)
    assert renewal.end_seal_keys(now=now + timedelta(hours=46)) == 0
    assert renewal.end_seal_keys(now=now + timedelta(hours=48)) == 1
    assert not seal_keys.is_open(second.key_id)
    assert len(seal_keys.current()) == 1, "What is offered stays."


@pytest.mark.parametrize("off", [timedelta(days=-400), timedelta(days=400)])
def test_a_host_with_a_wrong_clock_ends_no_seal_key(
    mira: Someone, time_machine: Callable[[datetime], None], off: timedelta
) -> None:
    (first,) = seal_keys.current()
    second = seal_keys.rotate()
    right = timezone.now()
    time_machine(right + off)
    tasks.renew_keys()
    tasks.end_seal_keys()
    time_machine(right)
    tasks.end_seal_keys()
    left = [seal_keys.is_open(key.key_id) for key in (first, second)]
    assert left == [True, True], "Agents may still send for a day."


def test_a_batch_whose_seal_key_is_destroyed_ends_refused(mira: Someone) -> None:
    mira.allow(POINTER)
    (key,) = seal_keys.current()
    with pytest.MonkeyPatch.context() as later:
        later.setattr(jobs, "run_due", lambda: 0)
        mira.record("pointer")
    assert CaptureBatch.objects.get().key_id == key.key_id
    seal_keys.destroy(key_id=key.key_id)
    jobs.run_due()
    assert BatchOutcome.objects.get().refused == {"bad_seal": 1}
    assert not SealedBatch.objects.exists()
