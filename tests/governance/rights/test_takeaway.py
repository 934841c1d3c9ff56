"""The log key at home: it finds all own entries, and what was hidden is missed."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client

from audit import journal, leaf, own, selectors
from audit.actions import Action
from audit.models import Disclosure, Outbox, SubjectIndex
from audit.verifier.__main__ import main
from governance.accounts.models import Person
from governance.jobs import services as jobs
from governance.rights import services, takeaway
from governance.rights.errors import SubjectErasedError
from tests.governance.rights.conftest import FORM, POINTER, Someone

pytestmark = pytest.mark.django_db

Turn = Callable[[], None]


def mine(
    home: Path, key: str, disclosures: list[str], capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Run the command of the verifier that the person runs at home, on the served files."""
    log = home / "log"
    (home / "key").write_text(key)
    (home / "disclosures").write_text(json.dumps(disclosures))
    words = ["mine", "--policy", str(log / "policy"), "--key", str(home / "key")]
    status = main([*words, "--disclosures", str(home / "disclosures"), str(log)])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_mira_takes_her_key_and_finds_every_entry_about_her(
    mira: Someone, open_log: Turn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mira.allow(POINTER)
    mira.record("pointer")
    open_log()
    client = Client()
    client.force_login(Person.objects.get(username="mira"))
    answer = client.get("/api/v1/me/log-key")
    taken = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    uuid = answer.headers["Audit-Entry"].split(";")[0]
    about = selectors.entries_about(subject=mira.subject)
    assert (str(about[0].uuid), about[0].action, about[0].act) == (
        uuid,
        Action.EXPORT_BUILT,
        takeaway.ACT,
    )
    assert (taken["entries"], taken["waiting"]) == (len(about) - 1, 1)
    open_log()
    status, said = mine(tmp_path, taken["key"], taken["disclosures"], capsys)
    assert status == 0
    assert f"{len(about)} of " in said
    assert f"{len(about) - 1} opened, no gap between them" in said
    for entry in selectors.entries_about(subject=mira.subject):
        assert f"  {entry.index}  " in said


def test_somebody_elses_key_finds_nothing_of_hers(
    mira: Someone, carla: Someone, open_log: Turn, tmp_path: Path
) -> None:
    open_log()
    keys = {own.tag_key(subject=someone.subject) for someone in (mira, carla)}
    assert len(keys) == 2
    shared = set(own.numbered(subject=mira.subject).disclosures)
    assert shared.isdisjoint(own.numbered(subject=carla.subject).disclosures)


def about(someone: Someone) -> list[int]:
    return [entry.seq or 0 for entry in selectors.entries_about(subject=someone.subject)]


@pytest.mark.parametrize("is_index_cut", [False, True])
def test_an_entry_under_a_wrong_tag_is_missed(
    mira: Someone,
    open_log: Turn,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_index_cut: bool,
) -> None:
    with monkeypatch.context() as insider:
        insider.setattr(leaf, "tag", lambda _: leaf.no_tag())
        with transaction.atomic():
            hidden = journal.append(Action.ACCESS_DENIED, actor=mira.actor, subject=mira.subject)
    with transaction.atomic():
        journal.append(Action.ACCESS_DENIED, actor=mira.actor, subject=mira.subject)
    number = about(mira)[1]
    if is_index_cut:
        SubjectIndex.objects.filter(entry=hidden).delete()
        Disclosure.objects.filter(entry=hidden).delete()
    open_log()
    taken = takeaway.take(subject=mira.subject, actor=mira.actor)
    status, said = mine(tmp_path, taken.key, taken.disclosures, capsys)
    assert status == 1
    expected = f"missing: numbers {number}" if is_index_cut else "bears another tag than yours"
    assert expected in said


def test_an_entry_that_never_enters_the_tree_is_missed(
    mira: Someone, open_log: Turn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with transaction.atomic():
        dropped = journal.append(Action.ACCESS_DENIED, actor=mira.actor, subject=mira.subject)
        journal.append(Action.ACCESS_DENIED, actor=mira.actor, subject=mira.subject)
    number = about(mira)[1]
    _insider_drops(dropped.id)
    open_log()
    taken = takeaway.take(subject=mira.subject, actor=mira.actor)
    # Said while the service owns up to it: this one and those after it wait.
    assert taken.entries == number - 1
    assert taken.waiting == 3
    SubjectIndex.objects.filter(entry=dropped).delete()
    taken = takeaway.take(subject=mira.subject, actor=mira.actor)
    status, said = mine(tmp_path, taken.key, taken.disclosures, capsys)
    assert status == 1
    assert f"missing: numbers {number}" in said


def _insider_drops(entry: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_outbox WHERE entry_id = %s", [entry])
    assert not Outbox.objects.filter(entry_id=entry).exists()


def test_the_files_hold_what_the_page_promises(mira: Someone, open_log: Turn) -> None:
    mira.allow(POINTER)
    open_log()
    taken = takeaway.take(subject=mira.subject, actor=mira.actor)
    held = zipfile.ZipFile(io.BytesIO(takeaway.archive(taken, subject=mira.subject)))
    assert set(held.namelist()) == {
        "READ-ME.txt",
        "log/checkpoint",
        "log/disclosures.json",
        "log/entries.json",
        "log/policy",
        "log/tag-key.txt",
        "log/vkeys",
    }
    proofs = json.loads(held.read("log/entries.json"))
    numbers = len(proofs["proofs"]) + len(proofs["waiting"])
    assert numbers == len(about(mira))
    assert proofs["next"] is None
    assert "--policy" in held.read("READ-ME.txt").decode()


def test_proofs_come_in_pages_that_meet(mira: Someone, open_log: Turn) -> None:
    open_log()
    whole = own.proofs_of(subject=mira.subject)
    seen, before = [], None
    for _ in range(len(whole.proofs) + 1):
        page = own.proofs_of(subject=mira.subject, before=before, limit=2)
        seen += [text for _, text in page.proofs]
        before = page.next
        if before is None:
            break
    assert seen == [text for _, text in whole.proofs]


def test_after_an_erasure_there_is_no_key_to_take(mira: Someone) -> None:
    services.erase_everything(
        subject=mira.subject, actor=mira.actor, language="en", form_digest=FORM
    )
    jobs.run_due()
    with pytest.raises(SubjectErasedError):
        takeaway.take(subject=mira.subject, actor=mira.actor)
