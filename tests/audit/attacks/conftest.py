"""One real log for all attacks of a test process, and a copy of it for each attack."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.attacks import real as of
from tests.audit.attacks.real import SOAK, Check, Places, Real, Work

_built: dict[str, Real] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a soak run every attack, at more places of a larger log: it selects by its mark.

    All but those on the database attack files, which are the same whatever the database.
    """
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        if SOAK:
            item.add_marker(pytest.mark.soak)
        if item.path.stem != "test_database":
            item.add_marker(pytest.mark.once)


@pytest.fixture(scope="session")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("real-log")
    yield folder
    _built.clear()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def real(db: None, _folder: Path) -> Real:
    """The real log, built by the first test that asks; its rows go with that test."""
    if "log" not in _built:
        _built["log"] = of.build(_folder)
    return _built["log"]


@pytest.fixture
def work(real: Real, tmp_path: Path) -> Work:
    """A copy to attack."""
    return real.work(tmp_path / "log")


@pytest.fixture
def check(real: Real, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """The shipped verifier, trusting the keys that the log published when it was honest."""
    vkeys = tmp_path / "trusted"
    vkeys.write_bytes((real.folder / "log" / "vkeys").read_bytes())

    def read() -> tuple[str, str]:
        printed = capsys.readouterr()
        return printed.out, printed.err

    return of.checker(vkeys, read)


@pytest.fixture
def rng() -> Places:
    """Where this attack strikes."""
    return Places()
