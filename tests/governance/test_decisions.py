"""The rules as tables: each allowed case stands beside the cases that differ in one fact."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.decisions import (
    ALLOW,
    CellFacts,
    Deny,
    IntakeFacts,
    InternalPurpose,
    Interval,
    ReadFacts,
    Reason,
    RecordFacts,
    decide_cell,
    decide_intake,
    decide_read,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

RECORD = RecordFacts("mira", NOW + HOUR, is_live=True, consent_valid=True)
READ = ReadFacts(
    reader="jonas",
    role="data_requester",
    purpose="train",
    now=NOW,
    records=[RECORD],
    registered=True,
    approved_purposes={"train"},
)
OWN = replace(READ, reader="mira", role="employee", purpose="own-access", approved_purposes=())
JOB = replace(READ, reader="system:redactor", role="redactor", purpose="redaction")


@pytest.mark.parametrize(
    "facts",
    [
        READ,
        OWN,
        JOB,
        replace(READ, role="release-builder", approved_purposes=()),
        replace(
            JOB, role="expiry", purpose="retention", records=[replace(RECORD, retain_until=NOW)]
        ),
        replace(OWN, records=[replace(RECORD, consent_valid=False)]),
    ],
    ids=[
        "approved reader",
        "own data",
        "redactor",
        "builder",
        "late expiry",
        "own after withdrawal",
    ],
)
def test_a_read_with_every_condition_met_is_allowed(facts: ReadFacts) -> None:
    assert decide_read(facts) == ALLOW


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(READ, prohibited=True), Reason.PURPOSE_PROHIBITED),
        (replace(OWN, prohibited=True), Reason.PURPOSE_PROHIBITED),
        (replace(READ, registered=False), Reason.PURPOSE_UNKNOWN),
        (replace(READ, role="privacy_officer"), Reason.ROLE_NOT_PERMITTED),
        (replace(READ, role="service_admin"), Reason.ROLE_NOT_PERMITTED),
        (replace(READ, approved_purposes={"other"}), Reason.NO_APPROVED_REQUEST),
        (replace(READ, manages={"mira"}), Reason.CONFLICT_OF_INTEREST),
        (replace(READ, records=[replace(RECORD, consent_valid=False)]), Reason.CONSENT_MISSING),
        (replace(READ, records=[replace(RECORD, retain_until=NOW)]), Reason.EXPIRED),
        (replace(READ, records=[replace(RECORD, is_live=False)]), Reason.ERASED),
        (replace(OWN, reader="petra"), Reason.NOT_OWN_DATA),
        (replace(OWN, role="privacy_officer"), Reason.ROLE_NOT_PERMITTED),
        (replace(OWN, records=[replace(RECORD, retain_until=NOW)]), Reason.EXPIRED),
        (replace(JOB, purpose="export"), Reason.ROLE_NOT_PERMITTED),
        (replace(JOB, role="data_requester"), Reason.ROLE_NOT_PERMITTED),
        (replace(READ, purpose="redaction"), Reason.ROLE_NOT_PERMITTED),
    ],
)
def test_one_condition_missing_refuses_the_read(facts: ReadFacts, reason: Reason) -> None:
    assert decide_read(facts) == Deny(reason)


def test_one_bad_record_refuses_all_of_them() -> None:
    mixed = replace(READ, records=[RECORD, replace(RECORD, consent_valid=False)])
    assert decide_read(mixed) == Deny(Reason.CONSENT_MISSING)


@given(
    role=st.text(min_size=1, max_size=20),
    purpose=st.text(min_size=1, max_size=20),
)
def test_no_rule_found_means_no(role: str, purpose: str) -> None:
    facts = ReadFacts(reader="x", role=role, purpose=purpose, now=NOW, records=[])
    assert decide_read(facts) != ALLOW or (role, purpose) == ("employee", "own-access")


RUNNING = Interval(NOW - 2 * HOUR, None)
CELL = CellFacts(consent=[RUNNING], policy=[RUNNING], pauses=[])


def test_an_event_is_kept_when_consent_and_policy_covered_it_then_and_now() -> None:
    assert decide_cell(CELL, at=NOW - HOUR, now=NOW) == ALLOW


@pytest.mark.parametrize(
    ("cell", "at", "reason"),
    [
        (replace(CELL, consent=[]), NOW, Reason.CONSENT_MISSING),
        (CELL, NOW - 3 * HOUR, Reason.APP_NOT_ALLOWED),
        (replace(CELL, policy=[]), NOW, Reason.APP_NOT_ALLOWED),
        (
            replace(CELL, policy=[Interval(NOW - 2 * HOUR, NOW)]),
            NOW - HOUR,
            Reason.POLICY_MISSING,
        ),
        (
            replace(CELL, consent=[Interval(NOW - 2 * HOUR, NOW - HOUR / 2)]),
            NOW - HOUR,
            Reason.CONSENT_MISSING,
        ),
        (
            # Withdrawn and given again: what was captured before the withdrawal stays out.
            replace(
                CELL,
                consent=[
                    Interval(NOW - 2 * HOUR, NOW - HOUR / 2),
                    Interval(NOW - HOUR / 4, None),
                ],
            ),
            NOW - HOUR,
            Reason.CONSENT_MISSING,
        ),
        (
            replace(CELL, pauses=[Interval(NOW - HOUR, NOW - HOUR / 2)]),
            NOW - HOUR,
            Reason.PAUSED,
        ),
    ],
)
def test_an_event_outside_consent_policy_or_inside_a_pause_is_refused(
    cell: CellFacts, at: datetime, reason: Reason
) -> None:
    assert decide_cell(cell, at=at, now=NOW) == Deny(reason)


def test_a_pause_ends_with_its_last_moment_excluded() -> None:
    paused = replace(CELL, pauses=[Interval(NOW - HOUR, NOW - HOUR / 2)])
    assert decide_cell(paused, at=NOW - HOUR / 2, now=NOW) == ALLOW


INTAKE = IntakeFacts(
    device_subject="mira",
    device_revoked=False,
    header_device_is_signer=True,
    cells=[(CELL, NOW - HOUR, NOW)],
    seal_key_known=True,
    created_at=NOW,
    now=NOW,
    clock_skew_seconds=300,
    policy_known=True,
)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(INTAKE, device_revoked=True), Reason.DEVICE_REVOKED),
        (replace(INTAKE, header_device_is_signer=False), Reason.NOT_OWN_DEVICE),
        (replace(INTAKE, created_at=NOW - timedelta(days=1)), Reason.CLOCK),
        (replace(INTAKE, created_at=NOW + timedelta(days=1)), Reason.CLOCK),
        (replace(INTAKE, cells=[(CELL, NOW, NOW + timedelta(days=1))]), Reason.CLOCK),
        (replace(INTAKE, policy_known=False), Reason.POLICY_STALE),
        (replace(INTAKE, seal_key_known=False), Reason.POLICY_STALE),
        (replace(INTAKE, cells=[]), Reason.CATEGORY_DENIED),
        (
            replace(INTAKE, cells=[(replace(CELL, consent=[]), NOW, NOW)]),
            Reason.CONSENT_MISSING,
        ),
    ],
)
def test_one_fact_wrong_refuses_the_batch(facts: IntakeFacts, reason: Reason) -> None:
    assert decide_intake(INTAKE) == ALLOW
    assert decide_intake(facts) == Deny(reason)


def test_a_batch_that_waited_for_a_network_is_taken_for_less_than_a_day() -> None:
    late = replace(INTAKE, created_at=NOW - timedelta(hours=23, minutes=59))
    assert decide_intake(late) == ALLOW


def test_internal_purposes_are_never_registered_ones() -> None:
    assert {purpose.value for purpose in InternalPurpose}.isdisjoint({"train-computer-use-agents"})
