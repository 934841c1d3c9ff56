"""What `serve` does before it starts anything: databases, keys, pages. All may be repeated."""

import contextlib
import fcntl
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from audit import quorum, signing
from governance.management import restoring
from governance.vault import seal_keys
from governance.vault.errors import LedgerBrokenError


@dataclass(frozen=True, slots=True)
class Step:
    """One step, in the words that are shown while it runs."""

    words: str
    act: Callable[[], None]


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold a state directory; CommandError when another `serve` runs on it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "serve.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"Another `serve` runs on {directory}.") from error
        yield


def databases() -> None:
    """Bring the tables of both databases up to date; CommandError when this login may not."""
    for alias in settings.DATABASES:
        connection = connections[alias]
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            continue
        if not _may_reshape(connection):
            raise CommandError(
                f"The tables of {alias!r} are behind this version, and this login may not change "
                "them. Run `manage.py database_roles` with an administrator's URLs."
            )
        call_command("migrate", database=alias, verbosity=0, interactive=False)


def _may_reshape(connection: BaseDatabaseWrapper) -> bool:
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_schema_privilege(current_schema(), 'CREATE')")
        return bool(cursor.fetchone()[0])


def unbound_logins() -> list[str]:
    """Return the aliases whose login no grant binds: a superuser's, or the tables' own owner's."""
    return [
        alias
        for alias in settings.DATABASES
        if connections[alias].vendor == "postgresql" and _may_reshape(connections[alias])
    ]


def keys() -> None:
    """Make the keys of the log, of documents and of sealed batches where there are none."""
    quorum.ensure()
    for use in sorted(signing.KEYS):
        signing.public_keys(use)
    seal_keys.current()


def standing() -> None:
    """Refuse to serve from databases that were put back and not gone over since."""
    for fault in restoring.hopeless():
        raise CommandError(f"Nothing can be served: {fault}.")
    try:
        restored = restoring.found()
    except LedgerBrokenError as error:
        raise CommandError(str(error)) from error
    if restored:
        told = "; ".join(restored.words())
        raise CommandError(f"Something was restored ({told}). Run `manage.py restore_check`.")


def pages() -> None:
    """Collect styles, scripts and pictures when one of them changed."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    wanted = _fingerprint()
    with contextlib.suppress(FileNotFoundError):
        if stamp.read_text(encoding="ascii") == wanted:
            return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(wanted, encoding="ascii")


def _fingerprint() -> str:
    """Return a digest of the names and contents of everything that pages refer to."""
    digest = hashlib.sha256()
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            digest.update(f"{name}\0".encode())
            with storage.open(name) as file:
                digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


STEPS = (
    Step("Preparing the databases", databases),
    Step("Preparing keys", keys),
    Step("Holding the key store against its ledger", standing),
    Step("Preparing pages", pages),
)
