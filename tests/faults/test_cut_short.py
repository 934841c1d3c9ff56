"""A deletion whose process dies right after its commit comes true all the same."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from governance.capture import deletion, gate
from governance.capture.models import LiveFrame
from governance.jobs import services as jobs
from governance.jobs.models import Job
from governance.vault.models import StoredKey
from tests import make
from tests.governance.capture.conftest import agent
from tests.governance.capture.test_path import MOVE, POINTER, continued, now_events, own, send

__all__ = ["agent"]


class DiedError(BaseException):
    """Stands for the end of the process."""


def cut_short(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let the process end after the deletion's commit, then let the worker come by."""

    def end(**_: object) -> int:
        raise DiedError

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "renew_keys", end)
        with pytest.raises(DiedError):
            act()
    Job.objects.filter(kind=deletion.COMPLETE_JOB).update(run_at=timezone.now() - timedelta(1))
    jobs.run_due()


def generations(agent: make.Endpoint) -> set[int]:
    keys = StoredKey.objects.filter(kind="cell", owner=agent.subject)
    return set(keys.values_list("generation", flat=True))


def test_the_key_of_a_deleted_record_goes_although_the_process_died(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(agent, now_events(MOVE, MOVE), POINTER | {(make.DESK, "pointer"): 2})
    send(agent, continued(agent, MOVE, MOVE, MOVE), POINTER)
    first = LiveFrame.objects.order_by("frame_id").values_list("frame_id", flat=True)[0]
    cut_short(
        monkeypatch,
        lambda: deletion.delete_frames(subject=agent.subject, frames=[first], actor=own(nordhafen)),
    )
    assert generations(agent) == {2}
    left = list(LiveFrame.objects.values_list("frame_id", flat=True))
    with gate.open_records(actor=own(nordhafen), purpose="own-access", frames=left) as records:
        assert [len(record.events) for record in records] == [3]


def test_what_was_to_be_forgotten_goes_although_the_process_died(
    nordhafen: make.House, agent: make.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(agent, now_events(MOVE, MOVE, MOVE), POINTER)
    since = timezone.now() - timedelta(minutes=15)
    cut_short(
        monkeypatch,
        lambda: deletion.forget(subject=agent.subject, since=since, actor=own(nordhafen)),
    )
    assert not LiveFrame.objects.exists()
    assert 1 not in generations(agent)
