"""The signed document a device gets: complete, short-lived, about nobody."""

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.conf import settings

from audit import signing
from audit.errors import SignatureError
from governance.policies import document, selectors
from governance.policies.budgets import Budgets
from governance.policies.errors import PolicyDocumentError
from tests.governance.policies.house import APPLICATION, INES, LEA, activated, furnish

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DEVICE = UUID("01932f00-0000-7000-8000-000000000001")
TTL = timedelta(seconds=settings.REMIT_POLICY_TTL_SECONDS)


def facts(categories: Sequence[str] = ("click", "pointer"), **changes: Any) -> document.AgentFacts:
    furnish()
    activated(NOW, masks=[{"id": "iban", "selector": "#iban"}], rules={"pointer": {"most": 9}})
    policy = selectors.active_version(APPLICATION, NOW)
    assert policy is not None
    plain: dict[str, Any] = {
        "device_id": DEVICE,
        "issued_at": NOW,
        "expires_at": NOW + TTL,
        "policy_epoch": 7,
        "consent_epoch": 3,
        "paused_until": None,
        "applications": [(policy, categories)],
        "seal_keys": [document.SealKeyFact("k1", "X25519", b"\x01" * 32)],
        "max_batch_events": 5000,
    }
    return document.AgentFacts(**(plain | changes))


def test_the_document_says_what_decision_31_lists_and_names_nobody() -> None:
    body = document.build_agent_policy(facts())
    said = json.loads(body)
    assert set(said) == {
        "schema",
        "device_id",
        "issued_at",
        "not_before",
        "expires_at",
        "offline_until",
        "policy_epoch",
        "consent_epoch",
        "paused_until",
        "applications",
        "fields",
        "masks",
        "seal_keys",
        "budgets",
        "poll",
        "verify_keys",
    }
    assert said["schema"] == "agent-policy/1"
    assert said["expires_at"] == "2026-11-21T12:15:00.000000Z"
    (application,) = said["applications"]
    assert application["id"] == APPLICATION
    assert application["policy_version"] == "freight-desk@1"
    assert application["categories"] == [
        {"key": "pointer", "rules": {"most": 9}},
        {"key": "click", "rules": {}},
    ]
    assert application["masks"] == [{"id": "iban", "selector": "#iban"}]
    assert INES.key.encode() not in body
    assert LEA.key.encode() not in body


def test_the_same_facts_give_the_same_bytes_and_the_envelope_verifies() -> None:
    body = document.build_agent_policy(facts())
    signed = document.sign(body)
    assert signed.payload == body
    envelope = json.loads(signed.envelope)
    keys = {key.key_id: key.public for key in signing.public_keys("policy")}
    opened = signing.dsse_verify(
        public_keys=keys, envelope=envelope, payload_type=document.PAYLOAD_TYPE
    )
    assert opened == body
    assert document.sign(body).etag == signed.etag
    assert signed.etag.startswith('"')
    envelope["payload"] = base64.b64encode(body.replace(b"click", b"audio")).decode()
    with pytest.raises(SignatureError):
        signing.dsse_verify(public_keys=keys, envelope=envelope, payload_type=document.PAYLOAD_TYPE)


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": NOW + TTL + timedelta(microseconds=1)},
        {"expires_at": NOW},
        {"paused_until": "tomorrow"},
        {"categories": ["shortcut"]},
    ],
)
def test_facts_that_contradict_are_never_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(PolicyDocumentError):
        document.build_agent_policy(facts(**changes))


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (None, None),
        ("indefinite", "indefinite"),
        (NOW + timedelta(minutes=5), "2026-11-21T12:05:00.000000Z"),
    ],
)
def test_a_pause_is_told(until: object, said: object) -> None:
    body = document.build_agent_policy(facts(paused_until=until))
    assert json.loads(body)["paused_until"] == said


def test_r26_a_document_carries_the_strictest_budgets_of_all_its_policies() -> None:
    given = facts()
    ((policy, categories),) = given.applications

    def with_budgets(**changes: Any) -> tuple[selectors.ActivePolicy, Sequence[str]]:
        content = msgspec.structs.replace(policy.content, budgets=Budgets(**changes))
        return replace(policy, content=content), categories

    both = [
        with_budgets(megabytes_per_day=10, offline_hours=24, cpu_percent=3),
        with_budgets(on_metered="never", on_battery=False, offline_hours=1, screens_per_minute=2),
    ]
    said = json.loads(document.build_agent_policy(replace(given, applications=both)))
    assert said["budgets"] == {
        "max_batch_events": 5000,
        "max_octets_per_day": 10 << 20,
        "max_screens_per_minute": 2,
        "max_cpu_percent": 3,
        "on_battery": False,
        "on_metered": "never",
    }
    assert said["offline_until"] is None
    hour = replace(given, applications=both, offline_until=NOW + timedelta(hours=1))
    assert json.loads(document.build_agent_policy(hour))["offline_until"].startswith(
        "2026-11-21T13"
    )
    for until in (timedelta(hours=1, microseconds=1), timedelta(minutes=1)):
        with pytest.raises(PolicyDocumentError):
            document.build_agent_policy(replace(hour, offline_until=NOW + until))
    with pytest.raises(PolicyDocumentError):
        document.build_agent_policy(replace(given, offline_until=NOW + timedelta(hours=1)))
