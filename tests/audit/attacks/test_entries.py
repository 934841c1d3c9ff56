"""Rows 22, 23, 24 and 29: a faithful tree over entries that should not be there, or are not."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from audit import leaf as service
from audit.ids import uuid7
from tests.audit.attacks.real import PLACES, Check, Places, Real, Work
from tests.reference_log import canonical

pytestmark = pytest.mark.django_db

DAY = 86_400
Attack = Callable[[Real, Places], tuple[list[bytes], str]]


def replayed(real: Real, rng: Places) -> tuple[list[bytes], str]:
    at = rng.randrange(1, real.size)
    where = rng.randrange(at + 1, real.size + 1)
    entries = [*real.entries[:where], real.entries[at], *real.entries[where:]]
    return entries, f"entry {where}: the id {json.loads(real.entries[at])['id']} stands in the log"


def replayed_in_other_words(real: Real, rng: Places) -> tuple[list[bytes], str]:
    """The same id over another content."""
    at, like = rng.sample(range(1, real.size), 2)
    leaf = canonical(json.loads(real.entries[like]) | {"id": json.loads(real.entries[at])["id"]})
    entries = [*real.entries, leaf]
    return entries, f"entry {real.size}: the id {json.loads(leaf)['id']} stands in the log twice"


def back_dated(real: Real, rng: Places) -> tuple[list[bytes], str]:
    """An entry of days ago among today's: before the time that its place allows."""
    where = rng.randrange(40, real.size + 1)
    leaf = _at(real, rng, time.time() - DAY - 3700 - rng.uniform(0, 100 * DAY))
    return [*real.entries[:where], leaf, *real.entries[where:]], f"entry {where}: it is back-dated"


def post_dated(real: Real, rng: Places) -> tuple[list[bytes], str]:
    where = rng.randrange(1, real.size + 1)
    leaf = _at(real, rng, time.time() + 400 + rng.uniform(0, 100 * DAY))
    entries = [*real.entries[:where], leaf, *real.entries[where:]]
    return entries, f"entry {where}: its time is after the witnesses' signatures"


def _at(real: Real, rng: Places, moment: float) -> bytes:
    like = next(
        leaf
        for leaf in rng.sample(real.entries, len(real.entries))
        if b'"ev":"access:allowed"' in leaf or b'"ev":"log:searched"' in leaf
    )
    stated = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(moment))
    return canonical(json.loads(like) | {"id": str(uuid7()), "t": stated})


TABLE: dict[str, Attack] = {
    "23 entry replayed: id unique over the log": replayed,
    "23 entry with the id of another: id unique over the log": replayed_in_other_words,
    "24 entry back-dated: time against its neighbours": back_dated,
    "24 entry post-dated: time against the witnesses": post_dated,
}


@pytest.mark.parametrize("attack", TABLE.values(), ids=TABLE)
def test_a_scan_notices(real: Real, work: Work, check: Check, rng: Places, attack: Attack) -> None:
    for _ in range(PLACES):
        entries, reason = attack(real, rng)
        work.lay(real.signed(entries).files())
        status, printed = check("scan", work.folder)
        work.undo()
        assert (status, reason in printed) == (1, True), (reason, printed)
    work.lay(real.signed([*real.entries, _at(real, rng, time.time())]).files())
    assert check("scan", work.folder)[0] == 0, "an entry of its own id and time is none of these"


def test_24_back_dated_between_cosignatures_shows_at_a_monitor(
    real: Real, work: Work, check: Check, rng: Places, tmp_path: Path
) -> None:
    """Cosignatures are the only outside clock: what follows one is not older, but for the delay."""
    state = tmp_path / "state"
    policy = ("--policy", real.folder / "log" / "policy")
    once = ("monitor", work.folder, "--once", "--state", state, "--longest-delay")
    assert check(*once, DAY, trust=policy)[0] == 0
    for _ in range(PLACES):
        limit = rng.uniform(10, 50 * DAY)
        past = limit + rng.uniform(60, 10 * DAY)
        late = _at(real, rng, time.time() - past)
        work.lay(real.signed([*real.entries, late]).files())
        status, printed = check(*once, limit)
        assert (status, f"entry {real.size}: it is back-dated" in printed) == (1, True), printed
        for head in (state / "unproved").iterdir():
            head.unlink()
    work.undo()
    assert check(*once, DAY, trust=policy)[0] == 0


def _mine(real: Real, check: Check, work: Work, opened: dict[int, list[str]]) -> tuple[int, str]:
    key, texts = work.folder.with_name("key"), work.folder.with_name("opened")
    key.write_bytes(real.tag_key)
    texts.write_text(json.dumps([text for parts in opened.values() for text in parts]))
    return check("mine", "--key", key, "--disclosures", texts, work.folder)


def test_22_dropped_or_29_hidden_entries_leave_a_gap_in_the_persons_own_numbers(
    real: Real, work: Work, check: Check, rng: Places
) -> None:
    status, printed = _mine(real, check, work, real.own)
    assert (status, f"{len(real.own)} opened, no gap" in printed) == (0, True), printed
    own = sorted(real.own)
    for number in range(1, min(PLACES, len(own) - 1) + 1):
        hidden = own[number - 1]
        dropped = real.signed([*real.entries[:hidden], *real.entries[hidden + 1 :]])
        wrong = json.loads(real.entries[hidden])
        wrong["tag"]["s"] = [service.b64url(rng.randbytes(16))]
        untagged = real.signed(
            [*real.entries[:hidden], canonical(wrong), *real.entries[hidden + 1 :]]
        )
        for log in (dropped, untagged):
            work.lay(log.files())
            opened = {at: texts for at, texts in real.own.items() if at != hidden}
            status, printed = _mine(real, check, work, opened)
            assert (status, f"are missing: numbers {number}." in printed) == (1, True), printed
        status, printed = _mine(real, check, work, real.own)
        expected = f"entry {hidden} is about you and bears another tag"
        assert (status, expected in printed) == (1, True), "an auditor who demands the opening"
        work.undo()


def test_29_an_auditor_who_samples_leaves_and_demands_openings_finds_whom_an_entry_concerns(
    real: Real, check: Check, rng: Places, tmp_path: Path
) -> None:
    """The opening that the operator must give names the subject; the subject's own key says no."""
    saved = tmp_path / "opening.tlog-proof"
    for at in rng.sample(sorted(real.own), min(PLACES, len(real.own))):
        saved.write_bytes(real.proofs[at])
        status, printed = check("proof", saved)
        assert (status, "  subject: " in printed, "  subject_seq: " in printed) == (0, True, True)
