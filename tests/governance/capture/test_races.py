"""What happens when a person changes their mind while somebody works with their data."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit import health
from consent.status import ConsentStatus
from governance.capture import bystander_index, deletion, gate, never_capture
from governance.capture.gate import FrameFilter
from governance.capture.models import BatchOutcome, Frame
from governance.jobs import services as jobs
from governance.redaction import pipeline
from governance.vault import reading
from tests import make
from tests.governance.capture.test_path import (
    MOVE,
    POINTER,
    continued,
    frames_of,
    now_events,
    own,
    send,
    typed,
    upload,
)

Act = Callable[[], object]
CLICK = {"type": "mouse.down", "app": make.DESK, "x": 1, "y": 2, "button": "left"}


def just_after(monkeypatch: pytest.MonkeyPatch, place: object, name: str, act: Act) -> None:
    """Do `act` once, right after the real function `name` of `place` has done its work."""
    real: Callable[..., Any] = getattr(place, name)
    waiting = [act]

    def meanwhile(*args: Any, **named: Any) -> Any:
        answer = real(*args, **named)
        if waiting:
            waiting.pop()()
        return answer

    monkeypatch.setattr(place, name, meanwhile)


def outcome_of(agent: make.Endpoint) -> BatchOutcome:
    header, wire = make.sealed(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    batch = upload(agent, header, wire)
    jobs.run_due()
    return BatchOutcome.objects.get(batch_id=batch.id)


def test_forgetting_reaches_a_batch_that_is_just_being_redacted(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget() -> None:
        since = timezone.now() - timedelta(minutes=15)
        deletion.forget(subject=agent.subject, since=since, actor=own(nordhafen))

    just_after(monkeypatch, pipeline, "redact", forget)
    outcome = outcome_of(agent)
    assert (outcome.accepted, outcome.refused) == (0, {"paused": 3})
    assert not Frame.objects.exists()


def test_a_no_and_a_new_yes_do_not_let_in_what_came_before(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change_twice() -> None:
        cell = [(make.TRAIN, make.DESK, "pointer")]
        make.decide(nordhafen, "mira", cell, ConsentStatus.WITHDRAWN)
        make.decide(nordhafen, "mira", cell)

    just_after(monkeypatch, pipeline, "redact", change_twice)
    outcome = outcome_of(agent)
    assert (outcome.accepted, outcome.refused) == (0, {"consent_missing": 3})


def test_r57_an_objection_reaches_a_batch_that_was_judged_and_is_not_yet_stored(
    nordhafen: make.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "keystroke-text")])
    agent = make.endpoint(nordhafen, "mira")

    def object_to_it() -> None:
        never_capture.enter(identifier="jane.doe@example.com", actor=nordhafen.ines)

    just_after(monkeypatch, bystander_index, "marks", object_to_it)
    lines = now_events(*typed("mail jane.doe@example.com today"))
    outcome = send(agent, lines, {(make.DESK, "keystroke-text"): len(lines)})
    assert (outcome.accepted, outcome.refused) == (0, {"protected": len(lines)})
    assert not Frame.objects.exists()


def test_a_record_deleted_during_a_listing_does_not_refuse_the_others(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    send(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)
    first, _ = frames_of(agent.subject)

    def delete() -> None:
        deletion.delete_frames(subject=agent.subject, frames=[first], actor=own(nordhafen))

    just_after(monkeypatch, health, "require_open", delete)
    found = gate.list_frames(
        actor=own(nordhafen), purpose="own-access", filters=FrameFilter(subject=agent.subject)
    )
    assert [frame.id for frame in found] == frames_of(agent.subject)


def test_what_is_stored_while_another_record_is_deleted_stays_readable(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    (first,) = frames_of(agent.subject)

    def work_on() -> None:
        send(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)

    just_after(monkeypatch, deletion, "_survivors", work_on)
    deletion.delete_frames(subject=agent.subject, frames=[first], actor=own(nordhafen))
    frames = frames_of(agent.subject)
    with gate.open_records(actor=own(nordhafen), purpose="own-access", frames=frames) as records:
        assert [len(record.events) for record in records] == [3]


def purge(agent: make.Endpoint) -> None:
    deletion.purge_cell(
        subject=agent.subject,
        application=make.DESK,
        category="pointer",
        actor=deletion.ERASER,
    )


def test_a_withdrawal_during_a_deletion_brings_nothing_back(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    send(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)
    first, _ = frames_of(agent.subject)
    just_after(monkeypatch, reading, "unseal_frame", lambda: purge(agent))
    deletion.delete_frames(subject=agent.subject, frames=[first], actor=own(nordhafen))
    assert frames_of(agent.subject) == []


def test_forgetting_goes_on_when_something_was_deleted_meanwhile(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    send(agent, continued(agent, CLICK, CLICK), {(make.DESK, "click"): 2})
    just_after(monkeypatch, deletion, "_survivors", lambda: purge(agent))
    since = timezone.now() - timedelta(minutes=15)
    deletion.forget(subject=agent.subject, since=since, actor=own(nordhafen))
    assert frames_of(agent.subject) == []


def test_what_a_deletion_seals_anew_meanwhile_is_forgotten_too(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by tests.faults: the copy was younger than the forgetting and nobody looked at it."""
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    send(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)
    first, _ = frames_of(agent.subject)
    since = timezone.now() - timedelta(minutes=15)

    def forget() -> None:
        with monkeypatch.context() as patch:
            # Its process dies right after the commit; the job that completes it comes later.
            patch.setattr(deletion, "cut", lambda **_: 0)
            deletion.forget(subject=agent.subject, since=since, actor=own(nordhafen))

    just_after(monkeypatch, reading, "unseal_frame", forget)
    deletion.delete_frames(subject=agent.subject, frames=[first], actor=own(nordhafen))
    assert frames_of(agent.subject) == []


def test_the_first_and_the_last_day_of_the_calendar_are_days(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    for day in (date.min, date.max):
        filters = FrameFilter(subject=agent.subject, day=day)
        assert not gate.list_frames(actor=own(nordhafen), purpose="own-access", filters=filters)
