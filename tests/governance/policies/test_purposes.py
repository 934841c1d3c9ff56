"""R28: what captured work may never be used for, at every door and under every door."""

import pytest
from django.core import checks as django_checks
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from audit.models import Entry
from governance import authorizer
from governance.decisions import InternalPurpose
from governance.policies import checks, purposes, selectors, services
from governance.policies.errors import (
    AlreadyRegisteredError,
    PurposeProhibitedError,
    PurposeTermError,
)
from governance.policies.models import Purpose
from tests.governance.policies.house import INES, register

pytestmark = pytest.mark.django_db


def ask(key: str, broader: str) -> None:
    services.register_purpose(
        key=key, name="Name", description="Words.", broader=broader, actor=INES
    )


@pytest.mark.parametrize("prohibition", purposes.PROHIBITED, ids=lambda p: p.key)
def test_a_prohibited_purpose_is_refused_by_its_key_and_by_each_of_its_terms(
    prohibition: purposes.Prohibition,
) -> None:
    with pytest.raises(PurposeProhibitedError) as by_key:
        ask(prohibition.key, "CommercialResearch")
    assert by_key.value.prohibition == prohibition.key
    for term in prohibition.terms:
        for written in (term, term.upper(), f"dpv:{term}", f"https://w3id.org/dpv#{term}"):
            with pytest.raises(PurposeProhibitedError):
                ask("harmless", written)
    assert selectors.purposes() == []


def test_the_refusal_is_an_entry_and_the_permitted_one_is_registered() -> None:
    with pytest.raises(PurposeProhibitedError):
        ask("performance-evaluation", "CommercialResearch")
    register()
    assert list(Entry.objects.order_by("id").values_list("event", "verdict")) == [
        ("purpose:registered", "deny"),
        ("purpose:registered", "n/a"),
    ]
    found = selectors.purpose("train-computer-use-agents")
    assert found is not None
    assert found.version == "train-computer-use-agents@1"


@pytest.mark.parametrize(
    "key", ["employee-performance-review", "Productivity", "emotion_detection", "stress-level"]
)
def test_another_name_for_it_is_refused_as_well(key: str) -> None:
    with pytest.raises(PurposeProhibitedError):
        ask(key, "CommercialResearch")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("p-a-y", "Name"),
        ("perfor-mance", "Name"),
        ("personnel-payment", "Name"),
        ("salary-decisions", "Name"),
        ("leistungskontrolle", "Name"),
        ("sell-data", "Name"),
        ("harmless", "Performance evaluation"),
        ("harmless", "PERFORMANCE\u00a0Evaluation of staff"),
        ("harmless", "\uff30erformance evaluation"),
        ("harmless", "Verhaltenskontrolle"),
        ("harmless", "Personnel Promotion Management"),
    ],
)
def test_no_spelling_and_no_name_makes_it_another_use(key: str, name: str) -> None:
    with pytest.raises(PurposeProhibitedError):
        services.register_purpose(
            key=key, name=name, description="Words.", broader="CommercialResearch", actor=INES
        )


@pytest.mark.parametrize(
    "name", ["Train new agents", "Determination of addresses", "Replay offers", "Pay an invoice"]
)
def test_words_that_only_run_together_into_another_are_harmless(name: str) -> None:
    assert purposes.prohibition(key="harmless", broader="CommercialResearch", name=name) is None


def test_a_term_nobody_thought_of_is_refused() -> None:
    with pytest.raises(PurposeTermError):
        ask("harmless", "PersonnelManagement")


def test_a_key_is_registered_once_and_the_services_own_are_nobodys() -> None:
    register()
    with pytest.raises(AlreadyRegisteredError):
        register()
    for reserved in purposes.RESERVED:
        with pytest.raises(AlreadyRegisteredError):
            ask(reserved, "CommercialResearch")
    assert {purpose.value for purpose in InternalPurpose} == purposes.RESERVED


@pytest.mark.parametrize(
    ("key", "broader"),
    [
        *((key, "CommercialResearch") for key in purposes.PROHIBITED_KEYS),
        *(("harmless", term) for term in purposes.PROHIBITED_TERMS),
    ],
)
def test_the_database_refuses_the_row_too(key: str, broader: str) -> None:
    register()
    entry = Entry.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Purpose.objects.create(
            key=key, broader=broader, registered_at=entry.occurred_at, entry=entry
        )


def test_the_service_does_not_start_while_a_forced_row_stands() -> None:
    register()
    assert checks.no_prohibited_purpose(None) == []
    entry = Entry.objects.get()
    with connection.cursor() as cursor:
        force_open(cursor)
        cursor.execute(
            "INSERT INTO policies_purpose (key, broader, registered_at, entry_id) "
            "VALUES ('performance-evaluation', 'CommercialResearch', %s, %s)",
            [str(entry.occurred_at), entry.pk],
        )
    found = checks.no_prohibited_purpose(None)
    assert [message.id for message in found] == ["policies.E001"]
    assert found[0].level == django_checks.ERROR
    assert "performance-evaluation" in found[0].msg


def force_open(cursor: CursorWrapper) -> None:
    """Do what somebody with the database's own rights would do: take the constraint away."""
    if connection.vendor == "sqlite":
        with authorizer.lifted(connection):
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        return
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("ALTER TABLE policies_purpose DROP CONSTRAINT policies_purpose_not_prohibited")


@pytest.fixture(autouse=True)
def _constraints_again() -> object:
    yield
    if connection.vendor == "sqlite":
        with authorizer.lifted(connection), connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_purposes_are_append_only() -> None:
    register()
    for statement in (
        "UPDATE policies_purpose SET broader = 'ServiceOptimisation'",
        "DELETE FROM policies_purpose_version",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
