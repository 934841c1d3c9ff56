"""A small request cannot make the web process large: the whole set against a real one."""

import json
import sys
from pathlib import Path

import pytest

from tests import bombs
from tests.infrastructure.laid import Tables
from tests.infrastructure.processes import Installation


@pytest.mark.real
@pytest.mark.once
@pytest.mark.timeout(240)
def test_no_bomb_makes_the_web_process_large(tmp_path: Path, tables: Tables) -> None:
    installed = Installation(tmp_path / "var", {"REMIT_DEMO": "1"})
    with tables.laid(installed.var) as urls:
        installed.settings |= urls | {
            "DJANGO_SETTINGS_MODULE": "governance.settings",
            "REMIT_EXTERNAL_ORIGIN": installed.origin,
        }
        running = installed.run([sys.executable, "-m", "tests.bombs"], name="bombs")
        try:
            assert running.process.wait(200) == 0, running.tail()
        finally:
            installed.stop()
    found = json.loads(running.log.read_text().splitlines()[-1])
    assert len(found["answers"]) >= 25
    refused = {"400", "401", "403", "408", "411", "413", "414", "415", "431", "cut off"}
    assert {name: said for name, said in found["answers"].items() if said not in refused} == {}
    assert found["peak_mib"] < bombs.MOST_MIB
