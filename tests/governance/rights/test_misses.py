"""What redaction missed: reported by its person, removed wherever it stands, and logged."""

from typing import Any

import pytest
from django.db import connection

from audit import selectors as audit
from audit.actions import Action
from governance.capture import deletion, gate, rereading
from governance.capture.errors import RecordGoneError
from governance.capture.models import FrameState, LiveFrame, Rereading
from governance.jobs import services as jobs
from governance.jobs.errors import FenceLostError
from governance.jobs.models import Job
from governance.redaction import pipeline
from governance.releases.models import ReleaseRecall
from governance.rights import services as rights
from governance.rights.errors import MissTextError
from governance.vault.models import StoredKey
from tests import make
from tests.governance.releases.conftest import CONTRIBUTORS, Office

WORD = "projekt albatros"


@pytest.fixture
def office(nordhafen: make.House, settings: Any) -> Office:
    settings.REMIT_MIN_CONTRIBUTORS = len(CONTRIBUTORS)
    made = Office(nordhafen)
    for name in CONTRIBUTORS:
        made.contribute(name, "keystroke-text")
    return made


def type_it(office: Office, name: str, text: str) -> None:
    from tests.governance.releases import conftest

    leaves: list[dict[str, object]] = [
        {"type": kind, "key_char": letter, "field": "f1", "field_role": "textbox"}
        for letter in text
        for kind in ("key.down", "key.up")
    ]
    kept = dict(conftest.LEAVES)
    conftest.LEAVES = {**kept, "keystroke-text": leaves}
    try:
        office.record(name, "keystroke-text")
    finally:
        conftest.LEAVES = kept


def typed_by(office: Office, name: str) -> str:
    frames = office.frames(name)
    with gate.open_records(
        actor=office.house.actor(name), purpose="own-access", frames=frames
    ) as records:
        return " | ".join(
            "".join(str(e.get("key_char", "")) for e in one.events if e["type"] == "key.down")
            for one in records
        )


def report(office: Office, name: str, text: str = WORD) -> Rereading:
    done = rights.report_miss(
        subject=office.subject(name),
        frame=office.frames(name)[0],
        text=text,
        actor=office.house.actor(name),
    )
    jobs.run_due()
    return done


def test_a_reported_miss_is_gone_from_every_record_and_from_the_release(office: Office) -> None:
    for name in ("mira", "tariq"):
        type_it(office, name, f"about {WORD} now")
    assert WORD in typed_by(office, "mira")
    release = office.release()
    before = set(LiveFrame.objects.values_list("frame_id", flat=True))
    keys = set(StoredKey.objects.filter(kind="cell").values_list("pk", flat=True))

    asked = report(office, "mira")

    for name in ("mira", "tariq"):
        text = typed_by(office, name)
        assert WORD not in text
        assert "about •••••••••••••••• now" in text
    # Whose work did not hold it keeps it as it was.
    assert typed_by(office, "carla").startswith("to •")
    recalled = ReleaseRecall.objects.filter(release=release).values_list("file__subject", flat=True)
    assert set(recalled) == {office.subject("mira"), office.subject("tariq")}
    gone = before - set(LiveFrame.objects.values_list("frame_id", flat=True))
    assert len(gone) >= 2
    ended = FrameState.objects.filter(frame_id__in=gone, state=FrameState.State.SUPERSEDED)
    assert ended.count() == len(gone)
    assert not keys <= set(StoredKey.objects.filter(kind="cell").values_list("pk", flat=True))
    assert Job.objects.get(kind=rereading.JOB, ref=str(asked.id)).state == "done"
    acts = {
        entry.act
        for entry in audit.entries_about(
            subject=office.subject("tariq"), events=[Action.CAPTURE_REDACTED], limit=20
        )
    }
    assert "again" in acts


def test_what_is_sealed_anew_by_others_meanwhile_is_redacted_all_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        type_it(office, "mira", f"about {WORD} now")
    redacted, turns = rereading._redacted, iter([True])

    def meanwhile(frames: Any, records: Any, known: Any) -> Any:
        if frames[0].subject == office.subject("mira") and next(turns, False):
            cells = deletion.cells_of(office.frames("mira"))
            deletion.renew_keys(subject=office.subject("mira"), cells=cells)
        return redacted(frames, records, known)

    monkeypatch.setattr(rereading, "_redacted", meanwhile)
    report(office, "mira")
    assert WORD not in typed_by(office, "mira")


def test_the_missed_value_stands_in_clear_nowhere_and_its_key_is_gone(office: Office) -> None:
    type_it(office, "mira", f"about {WORD} now")
    asked = report(office, "mira")
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                assert WORD not in repr(row), table
                assert WORD.encode().hex() not in repr(row)
    assert asked.sealed
    fence = jobs.Fence(Job.objects.get(ref=str(asked.id)).id, 99)
    with pytest.raises(FenceLostError):
        rereading.reread(str(asked.id), fence)  # Again: nothing to open, nothing to change.


def test_reporting_needs_ones_own_record_and_a_sensible_text(office: Office) -> None:
    mira = office.house.actor("mira")
    theirs = office.frames("tariq")[0]
    with pytest.raises(RecordGoneError):
        rights.report_miss(subject=office.subject("mira"), frame=theirs, text=WORD, actor=mira)
    for text in ("", "  ab ", "x" * 201):
        with pytest.raises(MissTextError):
            report(office, "mira", text)
    assert not Rereading.objects.exists()


def test_a_new_recipe_redacts_what_is_stored_again_and_says_how_far_it_is(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rereading.ask_for_recipe() is None
    frames = set(LiveFrame.objects.values_list("frame_id", flat=True))
    monkeypatch.setattr(pipeline, "recipe", lambda **_: "f" * 64)
    assert rereading.progress() == rereading.Progress(current=0, stale=len(frames))
    asked = rereading.ask_for_recipe()
    assert asked is not None
    assert rereading.ask_for_recipe() is None  # It is on its way.
    jobs.run_due()
    assert rereading.progress() == rereading.Progress(current=len(frames), stale=0)
    assert rereading.ask_for_recipe() is None
    assert not frames & set(LiveFrame.objects.values_list("frame_id", flat=True))
    assert not ReleaseRecall.objects.exists()  # No event changed: nobody has to give back a thing.


def test_killed_in_the_middle_it_goes_on_where_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = rereading.progress().current
    monkeypatch.setattr(pipeline, "recipe", lambda **_: "f" * 64)
    rereading.ask_for_recipe()
    replace = rereading._replace
    calls: list[int] = []

    def dies(frames: Any) -> Any:
        if calls:
            raise SystemExit
        calls.append(1)
        return replace(frames)

    monkeypatch.setattr(rereading, "_replace", dies)
    with pytest.raises(SystemExit):
        jobs.run_due()
    assert rereading.progress() == rereading.Progress(current=1, stale=stale - 1)
    monkeypatch.setattr(rereading, "_replace", replace)
    Job.objects.filter(kind=rereading.JOB).update(leased_until=None, state="ready")
    jobs.run_due()
    assert rereading.progress().stale == 0
    assert LiveFrame.objects.count() == stale
