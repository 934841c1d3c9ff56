"""The stop switch over HTTP."""

from collections.abc import Callable

import pytest

from audit.models import Entry
from tests.governance.api.conftest import Api

pytestmark = pytest.mark.django_db


def test_r80_the_works_council_stops_all_and_two_others_lift_it(
    signed_in: Callable[[str], Api],
) -> None:
    wanda, adam, ines, lea = map(signed_in, ("wanda", "adam", "ines", "lea"))
    assert wanda.get("/api/v1/stop").json() == {"stop": None}
    assert adam.post("/api/v1/stop", {"reason": "No."}).status_code == 403
    made = wanda.post("/api/v1/stop", {"reason": "Drill."})
    assert made.status_code == 201
    assert Entry.objects.filter(event="stop:ordered").count() == 1
    assert made.json()["stop"]["is_standing"] is True
    for who, standing in ((ines, True), (lea, False)):
        lifted = who.post("/api/v1/stop/lifts", {"number": 1}).json()["stop"]
        assert lifted["is_standing"] is standing
    assert ines.get("/api/v1/stop/1/certificate").json()["payloadType"].startswith("application/")
