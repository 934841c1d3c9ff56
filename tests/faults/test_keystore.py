"""The key store is away: nothing is opened, nothing is stored in clear, what was ordered waits."""

import time
from pathlib import Path

import pytest

from tests.faults.service import Service
from tests.infrastructure.canary import Canary
from tests.infrastructure.http import Person
from tests.infrastructure.servers import free_port

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]
STEPS = "SELECT count(*) FROM rights_erasurestep WHERE state = '{state}'"


def nowhere(service: Service) -> dict[str, str]:
    """The address of a key store that does not answer."""
    if service.installed.settings.get("DATABASE_URL", "").startswith("postgres"):
        return {"REMIT_KEYSTORE_URL": f"postgres://a:b@127.0.0.1:{free_port()}/keys"}
    return {"REMIT_KEYSTORE_URL": "sqlite:////nowhere/at/all/keys.sqlite3"}


def test_without_a_key_store_nothing_opens_and_an_erasure_waits(service: Service) -> None:
    """F30: uploads and reads answer 503, no plaintext; an ordered erasure is finished afterwards.

    Uploads too: the entry of a batch names its cells under the person's own key.
    """
    service.ensure()
    service.deliver(service.batches(2))
    service.deliver(service.batches(2, of="carla"))
    service.settle()
    batches = service.batches(4)
    with Person(service.installed.origin) as mira:
        mira.sign_in("mira")
        frame = mira.get("/api/v1/me/captures").json()["captures"][0]["id"]
        service.kill("web", "worker")
        service.aside("act", "erase", "carla")
        for role in ("web", "worker"):
            service.start(role, **nowhere(service))
        service.ensure("web")
        for batch in batches:
            answer = service.send(batch)
            assert answer is not None
            assert answer.status_code == 503
            assert "Retry-After" in answer.headers
        assert mira.get(f"/api/v1/me/captures/{frame}").status_code == 503
    for _ in range(8):
        # More turns than a job has attempts.
        service.hurry()
        time.sleep(1.5)
    assert service.rows(STEPS.format(state="Completed")) == [(0,)]
    assert "quarantined" not in dict(service.rows("SELECT state, 1 FROM jobs_job"))
    assert not Canary('"mouse.down"').scan_tree(Path(service.installed.var))
    service.kill("web", "worker")
    service.ensure()
    service.deliver(batches)
    service.settle(seconds=120, in_haste=True)
    assert service.rows(STEPS.format(state="Completed")) != [(0,)]
    service.judge()
