"""Where somebody works decides whether anything is captured, and after which notice (R103)."""

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from governance.capture import agent_policy, cells
from governance.compliance import jurisdictions, monitoring
from governance.compliance.errors import JurisdictionUnmetError, MonitoringError
from governance.decisions import Deny, Reason, decide_cell
from governance.policies import groundwork
from tests import make

pytestmark = pytest.mark.django_db
CELL = (make.TRAIN, make.DESK, "pointer")
TEXTS = dict.fromkeys(("en", "de", "fr"), "Your work may be recorded if you say yes to it.")
STATES = ("US-NY", "US-CT", "US-DE", "US-ME")


def applications(house: make.House) -> list[str]:
    """Return what mira's computer may capture, as her policy says it."""
    agent = make.endpoint(house, "mira")
    signed = agent_policy.current(device_id=agent.device.id, subject=agent.subject)
    document = json.loads(b64decode(json.loads(signed.envelope)["payload"]))
    return [each["id"] for each in document["applications"]]


def reason(house: make.House, at: datetime, now: datetime) -> Reason | None:
    person = cells.cells_of(subject=house.subject("mira"), epoch=0, device_id=None, now=now)
    verdict = decide_cell(person.facts(make.DESK, "pointer"), at=at, now=now)
    return verdict.reason if isinstance(verdict, Deny) else None


def works_in(house: make.House, place: str) -> None:
    monitoring.record_place(subject=house.subject("mira"), place=place, actor=house.ines)


def opened(house: make.House, places: list[str]) -> None:
    """Put a policy in force that may act in these places, and let mira say yes to it."""
    make.activate(house, make.policy_content(make.DESK) | {"places": places})
    make.decide(house, "mira", [CELL])


def test_whoever_works_where_nobody_knows_or_elsewhere_is_not_captured(
    nordhafen: make.House, settings: object
) -> None:
    make.decide(nordhafen, "mira", [CELL])
    assert applications(nordhafen) == [make.DESK]
    works_in(nordhafen, "FR")
    assert applications(nordhafen) == []
    now = timezone.now()
    assert reason(nordhafen, now, now) is Reason.PLACE_NOT_COVERED
    works_in(nordhafen, "DE")
    assert applications(nordhafen) == [make.DESK]
    # What was recorded before they came to this place stays refused.
    later = timezone.now()
    assert reason(nordhafen, later - timedelta(hours=1), later) is Reason.PLACE_NOT_COVERED
    settings.REMIT_WORK_PLACE = ""  # type: ignore[attr-defined]
    carla = cells.cells_of(subject="nobody", epoch=0, device_id=None, now=now)
    assert carla.standing.place == ""
    with pytest.raises(MonitoringError):
        works_in(nordhafen, "Hamburg")


def test_r103_no_policy_acts_in_a_place_before_its_notice_is_published_and_posted(
    nordhafen: make.House,
) -> None:
    with pytest.raises(JurisdictionUnmetError) as missing:
        opened(nordhafen, ["US-NY"])
    assert missing.value.conditions == ["US-NY: a monitoring notice is published"]
    with pytest.raises(MonitoringError, match="fr"):
        groundwork.publish_monitoring_notice(
            code="US-NY", texts=TEXTS | {"fr": " "}, actor=nordhafen.ines
        )
    with pytest.raises(MonitoringError):
        groundwork.publish_monitoring_notice(code="DE", texts=TEXTS, actor=nordhafen.ines)
    groundwork.publish_monitoring_notice(code="US-NY", texts=TEXTS, actor=nordhafen.ines)
    with pytest.raises(JurisdictionUnmetError, match="posted"):
        opened(nordhafen, ["US-NY"])
    monitoring.record_posting(code="US-NY", where="Entrance hall", actor=nordhafen.ines)
    opened(nordhafen, ["US-NY"])


@pytest.mark.parametrize("place", STATES)
def test_r103_r104_capture_waits_for_the_acknowledgement_which_consents_to_nothing(
    nordhafen: make.House, place: str
) -> None:
    groundwork.publish_monitoring_notice(code=place, texts=TEXTS, actor=nordhafen.ines)
    monitoring.record_posting(code=place, where="Entrance hall", actor=nordhafen.ines)
    mira = nordhafen.actor("mira")
    make.activate(nordhafen, make.policy_content(make.DESK) | {"places": [place]})
    works_in(nordhafen, place)
    make.decide(nordhafen, "mira", [CELL])
    assert applications(nordhafen) == []
    before = timezone.now()
    assert reason(nordhafen, before, before) is Reason.NOTICE_NOT_ACKNOWLEDGED
    with pytest.raises(MonitoringError):
        monitoring.acknowledge(subject=mira.key, actor=nordhafen.ines)
    monitoring.acknowledge(subject=mira.key, actor=mira)
    assert applications(nordhafen) == [make.DESK]
    now = timezone.now()
    assert reason(nordhafen, before, now) is Reason.NOTICE_NOT_ACKNOWLEDGED
    in_two_years = now + timedelta(days=730)
    ends = reason(nordhafen, in_two_years, in_two_years) is Reason.NOTICE_NOT_ACKNOWLEDGED
    assert ends is (place == "US-ME")
    # Tariq acknowledges and has said yes to nothing.
    tariq = nordhafen.actor("tariq")
    monitoring.record_place(subject=tariq.key, place=place, actor=nordhafen.ines)
    monitoring.acknowledge(subject=tariq.key, actor=tariq)
    held = cells.cells_of(subject=tariq.key, epoch=0, device_id=None, now=timezone.now())
    assert held.consent == {}
    assert Entry.objects.filter(event="monitoring:acknowledged").count() == 2
    # A new text is read anew.
    groundwork.publish_monitoring_notice(
        code=place, texts=TEXTS | {"en": "Another text."}, actor=nordhafen.ines
    )
    assert applications(nordhafen) == []


def test_unknown_falls_under_the_strictest_of_all_places() -> None:
    on = datetime(2026, 11, 21, tzinfo=UTC).date()
    duties = jurisdictions.strictest(on)
    assert duties.codetermination == "consent"
    assert duties.monitoring_notice == "acknowledged"
    assert duties.lawful_bases_allowed == {"A6-1-a-explicit-consent"}
    assert duties.breach_threshold == "any"
    assert {"de", "en", "fr"} <= duties.languages
    assert jurisdictions.profile_of("BR", on) is None
    assert jurisdictions.profiles(datetime(2025, 1, 1, tzinfo=UTC).date()) == []
    texas, belgium = jurisdictions.profile_of("US-TX", on), jurisdictions.profile_of("BE", on)
    assert texas is not None
    assert belgium is not None
    assert (texas.code, belgium.code) == ("US", "EU")
