"""What waits of one device is redacted together, and nobody's batch suffers for another's."""

import time
from collections.abc import Sequence

import pytest

from audit.models import Entry
from governance.capture import gate, runs, storing
from governance.capture.models import BatchOutcome, CaptureBatch, LiveFrame
from governance.jobs import services as jobs
from governance.jobs.models import Job, JobState
from governance.vault.models import KeyRelease
from tests import make
from tests.governance.capture.test_path import (
    MOVE,
    POINTER,
    continued,
    frames_of,
    now_events,
    own,
    upload,
)

BACKLOG = 8


def hand_in(agent: make.Endpoint, count: int = BACKLOG, *, bad: int | None = None) -> None:
    """Hand in batches that nobody redacts yet; the one of a number holds what is no content."""
    for number in range(count):
        lines = continued(agent, MOVE, MOVE, MOVE) if number else now_events(MOVE, MOVE, MOVE)
        changes = {"plaintext": b"no content"} if number == bad else {}
        upload(agent, *make.sealed(agent, lines, POINTER, **changes))
        time.sleep(0.002)


def openings() -> int:
    return Entry.objects.filter(event="access:allowed", purpose="redaction").count()


def test_a_backlog_of_one_device_is_opened_and_stored_at_once(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    hand_in(agent)
    jobs.run_due()
    assert set(BatchOutcome.objects.values_list("state", "accepted")) == {("done", 3)}
    assert BatchOutcome.objects.count() == BACKLOG
    assert openings() == KeyRelease.objects.count() == 1
    closed = Entry.objects.filter(event="access:closed", purpose="redaction")
    assert closed.count() == 1
    stored = Entry.objects.filter(event="capture:redacted", act="store")
    assert stored.count() == BACKLOG
    found = frames_of(agent.subject)
    with gate.open_records(actor=own(nordhafen), purpose="own-access", frames=found) as records:
        assert [len(record.events) for record in records] == [3] * BACKLOG
    assert set(Job.objects.values_list("state", "attempts")) == {(JobState.DONE, 1)}


def test_one_bad_batch_among_them_is_refused_alone(agent: make.Endpoint) -> None:
    hand_in(agent, bad=3)
    jobs.run_due()
    ends = list(BatchOutcome.objects.order_by("batch_id").values_list("state", "accepted"))
    assert ends == [("refused", 0) if number == 3 else ("done", 3) for number in range(BACKLOG)]
    assert LiveFrame.objects.count() == BACKLOG - 1
    assert set(Job.objects.values_list("state", "attempts")) == {(JobState.DONE, 1)}


def test_what_was_tried_before_or_is_another_device_s_is_done_by_itself(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [(make.TRAIN, make.DESK, "pointer")]
    make.decide(nordhafen, "tariq", cells)
    hand_in(agent, BACKLOG - 1)
    hand_in(make.endpoint(nordhafen, "tariq"), 1)
    tried = CaptureBatch.objects.order_by("id").first()
    assert tried is not None
    Job.objects.filter(ref=str(tried.id)).update(attempts=1, fence=1)
    together: list[int] = []

    def counted(made: Sequence[storing.Run], opened: gate.OpenBatches | None) -> None:
        together.append(len(made))
        storing.store(made, opened)

    monkeypatch.setattr(runs, "store", counted)
    jobs.run_due()
    assert sorted(together) == [1, 1, BACKLOG - 2]
    assert BatchOutcome.objects.filter(state="done").count() == BACKLOG
