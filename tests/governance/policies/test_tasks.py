"""What beat starts hourly: what ran out ends capture by itself."""

import pytest

from audit.models import Entry
from governance.celery import app
from governance.policies import selectors, tasks
from tests.governance.policies.house import APPLICATION, activated, furnish

pytestmark = pytest.mark.django_db


def test_a_policy_that_lost_its_ground_is_suspended_within_the_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert app.conf.beat_schedule["guard policies"]["schedule"] <= 3600
    furnish()
    activated()
    tasks.suspend_unguarded()
    assert selectors.active_version(APPLICATION) is not None
    monkeypatch.setattr("governance.compliance.commitments.CategoryNever.holds", lambda *_: False)
    tasks.suspend_unguarded()
    assert selectors.active_version(APPLICATION) is None
    assert Entry.objects.latest("id").event == "policy:suspended"
