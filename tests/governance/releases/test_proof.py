"""A release says how sure it is that redaction found people, and is blocked when it is not."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import Settings

from governance.capture.gate import FrameInfo
from governance.redaction import canaries
from governance.redaction.directory import Directory
from governance.redaction.engine import Detector
from governance.redaction.errors import CanaryError
from governance.releases import agentnet, proof, selectors
from governance.releases.errors import RedactionUnprovenError
from governance.releases.models import ReleaseFile
from governance.releases.states import ReleaseState
from tests.governance.releases.conftest import Office
from tests.governance.releases.test_releases import signed_manifest


def _frame(category: str, batch: UUID, redaction: dict[str, object]) -> FrameInfo:
    now = datetime.now(UTC)
    return FrameInfo(
        id=uuid4(), batch_id=batch, subject="s", application="a", category=category, hour=now,
        event_count=1, generation=1, policy_version="a@1", schedule_version="1",
        retain_until=now, redaction=redaction, consent_events={},
    )  # fmt: skip


def test_a_run_counts_once_and_frames_without_words_do_not(settings: Settings) -> None:
    settings.REMIT_MIN_RECALL_PERCENT = 90
    one, two = uuid4(), uuid4()
    run: dict[str, object] = {"canaries": {"planted": 10, "found": 10}, "patterns_sha256": "r"}
    frames = [
        _frame("keystroke-text", one, run),
        _frame("screenshot", one, run),
        _frame("keystroke-text", two, run),
        _frame("pointer", uuid4(), {}),
    ]
    found = proof.of(frames)
    assert (found.planted, found.found, found.unproven, found.recipes) == (20, 20, 0, ("r",))
    verdicts = []
    for least in (90, 80):  # 20 of 20 leave room for a recall of 84 %.
        settings.REMIT_MIN_RECALL_PERCENT = least
        verdicts.append(found.suffices)
    assert verdicts == [False, True]
    assert proof.of(frames[3:]).suffices
    assert not proof.of([*frames, _frame("screenshot", uuid4(), {})]).suffices
    assert not replace(found, found=15).suffices


@pytest.mark.parametrize(
    ("planted", "found", "bound"), [(0, 0, 0.0), (10, 10, 0.7225), (100, 98, 0.9300), (50, 0, 0.0)]
)
def test_the_bound_is_wilsons(planted: int, found: int, bound: float) -> None:
    assert canaries.recall(planted, found)[1] == pytest.approx(bound, abs=2e-4)


def test_canaries_follow_from_their_seed_and_a_blind_detector_stops_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector = Detector(Directory([]))
    assert canaries.run(detector, "a") == canaries.Canaries(10, 10)
    seen: list[str] = []
    spans = detector.spans

    def noting(text: str, **facts: Any) -> Any:
        seen.append(text)
        return spans(text, **facts)

    monkeypatch.setattr(detector, "spans", noting)
    canaries.run(detector, "a")
    canaries.run(detector, "a")
    canaries.run(detector, "b")
    assert seen[:10] == seen[10:20] != seen[20:]
    monkeypatch.setattr(detector, "spans", lambda *_, **__: [])
    with pytest.raises(CanaryError):
        canaries.run(detector, "a")


def test_a_release_publishes_its_bound(contributed: Office) -> None:
    stated = signed_manifest(contributed, contributed.release())["redaction"]["recall"]
    assert (stated["planted"], stated["found"]) == (30, 30)
    assert stated["lower_bound"] == pytest.approx(0.8865, abs=1e-4)
    assert len(stated["recipes"]) == 1


def test_a_release_below_the_threshold_is_blocked(contributed: Office, settings: Settings) -> None:
    settings.REMIT_MIN_RECALL_PERCENT = 95
    release = contributed.release()
    assert contributed.view(release).state is ReleaseState.UNPROVEN
    assert not ReleaseFile.objects.exists()
    with pytest.raises(RedactionUnprovenError):
        selectors.manifest(release_id=release.id, reader=contributed.house.jonas)


def test_steps_name_the_picture_they_were_taken_before() -> None:
    events = [
        {"type": "screen.frame", "seq": 0, "t_ns": 0, "blob_id": "a", "image": "iVBORw0K"},
        {"type": "mouse.down", "seq": 1, "t_ns": 1, "x": 1, "y": 2, "button": "left"},
        {"type": "mouse.up", "seq": 2, "t_ns": 2, "x": 1, "y": 2, "button": "left"},
        {"type": "screen.frame", "seq": 3, "t_ns": 3, "blob_id": "b", "image": "/9j/4AAQ"},
    ]
    found = agentnet.episode(task_id="t", instruction="i", events=events)
    assert found is not None
    assert [step["image"] for step in found["traj"]] == ["a.png"]
    assert found["images"] == {"a.png": "iVBORw0K"}  # The last one was followed by nothing.
    assert json.dumps(found)
