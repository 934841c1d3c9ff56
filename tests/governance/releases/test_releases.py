"""What leaves the house: consented, masked, under a pseudonym, signed, and called back."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from audit import ports, signing
from audit import selectors as audit
from audit.actions import Action
from consent.selectors import Cell
from consent.status import ConsentStatus
from governance.accounts.roles import Role
from governance.capture.errors import AccessDeniedError
from governance.decisions import Reason
from governance.jobs import services as jobs
from governance.policies.errors import PurposeProhibitedError
from governance.releases import manifest, selectors, services
from governance.releases.errors import (
    ReleaseNotFoundError,
    ReleaseNotReadyError,
    ReleaseRecalledError,
)
from governance.releases.models import DatasetRelease, ReleaseFile, ReleaseRecall
from governance.releases.states import ReleaseState
from governance.rights import services as rights
from governance.vault import storage
from governance.vault.errors import UnsealError
from tests import make
from tests.governance.releases.conftest import CONTRIBUTORS, Office

CLICKS = Cell(make.TRAIN, make.DESK, "click")


def document(envelope: Any, payload_type: str) -> dict[str, Any]:
    keys = {key.key_id: key.public for key in signing.public_keys("release")}
    body = signing.dsse_verify(public_keys=keys, envelope=envelope, payload_type=payload_type)
    found: dict[str, Any] = json.loads(body)
    return found


def signed_manifest(office: Office, release: DatasetRelease) -> dict[str, Any]:
    envelope = selectors.manifest(release_id=release.id, reader=office.house.jonas)
    return document(envelope, manifest.MANIFEST)


def test_a_release_holds_one_masked_trajectory_per_contributor_and_a_signed_manifest(
    contributed: Office,
) -> None:
    release = contributed.release()
    assert contributed.view(release).state is ReleaseState.PUBLISHED
    stated = signed_manifest(contributed, release)
    assert stated["schema"] == "release-manifest/1"
    assert stated["contributors"] == len(CONTRIBUTORS)
    assert all(stated["governance"].values())
    names = [file["name"] for file in stated["files"]]
    assert len(set(names)) == len(CONTRIBUTORS)
    for person in CONTRIBUTORS:
        file = contributed.file_of(release, person)
        plaintext = contributed.fetch(release, file)
        [facts] = [one for one in stated["files"] if one["name"] == file.name]
        assert facts["sha256"] == hashlib.sha256(plaintext).hexdigest()
        assert facts["length"] == len(plaintext)
        [episode] = [json.loads(line) for line in plaintext.splitlines()]
        code = [step["value"]["code"] for step in episode["traj"]]
        assert "pyautogui.moveTo(x=11, y=12)" in code[0] or "click" in code[0]
        assert "pyautogui.click(x=40, y=50)" in code
        assert "pyautogui.write(message='to <EMAIL>')" in code
        for secret in (b"jane", contributed.subject(person).encode(), person.encode()):
            assert secret not in plaintext


def test_consent_commitments_prove_themselves_to_the_contributor_alone(
    contributed: Office,
) -> None:
    release = contributed.release()
    file = contributed.file_of(release, "mira")
    events = set(file.items.values_list("consent_event", flat=True))
    key = ports.keys().tag_key(owner=contributed.subject("mira"))
    own = {
        hmac.new(
            key,
            b"remit consent commitment v1\0" + release.id.bytes + b"\0" + event.encode(),
            "sha256",
        ).hexdigest()
        for event in events
    }
    stated = {
        one["name"]: set(one["consent_commitments"])
        for one in signed_manifest(contributed, release)["files"]
    }
    assert stated[file.name] == own
    assert not any(own & found for name, found in stated.items() if name != file.name)


def test_pseudonyms_differ_between_releases(contributed: Office) -> None:
    first, second = contributed.release(), contributed.release()
    mira = contributed.subject("mira")
    assert (
        ReleaseFile.objects.get(release=first, subject=mira).name
        != ReleaseFile.objects.get(release=second, subject=mira).name
    )


def test_too_few_contributors_and_nothing_is_opened_or_published(office: Office) -> None:
    office.contribute("mira")
    office.contribute("tariq")
    release = office.release()
    assert office.view(release).state is ReleaseState.WITHHELD
    assert not ReleaseFile.objects.exists()
    seen = audit.entries_about(
        subject=office.subject("mira"), events=[Action.ACCESS_ALLOWED], limit=20
    )
    assert not [entry for entry in seen if entry.role == "release-builder"]
    with pytest.raises(ReleaseNotReadyError):
        selectors.manifest(release_id=release.id, reader=office.house.jonas)


def test_only_what_was_consented_for_this_purpose_goes_in(contributed: Office) -> None:
    contributed.choose("mira", ConsentStatus.WITHDRAWN, CLICKS)
    contributed.contribute("petra", "pointer")
    release = contributed.release()
    mira = contributed.file_of(release, "mira")
    assert set(mira.items.values_list("category", flat=True)) == {"pointer", "keystroke-text"}
    assert b"click" not in contributed.fetch(release, mira)
    assert contributed.file_of(release, "petra").steps == 1


def test_people_the_requester_manages_are_left_out(office: Office) -> None:
    for name in (*CONTRIBUTORS, "ines", "lea"):
        office.contribute(name, "click")
    petra = office.house.actor("petra", Role.DATA_REQUESTER)
    asked = office.ask(actor=petra)
    services.approve(request_id=asked.id, actor=office.house.ines)
    services.approve(request_id=asked.id, actor=office.house.lea)
    jobs.run_due()
    assert not ReleaseFile.objects.exists()


def test_every_download_states_its_purpose_and_is_an_entry_the_contributor_sees(
    contributed: Office,
) -> None:
    release = contributed.release()
    file = contributed.file_of(release, "mira")
    contributed.fetch(release, file)
    [allowed] = [
        entry
        for entry in audit.entries_about(
            subject=contributed.subject("mira"), events=[Action.ACCESS_ALLOWED], limit=20
        )
        if entry.act == "download-release"
    ]
    assert (allowed.purpose, allowed.role) == (make.TRAIN, "data_requester")
    assert allowed.details["release"] == str(release.id)

    def fetch(purpose: str, actor: Any) -> None:
        with services.open_file(
            release_id=release.id, name=file.name, purpose=purpose, actor=actor
        ):
            pytest.fail("It was handed out.")

    jonas = contributed.house.jonas
    with pytest.raises(PurposeProhibitedError):
        fetch("performance-evaluation", jonas)
    with pytest.raises(AccessDeniedError) as refused:
        fetch(make.IMPROVE, jonas)
    assert refused.value.reason is Reason.NO_APPROVED_REQUEST
    with pytest.raises(AccessDeniedError) as refused:
        fetch(make.TRAIN, contributed.house.ines)
    assert refused.value.reason is Reason.ROLE_NOT_PERMITTED
    with pytest.raises(ReleaseNotFoundError):
        fetch(make.TRAIN, contributed.house.actor("petra", Role.DATA_REQUESTER))


def test_a_withdrawal_takes_the_file_back_at_once_and_signs_the_recall(
    contributed: Office, recalls_are_told: Callable[[], None]
) -> None:
    release = contributed.release()
    mira, carla = (contributed.file_of(release, name) for name in ("mira", "carla"))
    contributed.fetch(release, mira)
    contributed.choose("mira", ConsentStatus.WITHDRAWN, CLICKS)
    with pytest.raises(ReleaseRecalledError):
        contributed.fetch(release, mira)
    assert contributed.fetch(release, carla)
    recalls_are_told()
    assert contributed.view(release).state is ReleaseState.AFFECTED
    [envelope] = selectors.recalls(release_id=release.id, reader=contributed.house.jonas)
    recalled = document(envelope, manifest.RECALLS)
    assert recalled["files"] == [mira.name]
    assert "reason" not in recalled
    assert contributed.subject("mira") not in base64.b64decode(envelope["payload"]).decode()
    [held] = selectors.held_of(subject=contributed.subject("mira"))
    assert held.recalled_at is not None


@pytest.mark.usefixtures("real_transactions")
def test_the_key_and_the_bytes_of_a_recalled_file_are_gone_with_the_commit(
    contributed: Office,
) -> None:
    release = contributed.release()
    mira = contributed.file_of(release, "mira")
    contributed.choose("mira", ConsentStatus.WITHDRAWN, CLICKS)
    with pytest.raises(UnsealError):
        storage.get(mira.object_key)


def test_a_deleted_capture_and_an_erasure_recall_too_and_the_last_one_recalls_it_whole(
    contributed: Office, recalls_are_told: Callable[[], None]
) -> None:
    release = contributed.release()
    rights.delete_capture(
        subject=contributed.subject("mira"),
        frames=contributed.frames("mira")[:1],
        actor=contributed.house.actor("mira"),
    )
    assert ReleaseRecall.objects.get().file == contributed.file_of(release, "mira")
    for name in ("tariq", "carla"):
        contributed.choose(name, ConsentStatus.WITHDRAWN, CLICKS)
    assert contributed.release().id != release.id
    recalls_are_told()
    assert contributed.view(release).state is ReleaseState.RECALLED
    newest = selectors.recalls(release_id=release.id, reader=contributed.house.jonas)[0]
    assert len(document(newest, manifest.RECALLS)["files"]) == len(CONTRIBUTORS)


def test_r18_recalls_of_a_day_are_told_together_when_it_ends_and_by_nothing_before(
    contributed: Office, time_machine: Callable[[datetime], None], settings: Settings
) -> None:
    settings.REMIT_RECALL_SECONDS = 86_400
    release, house = contributed.release(), contributed.house
    files = {name: contributed.file_of(release, name) for name in CONTRIBUTORS}
    ask, lists = selectors.release, selectors.recalls
    readers = (house.jonas, house.ines, house.lea, house.actor("wanda", Role.AUDITOR))

    def told() -> list[Any]:
        return [
            (ask(release_id=release.id, reader=one), lists(release_id=release.id, reader=one))
            for one in readers
        ]

    before, day = told(), timedelta(days=1)
    midnight = (timezone.now() + day).replace(hour=0, minute=0, second=0, microsecond=0)
    for name, at in (("tariq", timedelta(hours=6)), ("mira", timedelta(hours=17, seconds=42))):
        time_machine(midnight + at)
        contributed.choose(name, ConsentStatus.WITHDRAWN, CLICKS)
        with pytest.raises(ReleaseRecalledError):
            contributed.fetch(release, files[name])
        assert told() == before
    time_machine(midnight + day - timedelta.resolution)
    assert told() == before
    time_machine(midnight + day)
    for view, (only,) in told():
        assert (view.state, view.recalls) == (ReleaseState.AFFECTED, 2)
        body = document(only, manifest.RECALLS)
        assert body["files"] == sorted([files["mira"].name, files["tariq"].name])
        assert datetime.fromisoformat(body["issued_at"]) == midnight + day
    contributed.choose("carla", ConsentStatus.WITHDRAWN, CLICKS)
    time_machine(midnight + 2 * day)
    for view, issued in told():
        assert (view.state, view.recalls) == (ReleaseState.RECALLED, 3)
        assert [len(document(each, manifest.RECALLS)["files"]) for each in issued] == [3, 2]


def test_a_survivor_of_a_partial_deletion_still_reaches_its_release(contributed: Office) -> None:
    contributed.record("mira", "pointer")
    release = contributed.release()
    pointer = [
        frame for frame in contributed.frames("mira") if frame in _frames_of(release, "pointer")
    ]
    assert len(pointer) == 2
    rights.delete_capture(
        subject=contributed.subject("mira"),
        frames=pointer[:1],
        actor=contributed.house.actor("mira"),
    )
    assert ReleaseRecall.objects.count() == 1


def _frames_of(release: DatasetRelease, category: str) -> set[Any]:
    return set(
        ReleaseFile.objects.filter(release=release, items__category=category).values_list(
            "items__frame_id", flat=True
        )
    )


def test_a_withdrawal_between_order_and_build_leaves_the_person_out(office: Office) -> None:
    for name in (*CONTRIBUTORS, "petra"):
        office.contribute(name, "click")
    asked = office.ask()
    services.approve(request_id=asked.id, actor=office.house.ines)
    services.approve(request_id=asked.id, actor=office.house.lea)
    office.choose("petra", ConsentStatus.WITHDRAWN, CLICKS)
    jobs.run_due()
    release = DatasetRelease.objects.get()
    assert signed_manifest(office, release)["contributors"] == len(CONTRIBUTORS)
    assert not ReleaseFile.objects.filter(subject=office.subject("petra")).exists()


def test_a_file_past_its_date_is_refused(
    contributed: Office,
    time_machine: Callable[[datetime], None],
    open_log: Callable[[], None],
) -> None:
    release = contributed.release()
    file = contributed.file_of(release, "mira")
    time_machine(file.retain_until)
    open_log()
    with pytest.raises(AccessDeniedError) as refused:
        contributed.fetch(release, file)
    assert refused.value.reason is Reason.EXPIRED
