"""A real worker dies at one step after the other of what must not stop halfway."""

from pathlib import Path

import pytest

from tests.faults import struck
from tests.faults.service import Service
from tests.infrastructure.http import Person

pytestmark = [pytest.mark.real, pytest.mark.soak, pytest.mark.timeout(600)]


def test_a_rotation_whose_worker_dies_at_every_step_loses_no_key(
    service: Service, orders: Path
) -> None:
    """F33: under load; beat's next one goes through, every key unwraps, the old ones are gone."""
    places = [("after keys: COMMIT", 1), ("file: fsync", 1), ("file: unlink", 1)]
    places += [("before keys: COMMIT", nth) for nth in (1, 2, 3)]
    with service.load(service.batches(12)):
        for place in places:
            struck.give(orders, struck.RENEWAL, [place])
            service.aside("send", "governance.rights.tasks.renew_keys")
            service.wait(lambda: not struck.left(orders, struck.RENEWAL), what="its death")
    rotated = "SELECT count(*) FROM audit_entry WHERE event = 'key:rotated'"
    before = service.rows(rotated)[0][0]
    service.aside("send", "governance.rights.tasks.renew_keys")
    service.wait(lambda: service.rows(rotated)[0][0] > before, what="the rotation")
    service.settle(seconds=90, in_haste=True)
    service.judge()


def test_what_dies_between_a_key_and_its_row_leaves_nothing_that_opens(
    service: Service, orders: Path
) -> None:
    """F05: keys and objects are there before the rows; again with the same key, strays collected.

    An object that no row names goes a day later.
    """
    # With it the rows are written: before, in one statement with it, or after.
    write = "DELETE FROM capture_sealedbatch WHERE"
    struck.give(orders, "capture:redact", [(write, 1), (write, 2)])
    service.deliver(service.batches(2))
    struck.obeyed(service, orders, "capture:redact")
    struck.give(orders, "export:build", [('before default: UPDATE "rights_portabilityexport"', 1)])
    service.aside("act", "export", "mira")
    struck.obeyed(service, orders, "export:build")
    there, wanted = map(int, service.aside("objects").split())
    assert there == wanted + 1
    assert service.aside("collect_orphans") == "1"
    assert service.aside("objects") == f"{wanted} {wanted}"
    with Person(service.installed.origin) as mira:
        mira.sign_in("mira")
        answer = mira.get("/api/v1/me/export")
        assert answer.status_code == 200, answer.text
    service.judge()
