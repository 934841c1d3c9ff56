"""Older copies are put back under real processes: nobody is served from them."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import kept
from tests.faults.service import ROLES, Service
from tests.infrastructure.http import Person

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]
CAPTURES = "/api/v1/me/captures"
FILES = {"DATABASE_URL": "remit.sqlite3", "REMIT_KEYSTORE_URL": "vault/keys.sqlite3"}


@dataclass(frozen=True, slots=True)
class Copies:
    """Copies of both databases as they were at a moment; no process runs when one is touched."""

    service: Service
    folder: Path

    def take(self, moment: str) -> None:
        """Copy both."""
        (self.folder / moment).mkdir(parents=True)
        for variable, name in FILES.items():
            if url := self._url(variable):
                kept.copy(url, kept.name(url), f"{kept.name(url)}_{moment}")
                continue
            shutil.copy(self.service.installed.var / name, self.folder / moment / variable)

    def put_back(self, variable: str, moment: str) -> None:
        """Put one back, as somebody restores it who forgot the other."""
        if url := self._url(variable):
            kept.copy(url, f"{kept.name(url)}_{moment}", kept.name(url))
            return
        file = self.service.installed.var / FILES[variable]
        for end in ("-wal", "-shm", "-journal"):
            file.with_name(file.name + end).unlink(missing_ok=True)
        shutil.copy(self.folder / moment / variable, file)

    def _url(self, variable: str) -> str:
        url = self.service.installed.settings.get(variable, "")
        return url if url.startswith("postgres") else ""


@pytest.fixture
def copies(service: Service, tmp_path: Path) -> Iterator[Copies]:
    """Two moments: before carla had herself erased and tariq ended a consent, and after."""
    made = Copies(service, tmp_path)
    service.ensure()
    for name in ("mira", "tariq", "carla"):
        service.deliver(service.batches(2, of=name))
    service.settle()
    service.stop()
    made.take("old")
    service.ensure()
    service.aside("act", "erase", "carla")
    service.aside("act", "withdraw", "tariq")
    service.settle(in_haste=True)
    service.stop()
    made.take("new")
    yield made
    service.kill()


def statuses(service: Service, *names: str) -> dict[str, int]:
    """Return how each person's first record is answered, or the list of them if that fails."""
    found = {}
    for name in names:
        with Person(service.installed.origin) as person:
            person.sign_in(name)
            listed = person.get(CAPTURES)
            found[name] = listed.status_code
            if listed.status_code == 200 and (rows := listed.json()["captures"]):
                found[name] = person.get(f"{CAPTURES}/{rows[0]['id']}").status_code
    return found


def test_an_older_copy_serves_nobody_until_it_is_put_right(
    service: Service, copies: Copies
) -> None:
    """F31, F40: the key store's older copy opens nothing and spoils nothing; the newest does.

    F39: nor does the older database; after its check, what had ended stays ended.
    """
    copies.put_back("REMIT_KEYSTORE_URL", "old")
    for role in ROLES:
        service.start(role)
    service.ensure("web")
    assert statuses(service, "mira", "tariq") == {"mira": 503, "tariq": 503}
    batch = service.batches(1)[0]
    answer = service.send(batch)
    assert answer is not None
    assert answer.status_code in {202, 503}
    service.stop()
    copies.put_back("REMIT_KEYSTORE_URL", "new")
    service.ensure()
    assert statuses(service, "mira", "carla") == {"mira": 200, "carla": 200}
    service.deliver([batch])
    service.settle(in_haste=True)
    assert "quarantined" not in dict(service.rows("SELECT state, 1 FROM jobs_job"))
    service.judge()

    service.stop()
    copies.put_back("DATABASE_URL", "old")
    for role in ROLES:
        service.start(role)
    halted = "SELECT halted FROM audit_treestate"
    service.wait(lambda: bool(service.rows(halted)[0][0]), what="the halt of the log")
    time.sleep(1.5)  # The web judges the log once a second.
    service.ensure("web")
    assert set(statuses(service, "mira", "tariq", "carla").values()) == {503}
    service.kill()
    said = service.installed.manage("restore_check")
    assert "1 people had themselves erased since" in said
    assert "may be started" in said
