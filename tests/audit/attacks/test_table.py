"""The table is whole: each of its thirty rows is performed, and honest logs give no alarm."""

import re
from pathlib import Path

import pytest

from tests.audit.attacks.real import SOAK, Check, Places, Real, Work
from tests.audit.attacks.test_history import _fresh

pytestmark = pytest.mark.django_db

ROWS = 30
HONEST_RUNS = 1000 if SOAK else 25


def test_every_row_of_the_table_is_performed() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    found = {int(row) for row in re.findall(r'"(\d\d) [a-z].*: ', text)}
    found |= {int(row) for row in re.findall(r"(?:def test|or)_(\d\d)_[a-z]", text)}
    assert found == set(range(1, ROWS + 1))


def test_honest_runs_give_no_alarm(
    real: Real, work: Work, check: Check, rng: Places, tmp_path: Path
) -> None:
    """A log that only grows, looked at by everything at random, at random sizes."""
    entries = [*real.entries, *_fresh(real, 200)]
    size = rng.randrange(1, 50)
    state, kept = tmp_path / "state", tmp_path / "kept"
    watch = ("monitor", work.folder, "--once", "--state", state)
    saved: list[bytes] = []
    for _ in range(HONEST_RUNS):
        size = min(len(entries), size + rng.choice([0, 1, 2, 255, 256, 257, rng.randrange(90)]))
        if size == len(entries) and rng.random() < 0.2:
            size, saved = rng.randrange(1, 50), []
            state = tmp_path / f"state-{rng.random()}"
            watch = (*watch[:-1], state)
        work.lay(real.signed(entries[:size]).files())
        saved.append(work.read("checkpoint"))
        kept.write_bytes(rng.choice(saved))
        look = rng.choice([watch, watch, ("scan", work.folder), ("consistency", work.folder)])
        words = (*look, "--saved", kept) if look[0] == "consistency" else look
        status, printed = check(*words)
        assert status == 0, printed
        own = rng.choice(sorted(real.proofs))
        kept.write_bytes(real.proofs[own])
        assert check("proof", kept)[0] == 0
