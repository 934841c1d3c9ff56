"""Roles, grants and the guard of a PostgreSQL database, from governance.tables.

Promises: run again it changes nothing that is right and sets right what is not; the guard stands
whenever this ends, also when a migration failed. It needs a superuser, and nobody else ever does:
migrations run as the tables' owner, which has no login and no members.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from governance.tables import KEPT, TABLES, Table

OWNER: Final = "remit_owner"
APP: Final = "remit_app"
SEQUENCER: Final = "remit_sequencer"
READER: Final = "remit_reader"
ROLES: Final = (OWNER, APP, SEQUENCER, READER)

_EVENT_TRIGGERS: Final = ("remit_guard_end", "remit_guard_drop", "remit_guard_rewrite")
_GUARD: Final = Path(settings.BASE_DIR) / "deploy" / "postgresql" / "guard.sql"
_Say = Callable[[str], None]


def lay(alias: str, *, say: _Say) -> None:
    """Lay roles, migrate, grant and seal one database. CommandError when it cannot be done."""
    connection = connections[alias]
    _require_superuser(connection)
    with _lifted(connection, say):
        with transaction.atomic(using=alias):
            make_roles(connection)
            hand_over(connection)
        say(f"{alias}: roles {', '.join(ROLES)}; everything belongs to {OWNER}")
        with _as_owner(connection):
            call_command("migrate", database=alias, verbosity=0, interactive=False)
        say(f"{alias}: tables are up to date")
        with transaction.atomic(using=alias):
            hand_over(connection)
            grant(connection, TABLES[alias])
            count = seal(connection, KEPT[alias])
        say(f"{alias}: {len(TABLES[alias])} tables granted, {count} facts about the record sealed")


def faults(alias: str) -> list[str]:
    """Return what is not as it was laid: in words, one line each."""
    found = []
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT evtname, evtenabled FROM pg_event_trigger WHERE evtname ~ '^remit_'")
        states = dict(cursor.fetchall())
        found += [f"{name} does not stand" for name in _EVENT_TRIGGERS if states.get(name) != "A"]
        if len(states) == len(_EVENT_TRIGGERS):
            cursor.execute("SELECT thing FROM remit_guard.differences()")
            found += [f"the {thing} is not as it was sealed" for (thing,) in cursor.fetchall()]
        cursor.execute(
            "SELECT m.rolname, r.rolname, m.rolsuper OR m.rolcreaterole OR m.rolbypassrls "
            "FROM pg_auth_members JOIN pg_roles m ON m.oid = member "
            "JOIN pg_roles r ON r.oid = roleid WHERE r.rolname = ANY(%s)",
            [list(ROLES)],
        )
        for member, role, is_mighty in cursor.fetchall():
            if role == OWNER:
                found.append(f"{member} is a member of {OWNER}, which must have none")
            elif is_mighty:
                found.append(f"{member} is a member of {role} and could go round it")
    return [f"{alias}: {fault}" for fault in found]


def _require_superuser(connection: BaseDatabaseWrapper) -> None:
    if connection.vendor != "postgresql":
        raise CommandError("Roles are PostgreSQL's: this database has none.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        (is_superuser,) = cursor.fetchone()
    if not is_superuser:
        raise CommandError("Only a superuser can lay the guard: give an administrator's URLs.")


def make_roles(connection: BaseDatabaseWrapper) -> None:
    """Make the roles that are missing, without login and without powers of their own."""
    for role in ROLES:
        run(
            connection,
            # Roles are the cluster's: another database may be laid at this very moment.
            f"DO $$ BEGIN CREATE ROLE {role}; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
            f"ALTER ROLE {role} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION "
            "NOBYPASSRLS",
        )


def hand_over(connection: BaseDatabaseWrapper) -> None:
    """Make the owner own each table and function of the schema, and the schema nobody's to fill."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    run(
        connection,
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER}",
        f"GRANT CONNECT ON DATABASE {name} TO {APP}, {SEQUENCER}, {READER}",
        f"GRANT USAGE ON SCHEMA public TO {APP}, {SEQUENCER}, {READER}",
        *_questions(connection, _NOT_THE_OWNERS),
    )


# What an extension brought stays the extension's; a sequence follows its table.
_NOT_THE_OWNERS: Final = f"""
SELECT format('ALTER %s %s OWNER TO {OWNER}', kind, name) FROM (
    SELECT 'pg_class'::regclass AS class, oid, relowner AS owner,
           'TABLE' AS kind, oid::regclass::text AS name
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, proowner, 'ROUTINE', oid::regprocedure::text
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
) AS thing
WHERE owner <> '{OWNER}'::regrole AND NOT EXISTS (
    SELECT 1 FROM pg_depend d
    WHERE d.classid = thing.class AND d.objid = thing.oid AND d.deptype = 'e')
"""  # noqa: S608 - constants.


def grant(connection: BaseDatabaseWrapper, tables: tuple[Table, ...]) -> None:
    """Take every right away and give those that the data names, in one transaction."""
    others = f"PUBLIC, {APP}, {SEQUENCER}, {READER}"
    run(
        connection,
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {others}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {others}",
        *(statement for table in tables for statement in grants(table)),
    )


def grants(table: Table) -> Iterator[str]:
    """Return the statements that give what one table's row of the data says."""
    for role, letters in ((APP, table.app), (SEQUENCER, table.sequencer)):
        if letters:
            yield f"GRANT {', '.join(table.rights(letters))} ON {table.name} TO {role}"
    if table.locked:
        yield f"GRANT UPDATE ({table.locked}) ON {table.name} TO {APP}"
    if table.shown:
        yield f"GRANT SELECT ({', '.join(table.shown)}) ON {table.name} TO {READER}"


def seal(connection: BaseDatabaseWrapper, kept: frozenset[str]) -> int:
    """Lay the guard, write down what it keeps, and let it stand; return how many facts."""
    run(connection, _GUARD.read_text(encoding="utf-8"))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM remit_guard.kept")
        cursor.executemany(
            "INSERT INTO remit_guard.kept VALUES ('public', %s)", [(name,) for name in sorted(kept)]
        )
        cursor.execute("DELETE FROM remit_guard.sealed")
        cursor.execute("INSERT INTO remit_guard.sealed SELECT * FROM remit_guard.shape()")
        sealed = int(cursor.rowcount)
    _turn(connection, "ENABLE ALWAYS")
    return sealed


def run(connection: BaseDatabaseWrapper, *statements: str) -> None:
    """Execute statements as they stand: a per cent sign is one."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _questions(connection: BaseDatabaseWrapper, question: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return [str(answer) for (answer,) in cursor.fetchall()]


def _turn(connection: BaseDatabaseWrapper, how: str) -> bool:
    standing = _questions(
        connection, "SELECT evtname FROM pg_event_trigger WHERE evtname ~ '^remit_guard_'"
    )
    run(connection, *(f"ALTER EVENT TRIGGER {name} {how}" for name in standing))
    return bool(standing)


@contextmanager
def _lifted(connection: BaseDatabaseWrapper, say: _Say) -> Iterator[None]:
    """Lift the guard, say so in the server's own log, and let it stand again whatever happens."""
    if _turn(connection, "DISABLE"):
        say(f"{connection.alias}: the guard is lifted")
        run(connection, _note("lifted"))
    try:
        yield
    finally:
        # What was not sealed anew differs from the seal: then every change of shape is refused.
        if _turn(connection, "ENABLE ALWAYS"):
            say(f"{connection.alias}: the guard stands")
            run(connection, _note("laid"))


def _note(what: str) -> str:
    return f"DO $$ BEGIN RAISE LOG 'remit guard {what} by %', session_user; END $$"


@contextmanager
def _as_owner(connection: BaseDatabaseWrapper) -> Iterator[None]:
    run(connection, f"SET ROLE {OWNER}")
    try:
        yield
    finally:
        run(connection, "RESET ROLE")
