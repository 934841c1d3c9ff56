"""One batch from upload to the portal: accepted, opened, judged, redacted, sealed, read, ended."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from audit import selectors as audit
from audit.actions import Action
from audit.actors import Actor
from consent import services as consent
from consent.status import ConsentStatus
from governance.capture import cut_reads, deletion, expiry, gate, intake, selectors
from governance.capture.errors import (
    AccessDeniedError,
    BatchConflictError,
    BatchMalformedError,
    BatchSequenceError,
    ConsentRequiredError,
    ConsentWithdrawnError,
    DeviceBudgetError,
    PolicyExpiredError,
    PolicyViolationError,
    RecordGoneError,
)
from governance.capture.models import (
    BatchOutcome,
    CaptureBatch,
    DispositionRecord,
    Frame,
    LiveFrame,
    SealedBatch,
)
from governance.capture.selectors import batch_status as status
from governance.capture.selectors import missing_events
from governance.decisions import Reason
from governance.jobs import services as jobs
from tests import make

MOVE = {"type": "mouse.move", "app": make.DESK, "x": 1, "y": 2}
POINTER = {(make.DESK, "pointer"): 3}


Lines = list[dict[str, object]]
Cells = dict[tuple[str, str], int]


def typed(text: str) -> Lines:
    return [
        {"type": kind, "app": make.DESK, "key_char": character, "field": "f1"}
        for character in text
        for kind in ("key.down", "key.up")
    ]


def upload(agent: make.Endpoint, header: dict[str, object], wire: bytes) -> CaptureBatch:
    uploader = intake.Uploader(agent.device.id, agent.subject)
    return intake.accept_batch(
        uploader=uploader, idempotency_key=str(header["batch_id"]), wire=wire
    ).batch


def send(agent: make.Endpoint, lines: Lines, cells: Cells, **changes: Any) -> BatchOutcome:
    header, wire = make.sealed(agent, lines, cells, **changes)
    batch = upload(agent, header, wire)
    jobs.run_due()
    return BatchOutcome.objects.get(batch_id=batch.id)


def now_events(*lines: Mapping[str, object]) -> Lines:
    return make.events(time.time_ns(), *lines)


def continued(agent: make.Endpoint, *lines: Mapping[str, object]) -> Lines:
    found = now_events(*lines)
    return [{**event, "seq": agent.next_seq + number} for number, event in enumerate(found)]


def own(nordhafen: make.House) -> Actor:
    return nordhafen.actor("mira")


def frames_of(subject: str) -> list[UUID]:
    return list(
        LiveFrame.objects.filter(subject=subject)
        .order_by("frame_id")
        .values_list("frame_id", flat=True)
    )


def test_a_batch_is_stored_as_frames_and_its_original_is_gone(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    outcome = send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    assert (outcome.state, outcome.accepted, outcome.refused) == ("done", 3, {})
    assert not SealedBatch.objects.exists()
    frame = Frame.objects.get()
    assert (frame.application, frame.category, frame.event_count) == (make.DESK, "pointer", 3)
    assert frame.first_hour.minute == 0
    assert frame.retain_until == frame.first_hour + timedelta(days=make.DAYS)
    with gate.open_records(
        actor=own(nordhafen), purpose="own-access", frames=[frame.id]
    ) as records:
        assert [event["x"] for event in records[0].events] == [1, 1, 1]


def test_r54_typed_names_and_addresses_are_gone_before_anything_is_stored(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    lines = now_events(*typed("mail jane.doe@example.com"))
    outcome = send(agent, lines, {(make.DESK, "keystroke-text"): len(lines)})
    assert outcome.accepted == len(lines)
    assert outcome.redacted["EMAIL"] == 1
    with gate.open_records(
        actor=own(nordhafen), purpose="own-access", frames=frames_of(agent.subject)
    ) as records:
        left = "".join(str(event.get("key_char", "")) for event in records[0].events)
    assert "jane" not in left
    assert "m" in left


def test_r48_every_event_is_judged_again_after_opening(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    lines = now_events(
        MOVE,
        {"type": "mouse.move", "app": make.TERMINAL, "x": 1, "y": 1},
        {"type": "key.down", "app": make.DESK, "key_char": "x"},
        {"type": "mouse.move", "app": make.DESK, "x": 1, "y": 1, "title": "secret"},
        {"type": "nav.url", "app": make.DESK, "url_pattern": "elsewhere"},
    )
    outcome = send(
        agent,
        lines,
        {(make.DESK, "pointer"): 1, (make.DESK, "window-metadata"): 1},
    )
    assert outcome.accepted == 1
    assert outcome.refused == {"not_declared": 2, "unknown_field": 1, "pattern_not_listed": 1}


@pytest.mark.parametrize(
    "plaintext",
    [b"", b"not zstd", b"\x28\xb5\x2f\xfd" + b"\x00" * 40],
    ids=["empty", "text", "broken frame"],
)
def test_what_opening_shows_is_refused_and_the_next_batch_works(
    nordhafen: make.House, agent: make.Endpoint, plaintext: bytes
) -> None:
    outcome = send(agent, now_events(MOVE), POINTER | {}, plaintext=plaintext, seq_to=2)
    assert (outcome.state, outcome.accepted) == ("refused", 0)
    assert not Frame.objects.exists()
    assert not SealedBatch.objects.exists()
    agent.next_seq = 3
    again = send(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)
    assert again.accepted == 3


def test_an_archive_bomb_is_refused(nordhafen: make.House, agent: make.Endpoint) -> None:
    from governance.capture.content import pack

    bomb = pack([b"\x00" * (64 << 20)])
    outcome = send(agent, now_events(MOVE), POINTER, plaintext=bomb, seq_to=2)
    assert outcome.refused == {"malformed": 1}


def test_a_seal_that_does_not_open_is_refused(nordhafen: make.House, agent: make.Endpoint) -> None:
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    batch = upload(agent, header, wire[:-1] + bytes([wire[-1] ^ 1]))
    jobs.run_due()
    assert BatchOutcome.objects.get(batch_id=batch.id).refused == {"bad_seal": 1}


def test_every_opening_ends_once_with_what_became_of_the_batch(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    send(agent, continued(agent, MOVE, MOVE, MOVE), POINTER, plaintext=b"no archive")
    ends = [entry for entry in audit.told(Action.ACCESS_CLOSED) if entry.act == "open"]
    assert [entry.details["outcome"] for entry in ends] == ["completed", "failed"]
    opened = [entry for entry in audit.told(Action.ACCESS_ALLOWED) if entry.act == "open"]
    assert [entry.details["grant"] for entry in ends] == [str(entry.uuid) for entry in opened]


def test_the_same_batch_again_gives_the_same_answer_and_is_stored_once(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    first, second = upload(agent, header, wire), upload(agent, header, wire)
    assert first.entry_id == second.entry_id
    jobs.run_due()
    assert upload(agent, header, wire).entry_id == first.entry_id
    assert Frame.objects.count() == 1


def test_the_same_id_with_other_bytes_is_a_conflict(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    upload(agent, header, wire)
    with pytest.raises(BatchConflictError):
        upload(agent, header, wire[:-1] + bytes([wire[-1] ^ 1]))


def test_a_session_never_goes_back(nordhafen: make.House, agent: make.Endpoint) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER, seq_from=1, seq_to=3)
    with pytest.raises(BatchSequenceError):
        upload(agent, header, wire)


def test_a_hole_in_a_session_is_let_through_counted_and_never_filled_later(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    """F36: what is missing is known from then on, to the device and to its person."""

    def missing() -> int:
        known = status(batch_id=batch.id, device_id=agent.device.id)
        assert known is not None
        counted = missing_events(subject=agent.subject).get(agent.device.id, 0)
        assert counted == known.missing
        return counted

    def batch_at(seq: int) -> tuple[dict[str, object], bytes]:
        agent.next_seq = seq
        return make.sealed(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)

    batch = upload(agent, *batch_at(0))
    assert missing() == 0
    after_hole, late = batch_at(5), batch_at(3)
    batch = upload(agent, *after_hole)
    assert missing() == 2
    # What was missing comes late, the batch after the hole a second time: neither counts.
    with pytest.raises(BatchSequenceError) as refused:
        upload(agent, *late)
    assert refused.value.next_seq == 8
    upload(agent, *after_hole)
    assert missing() == 2
    with pytest.raises(BatchMalformedError):
        upload(agent, *make.sealed(agent, now_events(MOVE), POINTER, seq_from=100, extra=1))
    assert missing() == 2
    batch = upload(agent, *batch_at(8))
    assert missing() == 2
    batch = upload(agent, *batch_at(18))
    assert missing() == 9


def test_a_session_whose_beginning_never_came_says_so(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    agent.next_seq = 7
    upload(agent, *make.sealed(agent, continued(agent, MOVE, MOVE, MOVE), POINTER))
    # Another session of the same device, whole, and another person's: nothing is added.
    whole = replace(agent, session_id=uuid4(), next_seq=0)
    upload(agent, *make.sealed(whole, now_events(MOVE, MOVE, MOVE), POINTER))
    assert missing_events(subject=agent.subject) == {agent.device.id: 7}
    assert missing_events(subject=nordhafen.subject("tariq")) == {}


DAY_NS = 86_400 * 10**9


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"device_id": "0199a1f0-1d3c-7c11-8a01-3f2b7f0c0001"}, PolicyViolationError),
        ({"created_ns": time.time_ns() - DAY_NS}, PolicyExpiredError),
        ({"created_ns": time.time_ns() + DAY_NS}, PolicyExpiredError),
        ({"policy_digest": "0" * 64}, PolicyExpiredError),
        ({"key_id": "unknown"}, PolicyExpiredError),
        ({"batch_id": "b0cb2f5e-7a83-4d4f-9a55-3d0d5b1f2a11"}, BatchMalformedError),
        ({"schema": "sealed-batch/2"}, BatchMalformedError),
        ({"extra": 1}, BatchMalformedError),
        ({"seq_to": 10**6}, BatchMalformedError),
    ],
)
def test_r48_a_header_that_lies_is_refused_and_nothing_is_stored(
    nordhafen: make.House, agent: make.Endpoint, changes: dict[str, Any], error: type[Exception]
) -> None:
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER, **changes)
    with pytest.raises(error):
        upload(agent, header, wire)
    assert not CaptureBatch.objects.exists()
    assert not SealedBatch.objects.exists()
    agent.next_seq = 0
    assert send(agent, now_events(MOVE, MOVE, MOVE), POINTER).accepted == 3


def test_refused_batches_use_up_the_budget_of_their_device(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "REQUESTS_PER_HOUR", 3)
    for changes in ({"policy_digest": "0" * 64}, {"key_id": "unknown"}, {"extra": 1}):
        header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER, **changes)
        with pytest.raises((PolicyExpiredError, BatchMalformedError)):
            upload(agent, header, wire)
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    with pytest.raises(DeviceBudgetError):
        upload(agent, header, wire)


def test_a_cell_without_consent_or_policy_is_refused_at_the_door(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    lines = now_events({"type": "mouse.move", "app": make.TERMINAL, "x": 1, "y": 1})
    header, wire = make.sealed(agent, lines, {(make.TERMINAL, "pointer"): 1})
    with pytest.raises(ConsentRequiredError):
        upload(agent, header, wire)
    header, wire = make.sealed(agent, lines, {("customer-desk", "pointer"): 1})
    with pytest.raises(PolicyViolationError):
        upload(agent, header, wire)


def test_r05_events_from_before_a_withdrawal_are_refused_after_it(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")], ConsentStatus.WITHDRAWN)
    with pytest.raises(ConsentWithdrawnError):
        upload(agent, header, wire)


def test_r05_a_withdrawal_reaches_what_is_queued(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    batch = upload(agent, header, wire)
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")], ConsentStatus.WITHDRAWN)
    jobs.run_due()
    outcome = BatchOutcome.objects.get(batch_id=batch.id)
    assert (outcome.accepted, outcome.refused) == (0, {"consent_missing": 3})
    assert not Frame.objects.exists()


def test_r14_events_inside_a_pause_are_refused_whatever_the_agent_sends(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    consent.pause(subject=agent.subject, device_id=None, until=None, actor=own(nordhafen))
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    with pytest.raises((ConsentRequiredError, ConsentWithdrawnError)):
        upload(agent, header, wire)


def test_nobody_else_reads_and_every_refusal_is_an_entry(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    frames = frames_of(agent.subject)
    for actor, purpose, reason in [
        (nordhafen.actor("petra"), "own-access", Reason.NOT_OWN_DATA),
        (nordhafen.ines, make.TRAIN, Reason.ROLE_NOT_PERMITTED),
        (nordhafen.jonas, make.TRAIN, Reason.NO_APPROVED_REQUEST),
        (nordhafen.jonas, "performance-evaluation", Reason.PURPOSE_PROHIBITED),
        (nordhafen.jonas, "something-else", Reason.PURPOSE_UNKNOWN),
        (Actor.system("redactor"), "retention", Reason.ROLE_NOT_PERMITTED),
    ]:
        with (
            pytest.raises(AccessDeniedError) as refused,
            gate.open_records(actor=actor, purpose=purpose, frames=frames),
        ):
            pytest.fail("The gate let it through.")
        assert refused.value.reason is reason
        (seen,) = audit.entries_about(subject=agent.subject, events=[Action.ACCESS_DENIED], limit=1)
        assert seen.details["reason"] == reason.value


def test_every_read_is_an_entry_its_subject_sees(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    with gate.open_records(
        actor=own(nordhafen), purpose="own-access", frames=frames_of(agent.subject)
    ):
        pass
    closed, allowed = audit.entries_about(
        subject=agent.subject, events=[Action.ACCESS_ALLOWED, Action.ACCESS_CLOSED], limit=2
    )
    assert allowed.details["cells"] == [f"{make.DESK}/pointer"]
    assert closed.details["outcome"] == "completed"
    assert closed.details["grant"] == str(allowed.uuid)


def test_a_read_that_nobody_closed_is_closed_as_incomplete_once(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    """F03: the reader's process died between its entry and the closing one."""
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    frames = frames_of(agent.subject)
    who = own(nordhafen)
    gate.list_frames(
        actor=who, purpose="own-access", filters=gate.FrameFilter(subject=agent.subject)
    )
    with gate.open_records(actor=who, purpose="own-access", frames=frames):
        pass
    read = gate._Read(who, "own-access", "read", None)
    permit = gate._admit(read, gate._frames(frames))[agent.subject]
    now = timezone.now()
    assert cut_reads.close(now=now) == 0, "It may still be under way."
    assert cut_reads.close(now=now + timedelta(minutes=16)) == 1
    assert cut_reads.close(now=now + timedelta(minutes=20)) == 0
    (closed,) = audit.entries_about(subject=agent.subject, events=[Action.ACCESS_CLOSED], limit=1)
    assert closed.details["outcome"] == "incomplete"
    assert (closed.details["grant"], closed.act) == (str(permit.entry), "read")


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(days=400)])
def test_a_worker_with_a_wrong_clock_drops_nothing_it_opens(
    agent: make.Endpoint,
    time_machine: Callable[[datetime], None],
    open_log: Callable[[], None],
    off: timedelta,
) -> None:
    """F11: consent stands or not by the database's clock; the worker's begins before the yes."""
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    upload(agent, header, wire)
    time_machine(timezone.now() + off)
    open_log()
    jobs.run_due()
    assert [frame.event_count for frame in Frame.objects.all()] == [3]


def test_expired_data_is_refused_even_when_the_job_is_late(
    nordhafen: make.House,
    agent: make.Endpoint,
    time_machine: Callable[[datetime], None],
    open_log: Callable[[], None],
) -> None:
    """F09: nobody disposed of it, and nobody reads it."""
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    frames = frames_of(agent.subject)
    time_machine(timezone.now() + timedelta(days=make.DAYS + 1))
    open_log()
    with (
        pytest.raises(AccessDeniedError) as refused,
        gate.open_records(actor=own(nordhafen), purpose="own-access", frames=frames),
    ):
        pytest.fail("Expired data was read.")
    assert refused.value.reason is Reason.EXPIRED
    assert expiry.overdue() == 1
    assert expiry.expire_due() == 1
    assert expiry.overdue() == 0
    record = DispositionRecord.objects.get()
    assert (record.clock, record.schedule_version) == ("category", f"{make.DESK}@1")
    assert expiry.expire_due() == 0


def test_deleting_one_capture_keeps_the_others_under_a_new_key(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    send(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)
    first, second = frames_of(agent.subject)
    before = Frame.objects.get(id=second).generation
    deletion.delete_frames(subject=agent.subject, frames=[first], actor=own(nordhafen))
    (left,) = frames_of(agent.subject)
    assert left not in (first, second)
    assert Frame.objects.get(id=left).generation > before
    with gate.open_records(actor=own(nordhafen), purpose="own-access", frames=[left]) as records:
        assert len(records[0].events) == 3
    with (
        pytest.raises((AccessDeniedError, RecordGoneError)),
        gate.open_records(actor=own(nordhafen), purpose="own-access", frames=[first]),
    ):
        pytest.fail("A deleted capture was read.")


def test_forgetting_cuts_what_is_stored_and_refuses_what_still_comes(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    cut = timezone.now()
    send(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)
    header, wire = make.sealed(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)
    queued = upload(agent, header, wire)
    deletion.forget(subject=agent.subject, since=cut, actor=own(nordhafen))
    jobs.run_due()
    assert BatchOutcome.objects.get(batch_id=queued.id).refused == {"paused": 3}
    with gate.open_records(
        actor=own(nordhafen), purpose="own-access", frames=frames_of(agent.subject)
    ) as records:
        assert [len(record.events) for record in records] == [3]


def test_purging_a_person_leaves_nothing(nordhafen: make.House, agent: make.Endpoint) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    header, wire = make.sealed(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)
    upload(agent, header, wire)
    deletion.purge_subject(subject=agent.subject, actor=Actor.system("erasure"))
    jobs.run_due()
    assert selectors.remaining(subject=agent.subject) == 0


def test_clear_columns_tell_no_minute_and_no_text(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    lines = now_events(*typed("hello"))
    send(agent, lines, {(make.DESK, "keystroke-text"): len(lines)})
    frame = Frame.objects.values().get()
    clear = json.dumps({key: str(value) for key, value in frame.items() if key != "id"})
    assert "hello" not in clear
    assert frame["last_hour"].minute == frame["first_hour"].second == 0


def test_the_command_disposes_of_what_is_due(
    agent: make.Endpoint,
    time_machine: Callable[[datetime], None],
    open_log: Callable[[], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the database's clock: the command's own may be a year ahead."""
    from django.core.management import call_command

    from governance.management.commands import expire

    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    due = timezone.now() + timedelta(days=make.DAYS + 1)
    time_machine(due)
    open_log()
    call_command("expire")
    assert capsys.readouterr().out == "disposed 0, overdue 0\n"
    monkeypatch.setattr(expire, "database_now", lambda: due)
    call_command("expire")
    assert capsys.readouterr().out == "disposed 1, overdue 0\n"
