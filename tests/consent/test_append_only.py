"""What was told, decided and receipted cannot be changed or removed, also not by SQL."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.actors import Actor
from consent import services
from consent.models import ConsentEvent
from governance import authorizer
from tests.consent.conftest import INES
from tests.consent.test_decide import POINTER, decide, yes

pytestmark = pytest.mark.django_db

TABLES = {
    "consent_notice_version": "language",
    "consent_record": "category",
    "consent_event": "status",
    "consent_receipt": "document_digest",
    "consent_pause": "is_paused",
}


@pytest.fixture
def filled(mira: Actor, notice: str) -> Actor:
    decide(mira, yes(POINTER, notice))
    services.pause(subject=mira.key, device_id=None, until=None, actor=mira)
    return mira


@pytest.mark.parametrize(("table", "column"), TABLES.items())
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses(filled: Actor, table: str, column: str, verb: str) -> None:
    statement = (
        f"UPDATE {table} SET {column} = {column}" if verb == "update" else f"DELETE FROM {table}"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] > 0
        with (
            authorizer.lifted(connection),
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
        ):
            cursor.execute(statement)


def test_r13_the_database_itself_refuses_a_yes_by_proxy(filled: Actor) -> None:
    event = ConsentEvent.objects.get()
    event.pk = "0199a1f0-4f00-7a55-9d10-6b1e2f9a7700"
    event.number, event.previous_id, event.indicated_by = 2, None, INES.key
    with pytest.raises(IntegrityError, match="consent_event_no_proxy"), transaction.atomic():
        event.save(force_insert=True)
