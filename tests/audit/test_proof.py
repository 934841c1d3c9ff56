"""Proof files: self-contained, checked by the stand-alone verifier, open to the right person."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from audit import disclosures, erasure, selectors
from audit.actions import Action
from audit.actors import Actor
from audit.errors import NotYetSequencedError, UnknownEntryError
from audit.models import Disclosure, Entry, SubjectCounter, SubjectIndex
from audit.verifier.checkpoint import Trust
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import parse_vkeys
from audit.verifier.tlogproof import Proved, check_proof

pytestmark = pytest.mark.django_db

MIRA, TARIQ = "mira-key", "tariq-key"
JONAS = Actor("jonas-key", "data_requester")
Write = Callable[..., Entry]


def check(data: bytes, places: Path) -> Proved:
    keys = tuple(parse_vkeys((places / "log/vkeys").read_text()))
    return check_proof(data, Trust(keys=keys))


def test_a_proof_needs_a_published_head_that_covers_the_entry(
    open_log: Any, write: Write, tmp_path: Path, write_many: Callable[[int], list[Entry]]
) -> None:
    entry = write(subject=MIRA)
    with pytest.raises(NotYetSequencedError):
        selectors.proof(uuid=entry.uuid)
    write_many(300)
    open_log()
    proved = check(selectors.proof(uuid=entry.uuid), tmp_path)
    assert (proved.index, proved.leaf.uuid, proved.details) == (1, str(entry.uuid), {})
    with pytest.raises(UnknownEntryError):
        selectors.proof(uuid=UUID(int=1))
    data = selectors.proof(uuid=entry.uuid)
    for position in range(0, len(data), 97):
        changed = bytearray(data)
        changed[position] ^= 1
        with pytest.raises(NotVerifiedError):
            check(bytes(changed), tmp_path)
    (tmp_path / "log/checkpoint").unlink()
    with pytest.raises(NotYetSequencedError):
        selectors.proof(uuid=entry.uuid)


def test_the_person_concerned_gets_the_disclosures_and_nobody_else(
    open_log: Any, write: Write, tmp_path: Path
) -> None:
    entry = write(actor=JONAS, subject=MIRA, private={"application": "freight-desk"})
    open_log()
    own = check(selectors.proof(uuid=entry.uuid, owner=MIRA), tmp_path)
    assert own.details == {
        "application": "freight-desk",
        "actor": JONAS.key,
        "subject": MIRA,
        "subject_seq": 1,
    }
    assert check(selectors.proof(uuid=entry.uuid, owner=JONAS.key), tmp_path).details == {
        "actor": JONAS.key
    }
    with pytest.raises(UnknownEntryError):
        selectors.proof(uuid=entry.uuid, owner=TARIQ)


def test_forgetting_leaves_the_tree_as_it_was_and_nothing_to_open(
    open_log: Any, write: Write, tmp_path: Path
) -> None:
    entry = write(Action.CONSENT_DECIDED, actor=Actor(MIRA, "employee"), subject=MIRA)
    other = write(actor=JONAS, subject=TARIQ)
    open_log()
    before = selectors.proof(uuid=entry.uuid)
    assert erasure.forget(subject=MIRA) == 1
    assert selectors.entries_about(subject=MIRA) == []
    assert selectors.proof(uuid=entry.uuid) == before
    assert check(before, tmp_path).details == {}
    with pytest.raises(UnknownEntryError):
        selectors.proof(uuid=entry.uuid, owner=MIRA)
    assert {row.entry_id for row in Disclosure.objects.all()} == {other.pk}
    assert SubjectIndex.objects.count() == SubjectCounter.objects.count() == 1


def test_a_destroyed_key_alone_closes_the_entry(open_log: Any, write: Write) -> None:
    from governance.vault import shredding

    entry = write(actor=JONAS, subject=MIRA, private={"application": "freight-desk"})
    open_log()
    shredding.destroy_subject(subject=MIRA)
    assert disclosures.details(entry) == {"actor": JONAS.key}
    assert selectors.entries_about(subject=MIRA) == []
    again = write(actor=JONAS, subject=MIRA, private={"reason": "x"})
    assert disclosures.details(again) == {"actor": JONAS.key}
