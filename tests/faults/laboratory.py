"""A place where the same moment can be had again: databases and files, kept and brought back.

On SQLite a moment is a directory. On PostgreSQL it is a directory and every row, which is brought
back past the triggers by a session of a kind that no part of Remit has.
"""

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from tests.faults.crashpoints import ALIASES

_KEPT = ("remit.sqlite3", "vault", "keys", "log", "objects", "secret-key")
_VACUUM_EVERY = 25


def close() -> None:
    """Close this process's connections."""
    for alias in ALIASES:
        connections[alias].close()


class Laboratory:
    """The state directory and databases of this process, and moments of them by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: list[_Server] = []

    def lay(self) -> None:
        """Take hold of the databases, once their tables are laid."""
        close()
        if connections["default"].vendor == "postgresql":
            self._servers = [_Server(alias) for alias in ALIASES]

    def keep(self, name: str) -> None:
        """Keep this moment."""
        close()
        shutil.rmtree(self._folder / name, ignore_errors=True)
        _copy(Path(settings.REMIT_VAR), self._folder / name)
        for server in self._servers:
            server.keep(name)

    def bring_back(self, name: str) -> None:
        """Make it that moment again."""
        close()
        var = Path(settings.REMIT_VAR)
        for part in _KEPT:
            shutil.rmtree(var / part, ignore_errors=True)
            (var / part).unlink(missing_ok=True)
        for path in var.glob("remit.sqlite3-*"):
            path.unlink()
        _copy(self._folder / name, var)
        for server in self._servers:
            server.bring_back(name)

    def wait_for_the_dead(self) -> None:
        """Wait until the servers noticed that the killed process is gone."""
        for server in self._servers:
            server.wait_until_alone()

    def clear(self) -> None:
        """Let go of the databases."""
        close()
        for server in self._servers:
            server.connection.close()


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for part in _KEPT:
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, dirs_exist_ok=True)
        elif (source / part).exists():
            shutil.copy2(source / part, target / part)


# Each epoch's keys lie in a table of their own, which comes and goes with the epoch.
_KEYS = "vault_storedkey"


@dataclass(slots=True)
class _Moment:
    epochs: list[int] = field(default_factory=list)
    rows: dict[str, bytes] = field(default_factory=dict)
    sequences: dict[str, tuple[int, bool]] = field(default_factory=dict)


class _Server:
    """One database, its rows at kept moments, and a session that may put them back."""

    def __init__(self, alias: str) -> None:
        given = connections[alias].settings_dict
        self.connection = psycopg.connect(
            dbname=given["NAME"],
            host=given["HOST"],
            port=given["PORT"],
            user=given["USER"],
            password=given["PASSWORD"],
            autocommit=True,
        )
        self._moments: dict[str, _Moment] = {}
        self._restored = 0
        # What each table was last made to hold, and by what it is known to hold it still.
        self._laid: dict[str, tuple[bytes, tuple[int, int]]] = {}
        self._tables = self._names("r", "p")
        self._sequences = self._names("S")
        self._ask_marks = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, count(*), COALESCE(max(xmin::text::bigint), 0) FROM {}").format(
                sql.Literal(table), sql.Identifier(table)
            )
            for table in self._tables
        )
        self._let_this_session_by()

    def _names(self, *kinds: str) -> list[str]:
        """Return the names of these kinds; rows of a partition are its table's."""
        found = self.connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = ANY(%s) AND NOT relispartition "
            "AND relnamespace = 'public'::regnamespace ORDER BY relname",
            [list(kinds)],
        )
        return [str(name) for (name,) in found]

    def _columns(self, table: str) -> sql.Composed:
        """Return the columns that are not worked out from others."""
        found = self.connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            [table],
        )
        return sql.SQL(", ").join(sql.Identifier(name) for (name,) in found)

    def _epochs(self) -> list[int]:
        """Return the epochs that have a table."""
        found = self.connection.execute(
            "SELECT substring(inhrelid::regclass::text FROM '[0-9]+$')::bigint AS epoch "
            "FROM pg_inherits WHERE inhparent = to_regclass(%s) ORDER BY epoch",
            [_KEYS],
        )
        return [int(epoch) for (epoch,) in found]

    def _lay_epochs(self, epochs: list[int]) -> None:
        if self._epochs() != epochs:
            self.connection.execute("SELECT vault_end_epochs(%s)", [2**62])
            for epoch in epochs:
                self.connection.execute("SELECT vault_begin_epoch(%s)", [epoch])
                self.connection.execute("SELECT vault_attach_epoch(%s)", [epoch])

    def _let_this_session_by(self) -> None:
        """Let triggers that always fire make way for a replica's session, which only this is."""
        always = self.connection.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger JOIN pg_class ON "
            "pg_class.oid = tgrelid WHERE tgenabled = 'A' AND tgparentid = 0"
        ).fetchall()
        for table, trigger in always:
            self.connection.execute(
                sql.SQL("ALTER TABLE {} ENABLE TRIGGER {}").format(
                    sql.Identifier(table), sql.Identifier(trigger)
                )
            )
        self.connection.execute("SET session_replication_role = replica")
        self.connection.execute("SET synchronous_commit = off")
        # Here processes die, not the server: nobody need wait for its disk.
        name = sql.Identifier(self.connection.info.dbname)
        asked = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name)
        self.connection.execute(asked)

    def keep(self, name: str) -> None:
        moment = self._moments[name] = _Moment(self._epochs())
        assert self._names("r", "p") == self._tables
        with self.connection.transaction(), self.connection.cursor() as cursor:
            for table in self._tables:
                statement = "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT BINARY)"
                copy = sql.SQL(statement).format(self._columns(table), sql.Identifier(table))
                with cursor.copy(copy) as rows:
                    moment.rows[table] = b"".join(bytes(part) for part in rows)
            for sequence in self._sequences:
                row = cursor.execute(
                    sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence))
                ).fetchone()
                assert row is not None
                moment.sequences[sequence] = (row[0], row[1])

    def _marks(self) -> dict[str, tuple[int, int]]:
        """Return what changes with every row that is added, changed or taken away, by table."""
        return {
            table: (count, newest)
            for table, count, newest in self.connection.execute(self._ask_marks)
        }

    def bring_back(self, name: str) -> None:
        moment = self._moments[name]
        self.wait_until_alone()
        with self.connection.transaction(), self.connection.cursor() as cursor:
            self._lay_epochs(moment.epochs)
            marks = self._marks()
            changed = [
                table
                for table, rows in moment.rows.items()
                if self._laid.get(table) != (rows, marks[table])
            ]
            for table in changed:
                cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                statement = "COPY {1} ({0}) FROM STDIN (FORMAT BINARY)"
                copy = sql.SQL(statement).format(self._columns(table), sql.Identifier(table))
                with cursor.copy(copy) as into:
                    into.write(moment.rows[table])
            marks = self._marks()
            self._laid |= {table: (moment.rows[table], marks[table]) for table in changed}
            self._set_sequences(moment)
        self._restored += 1
        if self._restored % _VACUUM_EVERY == 0:
            self.connection.execute("VACUUM")

    def _set_sequences(self, moment: _Moment) -> None:
        if moment.sequences:
            values = [
                sql.SQL("setval({}::regclass, {}, {})").format(f'"{name}"', value, called)
                for name, (value, called) in moment.sequences.items()
            ]
            self.connection.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(values)))

    def wait_until_alone(self) -> None:
        """Wait until no other client is connected to this database."""
        asked = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        while self.connection.execute(asked).fetchone() != (0,):
            time.sleep(0.002)
