"""Records that are made from what is in force: processing activities and conformance."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from governance.capture import intake, tallies
from governance.capture.errors import CaptureError
from governance.oversight import conformance, ropa
from governance.oversight.errors import NoProcessorError
from governance.policies import services
from governance.policies.categories import WITHOUT_PICTURES
from tests import make
from tests.governance.portal.test_pages import signed_in

pytestmark = pytest.mark.django_db


def test_r42_the_record_of_processing_is_what_is_in_force(nordhafen: make.House) -> None:
    """R42: each field of GDPR 30(1), from notices, policies and schedules, and nothing typed."""
    answer = signed_in("wanda").get("/api/v1/ropa").json()
    assert answer["kind"] == "controller"
    (train,) = [each for each in answer["activities"] if each["purpose"] == make.TRAIN]
    assert train["controller"]["name"] == "Nordhafen GmbH"
    assert train["data_protection_officer"]["contact"].startswith("mailto:")
    assert train["lawful_basis"] == "A6-1-a-explicit-consent"
    assert train["assessments"] == ["freight-desk-v1@1", "warehouse-terminal-v1@1"]
    data = {each["application"]: each for each in train["data"]}
    assert data[make.DESK]["erased_after_days"] == {c.value: make.DAYS for c in WITHOUT_PICTURES}
    assert data[make.DESK]["places"] == ["DE"]
    assert all(answer["measures"])
    services.set_retention(
        application=make.DESK, days=dict.fromkeys(WITHOUT_PICTURES, 30), actor=nordhafen.ines
    )
    (train,) = [
        each
        for each in signed_in("wanda").get("/api/v1/ropa").json()["activities"]
        if each["purpose"] == make.TRAIN
    ]
    data = {each["application"]: each for each in train["data"]}
    assert set(data[make.DESK]["erased_after_days"].values()) == {30}
    assert signed_in("mira").get("/api/v1/ropa").status_code == 403


def test_r43_a_processor_has_a_record_of_its_own(nordhafen: make.House, settings: Any) -> None:
    with pytest.raises(NoProcessorError):
        ropa.processor_record(timezone.now())
    settings.REMIT_PROCESSOR = "Remit Hosting AG | Kai 3, Hamburg | mailto:dpo@host.example"
    record = signed_in("ines").get("/api/v1/ropa?kind=processor").json()
    assert record["processor"]["name"] == "Remit Hosting AG"
    assert [party["name"] for party in record["controllers"]] == ["Nordhafen GmbH"]
    assert record["categories_of_processing"]
    assert record["transfers"]
    assert record["measures"]


def test_r40_the_works_council_reads_the_ground_of_every_policy_and_no_person(
    nordhafen: make.House,
) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    wanda = signed_in("wanda")
    subjects = {person.subject_key for person in nordhafen.people.values()}
    for path in (
        *("capture-policies", "purposes", "notices", "retention-schedules", "ropa"),
        *("impact-assessments", "works-agreements", "processing-activities", "jurisdictions"),
        *("stop", "monitoring-notices", "transparency/conformance", "computers"),
        *("audit/entries", "releases", "access-requests", "transparency/policies"),
    ):
        answer = wanda.get(f"/api/v1/{path}")
        assert answer.status_code == 200, path
        said = answer.content.decode()
        assert not any(key in said for key in subjects), path


def test_r41_what_came_and_what_was_refused_is_counted_and_not_of_whom(
    nordhafen: make.House, settings: Any
) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    agent = make.endpoint(nordhafen, "mira")
    lines = make.events(agent_time(), {"type": "mouse.move", "app": "unheard-of", "x": 1, "y": 2})
    header, wire = make.sealed(agent, lines, {("unheard-of", "pointer"): 1})
    with pytest.raises(CaptureError):
        intake.accept_batch(
            uploader=intake.Uploader(agent.device.id, agent.subject),
            idempotency_key=str(header["batch_id"]),
            wire=wire,
        )
    assert tallies.refusals() == {"": {"app_not_allowed": 1}}
    tallies.refuse(
        {"unknown_field": 2, "consent_missing": 9, "paused": 4, "place_not_covered": 1},
        application=make.DESK,
    )
    rows = Client().get("/api/v1/transparency/conformance").json()["conformance"]
    (desk,) = [row for row in rows if row["application"] == make.DESK]
    # A refusal that would tell of a choice is not counted.
    assert desk["refused"] == {"unknown_field": 2}
    assert desk["arrived"]["pointer"] is None
    assert [promise["holds"] for promise in desk["promises"]] == [True]
    out = StringIO()
    call_command("conformance_report", stdout=out)
    assert len(json.loads(out.getvalue())) == len(make.APPLICATIONS)


def agent_time() -> int:
    return int(timezone.now().timestamp() * 1_000_000_000)


def test_a_broken_promise_is_told_and_ends_the_report_with_an_error(
    nordhafen: make.House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(
        promise.holds for each in conformance.report(timezone.now()) for promise in each.promises
    )
    monkeypatch.setattr("governance.compliance.commitments.CategoryNever.holds", lambda *_: False)
    with pytest.raises(CommandError, match="freight-desk@1: no-typing"):
        call_command("conformance_report", stdout=StringIO())


def test_the_command_prints_the_record(nordhafen: make.House) -> None:
    out = StringIO()
    call_command("ropa", stdout=out)
    assert json.loads(out.getvalue())["organisation"]
