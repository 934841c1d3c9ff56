"""PostgreSQL: what each role may not do to the record, and what refused it.

Roles, grants and guard are laid inside the test's own transaction, and gone after it; the story
(tests/stories) runs the service under real logins.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import genesis, inspection, journal
from audit.actions import Action
from audit.actors import Actor
from audit.models import Entry, Leaf
from governance.management import roles
from governance.tables import KEPT, TABLES

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has an authorizer."),
]

GRANTS, TRIGGER, GUARD = "permission denied|must be owner", "append-only", "remit guard"


@pytest.fixture
def guarded(open_log: Callable[[], None]) -> Iterator[Entry]:
    """The test's database as `database_roles` leaves it, with a row in each table of the log."""
    entry = journal.append_now(Action.ACCESS_DENIED, actor=Actor("somebody", "auditor"))
    open_log()
    # What is deferred would stand in the way of every ALTER TABLE.
    roles.run(connection, "SET CONSTRAINTS ALL IMMEDIATE")
    roles.make_roles(connection)
    roles.hand_over(connection)
    roles.grant(connection, TABLES["default"])
    roles.seal(connection, KEPT["default"])
    yield entry
    connection.check_constraints()


def attempt(
    statement: str,
    *,
    role: str | None,
    parameters: list[Any] | None = None,
    using: str = "default",
) -> None:
    """Try a statement as somebody signed in with nothing but a role; None is the superuser."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        if role:
            cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {role}")
        cursor.execute(statement, parameters)
        cursor.execute("RESET SESSION AUTHORIZATION")


def refused(statements: dict[str, str], *, role: str | None) -> None:
    """Each statement is refused, and by what stands behind it."""
    through = []
    for statement, by in statements.items():
        try:
            with pytest.raises(DatabaseError, match=by):
                attempt(statement, role=role)
        except pytest.fail.Exception:
            through.append(statement)
    assert not through


INTO = "INSERT INTO audit_entry"
COPY = "FROM audit_entry LIMIT 1"

OF_APP = {
    "UPDATE audit_entry SET organisation = 'x'": GRANTS,
    "DELETE FROM audit_entry": GRANTS,
    "TRUNCATE audit_entry CASCADE": GRANTS,
    f"{INTO} (id, uuid, organisation, leaf, leaf_hash) OVERRIDING SYSTEM VALUE "
    f"SELECT 9, uuid, 'x', leaf, leaf_hash {COPY}": GRANTS,
    f"{INTO} (uuid, organisation, leaf, leaf_hash, xid) "
    f"SELECT uuid, 'x', leaf, leaf_hash, xid {COPY}": GRANTS,
    f"{INTO} (uuid, organisation, leaf, leaf_hash, occurred_at) "
    f"SELECT uuid, 'x', leaf, leaf_hash, now() {COPY}": "permission denied|cannot insert",
    f"{INTO} (uuid, organisation, leaf, leaf_hash) SELECT uuid, 'x', leaf, leaf_hash {COPY} "
    "ON CONFLICT (uuid) DO UPDATE SET organisation = 'x'": GRANTS,
    "INSERT INTO audit_outbox (entry_id) SELECT id FROM audit_entry": GRANTS,
    "DELETE FROM audit_outbox": GRANTS,
    "UPDATE audit_outbox SET not_before = NULL": GRANTS,
    'INSERT INTO audit_leaf ("index", entry_id, leaf_hash) '
    "SELECT 99, entry_id, leaf_hash FROM audit_leaf": GRANTS,
    "INSERT INTO audit_checkpoint (size, root) VALUES (99, '')": GRANTS,
    "UPDATE audit_treestate SET size = 0": GRANTS,
    "UPDATE audit_treestate SET halted = ''": GRANTS,
    "UPDATE consent_event SET status = 'ConsentGiven'": GRANTS,
    "UPDATE capture_frame SET subject = 'x'": GRANTS,
    "SELECT FROM capture_frame_rest": GRANTS,
    "DELETE FROM releases_release": GRANTS,
    "UPDATE releases_release SET entry_id = 1": GRANTS,
    "SELECT nextval('audit_entry_id_seq')": GRANTS,
    "SELECT setval('audit_entry_id_seq', 1)": GRANTS,
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL": GRANTS,
    "DROP TRIGGER audit_entry_keep ON audit_entry": GRANTS,
    "DROP TABLE audit_entry CASCADE": GRANTS,
    "CREATE RULE r AS ON INSERT TO audit_entry DO INSTEAD NOTHING": GRANTS,
    "LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE": GRANTS,
    "CREATE TABLE mine (x integer)": GRANTS,
    "CREATE TEMP TABLE audit_outbox (entry_id bigint)": GRANTS,
    "CREATE FUNCTION sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'": GRANTS,
    "CREATE SCHEMA mine": GRANTS,
    "SELECT audit_queue_entry()": "permission denied|can only be called as",
    "SELECT * FROM remit_guard.sealed": GRANTS,
    "DELETE FROM remit_guard.kept": GRANTS,
    "ALTER EVENT TRIGGER remit_guard_end DISABLE": GRANTS,
    "SET session_replication_role = replica": GRANTS,
    "SET ROLE remit_owner": GRANTS,
    "SET ROLE remit_sequencer": GRANTS,
}

OF_SEQUENCER = {
    "UPDATE audit_entry SET organisation = 'x'": GRANTS,
    "DELETE FROM audit_leaf": GRANTS,
    "UPDATE audit_checkpoint SET root = ''": GRANTS,
    "UPDATE audit_note SET text = 'x'": GRANTS,
    "INSERT INTO audit_outbox (entry_id) SELECT id FROM audit_entry": GRANTS,
    "SELECT FROM consent_event": GRANTS,
    "SELECT FROM accounts_person": GRANTS,
    "SELECT FROM capture_frame": GRANTS,
}

OF_READER = {
    "SELECT FROM audit_entry": GRANTS,
    "SELECT entry_id FROM audit_leaf": GRANTS,
    "SELECT FROM audit_outbox": GRANTS,
    "SELECT FROM consent_event": GRANTS,
    "INSERT INTO audit_cosignature DEFAULT VALUES": GRANTS,
}

OF_OWNER = {
    "UPDATE audit_entry SET organisation = 'x'": TRIGGER,
    "DELETE FROM audit_leaf": TRIGGER,
    "TRUNCATE audit_note CASCADE": TRIGGER,
    "TRUNCATE audit_entry CASCADE": TRIGGER,
    "DROP TABLE audit_entry CASCADE": GUARD,
    "DROP TABLE audit_cosignature": GUARD,
    "DROP OWNED BY remit_owner CASCADE": GUARD,
    "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_keep": GUARD,
    "ALTER TABLE audit_entry DISABLE TRIGGER USER": GUARD,
    "ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_keep": GUARD,
    "DROP TRIGGER audit_entry_queue ON audit_entry": GUARD,
    "ALTER TRIGGER audit_entry_keep ON audit_entry RENAME TO other": GUARD,
    "CREATE TRIGGER t BEFORE INSERT ON audit_entry FOR EACH ROW "
    "EXECUTE FUNCTION audit_refuse_change()": GUARD,
    "CREATE OR REPLACE TRIGGER audit_entry_keep AFTER UPDATE ON audit_entry FOR EACH ROW "
    "EXECUTE FUNCTION audit_refuse_change()": GUARD,
    "CREATE RULE r AS ON INSERT TO audit_entry DO INSTEAD NOTHING": GUARD,
    "CREATE RULE r AS ON UPDATE TO audit_note DO INSTEAD NOTHING": GUARD,
    "CREATE POLICY p ON audit_entry": GUARD,
    "ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY": GUARD,
    "GRANT UPDATE ON audit_entry TO remit_app": GUARD,
    "GRANT UPDATE (leaf) ON audit_entry TO remit_app": GUARD,
    "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC": GUARD,
    "REVOKE INSERT ON audit_entry FROM remit_app": GUARD,
    "REVOKE SELECT (size) ON audit_checkpoint FROM remit_reader": GUARD,
    "CREATE OR REPLACE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql "
    "AS 'BEGIN RETURN NEW; END'": GUARD,
    "CREATE OR REPLACE FUNCTION audit_leaf_text(leaf bytea, name text) RETURNS text "
    "LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$SELECT ''$$": GUARD,
    "DROP FUNCTION audit_refuse_change() CASCADE": GUARD,
    "ALTER FUNCTION audit_queue_entry() SECURITY INVOKER": GUARD,
    "ALTER FUNCTION audit_queue_entry() SET search_path = pg_temp, public": GUARD,
    "ALTER FUNCTION audit_refuse_change() RENAME TO other": GUARD,
    "CREATE FUNCTION sha256(text) RETURNS text LANGUAGE sql AS 'SELECT $1'": GUARD,
    "CREATE OPERATOR || (LEFTARG = bytea, RIGHTARG = bytea, FUNCTION = byteacat)": GUARD,
    "ALTER TABLE audit_entry RENAME TO other": GUARD,
    "ALTER TABLE audit_entry RENAME COLUMN organisation TO other": GUARD,
    "ALTER TABLE audit_entry ADD COLUMN note text": GUARD,
    "ALTER TABLE audit_entry DROP COLUMN organisation": GUARD,
    "ALTER TABLE audit_entry ALTER COLUMN event DROP EXPRESSION": GUARD,
    "ALTER TABLE audit_entry ALTER COLUMN xid DROP DEFAULT": GUARD,
    "ALTER TABLE audit_entry ALTER COLUMN id DROP IDENTITY": GUARD,
    "ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_has_its_hash": GUARD,
    "ALTER TABLE audit_note ALTER COLUMN text TYPE text USING 'forged'": GUARD,
    "ALTER TABLE audit_note ALTER COLUMN text TYPE varchar USING 'forged'": GUARD,
    "ALTER TABLE audit_note SET UNLOGGED": "remit guard|could not change table",
    "ALTER SEQUENCE audit_entry_id_seq INCREMENT BY -1": GUARD,
    "CREATE INDEX i ON audit_entry (audit_leaf_number(leaf, 'x'))": GUARD,
    "DROP INDEX audit_entry_event": GUARD,
    "CREATE TABLE more () INHERITS (audit_note)": GUARD,
    "ALTER TABLE capture_frame DETACH PARTITION capture_frame_rest": GUARD,
    "CREATE TABLE more PARTITION OF capture_frame FOR VALUES FROM (MINVALUE) TO "
    "('00000000-0000-0000-0000-000000000001')": GUARD,
    "ALTER TABLE capture_frame_rest DISABLE TRIGGER capture_frame_keep": GUARD,
    "ALTER TABLE audit_entry SET SCHEMA pg_catalog": "permission denied|remit guard",
    "ALTER TABLE audit_entry OWNER TO remit_app": "must be member|must be able|remit guard",
    "ALTER SCHEMA public RENAME TO other": GRANTS,
    "SET session_replication_role = replica": GRANTS,
    "ALTER EVENT TRIGGER remit_guard_end DISABLE": GRANTS,
    "DELETE FROM remit_guard.kept": GRANTS,
    "CREATE OR REPLACE FUNCTION remit_guard.refuse() RETURNS event_trigger "
    "LANGUAGE plpgsql AS 'BEGIN END'": GRANTS,
    "SELECT remit_guard.refuse()": GRANTS,
}


def test_the_service_s_role_is_refused_by_its_grants(guarded: Entry) -> None:
    refused(OF_APP, role=roles.APP)
    # The tables whose rows it locks: it may name one column, and the trigger refuses.
    locked = [table for table in TABLES["default"] if table.locked]
    assert locked
    for table in locked:
        attempt(f"SELECT FROM {table.name} FOR UPDATE", role=roles.APP)
    # Giving away what one does not have is no error, only nothing.
    attempt("GRANT UPDATE ON audit_entry TO remit_app", role=roles.APP)
    assert roles.faults("default") == []


def test_the_sequencer_and_an_auditor_are_refused_all_but_their_part(guarded: Entry) -> None:
    refused(OF_SEQUENCER, role=roles.SEQUENCER)
    refused(OF_READER, role=roles.READER)
    for table in TABLES["default"]:
        if table.shown:
            attempt(f"SELECT {', '.join(table.shown)} FROM {table.name}", role=roles.READER)


def test_an_entry_of_the_service_is_queued_by_the_owner_s_trigger(guarded: Entry) -> None:
    attempt(
        f"{INTO} (uuid, organisation, leaf, leaf_hash) SELECT gen_random_uuid(), 'default', leaf, "
        "leaf_hash FROM audit_entry WHERE false",
        role=roles.APP,
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {roles.APP}")
        journal.append(Action.ACCESS_DENIED, actor=Actor.system("redactor"))
        cursor.execute("SELECT count(*) FROM audit_outbox")
        assert cursor.fetchone() == (1,)
        cursor.execute("RESET SESSION AUTHORIZATION")


def test_a_temporary_table_swallows_no_entry(guarded: Entry) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE audit_outbox (LIKE audit_outbox)")
        journal.append(Action.ACCESS_DENIED, actor=Actor.system("redactor"))
        cursor.execute("SELECT count(*) FROM public.audit_outbox")
        assert cursor.fetchone() == (1,)
        cursor.execute("DROP TABLE pg_temp.audit_outbox")


def test_the_owner_is_refused_by_triggers_and_guard(guarded: Entry) -> None:
    refused(OF_OWNER, role=roles.OWNER)
    # And is not refused what a migration of other tables does.
    attempt("CREATE TABLE jobs_more (x integer)", role=roles.OWNER)
    attempt("ALTER TABLE jobs_job ADD COLUMN note text", role=roles.OWNER)
    attempt("DROP TABLE jobs_more", role=roles.OWNER)
    assert roles.faults("default") == []


def test_the_key_store_keeps_its_ledger_and_lets_the_log_speak(
    open_log: Callable[[], None],
) -> None:
    keys = connections["keys"]
    roles.make_roles(keys)
    roles.hand_over(keys)
    roles.grant(keys, TABLES["keys"])
    roles.seal(keys, KEPT["keys"])
    for role, statement, by in (
        (roles.APP, "DELETE FROM vault_ledger", GRANTS),
        (roles.APP, "UPDATE vault_keyrelease SET key = 'x'", GRANTS),
        (roles.SEQUENCER, "SELECT FROM vault_keyrelease", GRANTS),
        (roles.SEQUENCER, "DELETE FROM vault_storedkey", GRANTS),
        (roles.READER, "SELECT FROM vault_storedkey", GRANTS),
        (roles.OWNER, "DELETE FROM vault_ledger", "only ever grows"),
        (roles.OWNER, "ALTER TABLE vault_ledger DISABLE TRIGGER USER", GUARD),
    ):
        with pytest.raises(DatabaseError, match=by):
            attempt(statement, role=role, using="keys")
    # What the sequencer writes about the log itself, under a key that it may have to make.
    with keys.cursor() as cursor:
        cursor.execute("DELETE FROM vault_storedkey")
        cursor.execute(f"SET LOCAL SESSION AUTHORIZATION {roles.SEQUENCER}")
        genesis.heartbeat(now=timezone.now() + timedelta(hours=2))
        cursor.execute("RESET SESSION AUTHORIZATION")
    assert Entry.objects.latest("id").event == Action.LOG_HEARTBEAT


def test_a_superuser_is_refused_until_the_guard_is_lifted_and_then_the_log_tells(
    guarded: Entry,
) -> None:
    replica = "SET LOCAL session_replication_role = replica; "
    refused(
        {
            replica + "UPDATE audit_entry SET organisation = 'x'": TRIGGER,
            replica + "DELETE FROM audit_leaf": TRIGGER,
            replica + "TRUNCATE audit_note CASCADE": TRIGGER,
            replica + "ALTER TABLE audit_entry DISABLE TRIGGER ALL": GUARD,
            replica + "DROP TABLE audit_cosignature": GUARD,
            "GRANT UPDATE ON audit_entry TO PUBLIC": GUARD,
            "ALTER TABLE audit_entry OWNER TO remit_app": GUARD,
            "ALTER SCHEMA public RENAME TO other": GUARD,
            "ALTER TABLE audit_entry SET SCHEMA pg_catalog": f"{GUARD}|permission denied",
        },
        role=None,
    )
    inspection.inspect()
    # PostgreSQL tells no event trigger of this one, which only a superuser may do here.
    with transaction.atomic():
        attempt("REASSIGN OWNED BY remit_owner TO remit_app", role=None)
        assert "default: the table public.audit_entry is not as it was sealed" in roles.faults(
            "default"
        )
        refused({"CREATE TABLE more (x integer)": GUARD}, role=None)
        transaction.set_rollback(True)
    for name in ("end", "drop", "rewrite"):
        attempt(f"ALTER EVENT TRIGGER remit_guard_{name} DISABLE", role=None)
    attempt("ALTER TABLE audit_entry DISABLE TRIGGER ALL", role=None)
    forged = bytes(guarded.leaf).replace(b'"deny"', b'"allo"').replace(b"denied", b"allowd")
    attempt(
        "UPDATE audit_entry SET leaf = %s, leaf_hash = sha256('\\x00'::bytea || %s) WHERE id = %s",
        role=None,
        parameters=[forged, forged, guarded.pk],
    )
    assert Entry.objects.get(pk=guarded.pk).event == "access:allowd"
    # Nothing in the database could stop it; what was published does not agree any more.
    with pytest.raises(inspection.InspectionError, match="another hash"):
        inspection.inspect()
    attempt("ALTER TABLE audit_leaf DISABLE TRIGGER ALL", role=None)
    attempt(
        "UPDATE audit_leaf SET leaf_hash = e.leaf_hash FROM audit_entry e WHERE e.id = entry_id",
        role=None,
    )
    with pytest.raises(inspection.InspectionError, match="its root is not the tree's"):
        inspection.inspect()
    assert any("trigger audit_entry_keep" in fault for fault in roles.faults("default"))


_TABLE = st.sampled_from(
    ["audit_entry", "audit_leaf", "audit_note", "consent_event", "capture_frame", "jobs_job"]
)
_CHANGE = st.sampled_from(
    [
        "ALTER TABLE {0} DISABLE TRIGGER USER",
        "ALTER TABLE {0} ENABLE REPLICA TRIGGER {1}",
        "ALTER TABLE {0} RENAME TO x",
        "ALTER TABLE {0} ADD COLUMN x integer DEFAULT 1",
        "ALTER TABLE {0} DROP COLUMN {2}",
        "ALTER TABLE {0} DROP COLUMN {2} CASCADE",
        "ALTER TABLE {0} ALTER COLUMN {2} DROP NOT NULL",
        "ALTER TABLE {0} ALTER COLUMN {2} SET DEFAULT NULL",
        "ALTER TABLE {0} ALTER COLUMN {2} TYPE text USING 'x'",
        "ALTER TABLE {0} ADD CHECK (false) NOT VALID",
        "ALTER TABLE {0} FORCE ROW LEVEL SECURITY",
        "ALTER TABLE {0} CLUSTER ON {0}_pkey, SET (fillfactor = 50)",
        "ALTER TABLE {0} NO INHERIT {0}",
        "ALTER TABLE {0} OWNER TO CURRENT_USER",
        "ALTER TABLE {0} REPLICA IDENTITY FULL",
        "CREATE RULE x AS ON {3} TO {0} DO INSTEAD NOTHING",
        "CREATE RULE x AS ON {3} TO {0} DO ALSO DELETE FROM jobs_sign",
        "CREATE TRIGGER x BEFORE {3} ON {0} EXECUTE FUNCTION audit_refuse_change()",
        "CREATE POLICY x ON {0} FOR {3} USING (false)",
        "CREATE INDEX x ON {0} ({2})",
        "CREATE VIEW x AS SELECT * FROM {0}",
        "CREATE TABLE x (LIKE {0})",
        "CREATE TABLE x () INHERITS ({0})",
        "GRANT {3} ON {0} TO {4}",
        "GRANT {3} ({2}) ON {0} TO {4}",
        "GRANT {3} ON ALL TABLES IN SCHEMA public TO {4} WITH GRANT OPTION",
        "REVOKE {3} ON {0} FROM {4}",
        "REVOKE ALL ON SCHEMA public FROM {4}",
        "COMMENT ON TABLE {0} IS 'x'",
        "REINDEX TABLE {0}",
        "TRUNCATE {0} CASCADE",
        "TRUNCATE ONLY {0}",
        "DROP TRIGGER {1} ON {0}",
        "DROP TABLE {0}",
        "DROP TABLE {0} CASCADE",
        "DROP FUNCTION audit_leaf_time CASCADE",
        "DROP OWNED BY {4}",
        "DROP OWNED BY {4} CASCADE",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE {0} DISABLE TRIGGER USER'; END $$",
        "CREATE SCHEMA x CREATE VIEW y AS SELECT * FROM {0}",
    ]
)
_COLUMN = st.sampled_from(["id", "entry_id", "leaf", "leaf_hash", "subject", "text", "kind"])
_VERB = st.sampled_from(["INSERT", "UPDATE", "DELETE", "SELECT"])
_WHO = st.sampled_from(["remit_app", "remit_sequencer", "remit_reader", "PUBLIC", "remit_owner"])
_TRIGGER = st.sampled_from(["audit_entry_keep", "audit_entry_queue", "audit_note_keep_all"])


def drawn(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test over random definitions by the owner and by a superuser."""
    words = st.tuples(_TRIGGER, _COLUMN, _VERB, _WHO)
    role = st.sampled_from([roles.OWNER, None])
    given_some = given(change=_CHANGE, table=_TABLE, words=words, role=role)
    limits = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    return lambda test: limits(given_some(test))


@drawn(40)
def test_no_definition_of_anybody_leaves_the_record_otherwise(
    guarded: Entry, change: str, table: str, words: tuple[str, ...], role: str | None
) -> None:
    _leaves_the_record_as_it_was(change.format(table, *words), role)


@pytest.mark.soak
@drawn(3000)
def test_nor_do_three_thousand(
    guarded: Entry, change: str, table: str, words: tuple[str, ...], role: str | None
) -> None:
    _leaves_the_record_as_it_was(change.format(table, *words), role)


def _leaves_the_record_as_it_was(statement: str, role: str | None) -> None:
    before = _rows()
    with transaction.atomic():
        with contextlib.suppress(DatabaseError):
            attempt(statement, role=role)
        assert roles.faults("default") == []
        assert _rows() == before
        transaction.set_rollback(True)


def _rows() -> list[object]:
    entries = Entry.objects.order_by("id").values_list("id", "leaf", "leaf_hash", "organisation")
    leaves = Leaf.objects.order_by("index").values_list("index", "leaf_hash")
    return [
        bytes(part) if isinstance(part, memoryview) else part
        for row in (*entries, *leaves)
        for part in row
    ]
