"""Whatever older copy is put back: what was erased stays unreadable, and nobody is served first."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.processes import Installation, NotReadyError, installation

pytestmark = [pytest.mark.real, pytest.mark.once]

DATA, KEYS = "remit.sqlite3", "vault/keys.sqlite3"
READABLE = {"keys": 1, "read": "1 events", "consents": 2}
ERASED = {"keys": 0, "read": "nothing", "consents": 0}


def step(installed: Installation, name: str) -> dict[str, Any]:
    return installed.step("tests.governance.rights.restored_installation", name)


def put_back(var: Path, older: Path, *names: str) -> None:
    for name in names:
        for end in ("-wal", "-shm", "-journal"):
            (var / f"{name}{end}").unlink(missing_ok=True)
        shutil.copy(older / name, var / name)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param((DATA,), marks=pytest.mark.soak, id="data"),
        pytest.param((KEYS,), marks=pytest.mark.soak, id="keys"),
        pytest.param((DATA, KEYS), id="both"),
    ],
)
def test_an_older_copy_resurrects_nothing(tmp_path: Path, names: tuple[str, ...]) -> None:
    """F31, F39, F40: the data, the key store or both are those of an earlier day."""
    with installation(tmp_path, REMIT_DEMO="0", REMIT_LOG_DELAY_SECONDS="0") as installed:
        var, older = installed.var, tmp_path / "older"
        assert step(installed, "record") == {"mira": READABLE, "carla": READABLE}
        shutil.copytree(var, older)
        ended = step(installed, "end")
        assert ended["mira"] == ERASED
        assert ended["carla"] == READABLE | {"consents": 1}
        assert "may be started" in installed.manage("restore_check", "--check")

        put_back(var, older, *names)
        looked = step(installed, "look")
        assert looked["mira"]["read"] != "1 events"
        assert names == (KEYS,) or looked["carla"]["read"] != "1 events"
        assert KEYS not in names or looked["mira"]["keys"] == 1, "The copy brings the key back."
        for words in (("restore_check", "--check"), ("serve", "--port", str(installed.port))):
            with pytest.raises(NotReadyError, match="restored"):
                installed.manage(*words)

        assert "may be started" in installed.manage("restore_check")
        assert "may be started" in installed.manage("restore_check", "--check")
        mended = step(installed, "look")
        assert mended["mira"]["keys"] == 0
        assert mended["mira"]["read"] != "1 events"
        assert mended["mira"]["consents"] == 0
        assert mended["carla"]["consents"] == (1 if names == (KEYS,) else 0)
