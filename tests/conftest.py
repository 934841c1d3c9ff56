"""Every test may use both databases; the key store is a database of its own."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils.translation import deactivate
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker, Settings

from audit import health, sequencer
from governance import authorizer
from tests import make
from tests.infrastructure.fixtures import chromium, install, object_store, postgres, redis  # noqa: F401
from tests.infrastructure.laid import Tables
from tests.standing import ALIASES, StandingHouse

# What a machine with much else to do takes long for is not wrong.
hypothesis_settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("unhurried")

# How a trigger is lifted, and how it is laid again.
Trigger = tuple[str, str]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--of-database",
        action="store_true",
        help="leave out what touches no database: another pass has run it already",
    )


@pytest.fixture(autouse=True)
def own_language() -> None:
    """Begin in the first language: a page of the test before may have been in another."""
    deactivate()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each `django_db` mark reach the key store too, without saying so in every test."""
    for item in items:
        marks = list(item.iter_markers("django_db"))
        for mark in marks:
            cast("dict[str, object]", mark.kwargs).setdefault("databases", ALIASES)
        fixtures = set(getattr(item, "fixturenames", ()))
        if not marks and fixtures & {"db", "transactional_db"}:
            real = "transactional_db" in fixtures
            item.add_marker(pytest.mark.django_db(databases=ALIASES, transaction=real))
    if config.getoption("--of-database"):
        left_out = [item for item in items if not _touches_a_database(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _touches_a_database(item)]
    items[:] = _for_several_workers(items)


def _for_several_workers(items: list[pytest.Item]) -> list[pytest.Item]:
    """Let one worker begin with the stories and one with all else that starts processes.

    Each of two is handed a half of the list and takes from the other when it is done.
    Neighbours share one house; the order stays random else.
    """
    stories = [item for item in items if "stories" in item.path.parts]
    others = [item for item in items if item.get_closest_marker("real") and item not in stories]
    quick = [item for item in items if item not in stories and item not in others]
    quick.sort(key=_stands_in_a_house, reverse=True)
    first = max(0, len(items) // 2 - len(stories))
    return [*stories, *quick[:first], *others, *quick[first:]]


def _touches_a_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("once"):
        return False
    marked = any(item.get_closest_marker(name) for name in ("django_db", "real"))
    return marked or "django_db_setup" in getattr(item, "fixturenames", ())


def _stands_in_a_house(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    return "_standing_house" in names and "transactional_db" not in names


def _triggers(connection: BaseDatabaseWrapper) -> list[Trigger]:
    """Return (lift, lay) for each trigger that stands in the way of a flush."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            return [(f'DROP TRIGGER "{name}"', sql) for name, sql in cursor.fetchall()]
        # Django truncates, so only triggers on TRUNCATE matter: bit 5 of tgtype.
        cursor.execute(
            "SELECT tgname, tgrelid::regclass, tgenabled FROM pg_trigger "
            "WHERE NOT tgisinternal AND tgtype & 32 <> 0"
        )
        return [
            (
                f'ALTER TABLE {table} DISABLE TRIGGER "{name}"',
                f'ALTER TABLE {table} ENABLE {"ALWAYS" if state == "A" else ""} TRIGGER "{name}"',
            )
            for name, table, state in cursor.fetchall()
        ]


def _flush_past_triggers(operations: type[BaseDatabaseOperations]) -> None:
    """Wrap the flush of a kind of database, not of one connection: a browser test has its own."""
    flush = operations.execute_sql_flush

    def execute(self: BaseDatabaseOperations, sql_list: Iterable[str]) -> None:
        triggers = _triggers(self.connection)
        with authorizer.lifted(self.connection):
            flush(self, [*(lift for lift, _ in triggers), *sql_list, *(lay for _, lay in triggers)])
        if self.connection.alias == "keys":
            # Else the emptied key store would pass for one that an older copy replaced.
            (Path(django_settings.REMIT_VAULT_DIR) / "ledger").unlink(missing_ok=True)

    operations.execute_sql_flush = execute  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tables]:
    """Let the flush after real commits, and nothing else, pass the append-only triggers.

    In the flush's own transaction, whatever the order in which fixtures are torn down.
    """
    for operations in {type(connections[alias].ops) for alias in ALIASES}:
        _flush_past_triggers(operations)
    tables = Tables(tmp_path_factory.mktemp("tables"))
    with django_db_blocker.unblock():
        if "django_migrations" in connections["default"].introspection.table_names():
            tables.take()
        else:
            tables.make_and_take()
    yield tables
    tables.drop()


@pytest.fixture(scope="session")
def tables(django_db_setup: Tables) -> Tables:
    """What the migrations lay, for installations of a test's own."""
    return django_db_setup


@pytest.fixture(scope="session")
def _the_house(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StandingHouse]:
    house = StandingHouse(tmp_path_factory.mktemp("house"))
    yield house
    with django_db_blocker.unblock():
        house.clear()


@pytest.fixture
def _django_db_helper(_ground: None, _django_db_helper: None) -> None:
    """Prepare the ground before pytest-django opens the transaction of the test above it."""


@pytest.fixture
def _ground(
    request: pytest.FixtureRequest,
    _the_house: StandingHouse,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    with django_db_blocker.unblock():
        if _stands_in_a_house(request.node):
            _the_house.build()
        else:
            _the_house.clear()


@pytest.fixture
def _standing_house(_the_house: StandingHouse) -> StandingHouse:
    """Whoever asks for this runs above a house; see `_ground`."""
    return _the_house


@pytest.fixture
def nordhafen(open_log: Callable[[], None], _standing_house: StandingHouse) -> make.House:
    """A house with policies in force, whose log stands open."""
    return _standing_house.people()


@pytest.fixture
def real_transactions(transactional_db: None) -> None:
    """Real commits; afterwards the tables are emptied."""


@pytest.fixture
def time_machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Move the service's clock: code takes time from django.utils.timezone alone."""

    def move(to: datetime) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: to)

    return move


@pytest.fixture
def kept_connections() -> Iterator[None]:
    """Let a whole WSGI application answer in this process: it must not hang up on the test."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def patience() -> timedelta | None:
    """How long a test may stand still before its log closes; None: as the service has it."""
    return timedelta(minutes=15)


@pytest.fixture
def open_log(
    db: None,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    _the_house: StandingHouse,
    patience: timedelta | None,
) -> Iterator[Callable[[], None]]:
    """A log of the test's own that stands open; call it to sequence and publish what waits.

    A machine that stands still for a minute must neither close it, nor end a job's lease or the
    time that redaction takes at most: then jobs wait that a test awaits.
    """
    if patience is not None:
        monkeypatch.setattr(health, "_HEARTBEAT_STALE", patience)
        settings.REMIT_JOB_LEASE_SECONDS = int(patience.total_seconds())
        longest = "governance.redaction.pipeline.DEFAULT_SECONDS"
        monkeypatch.setattr(longest, patience.total_seconds())
        settings.REMIT_LOG_OUTBOX_STALE_SECONDS = patience.total_seconds()
    if _the_house.stands:
        _the_house.furnish(tmp_path, settings)
    settings.REMIT_LOG_DIR = tmp_path / "log"
    settings.REMIT_KEYS_DIR = tmp_path / "keys"
    settings.REMIT_WITNESS_POLICY = str(tmp_path / "log" / "policy")

    def turn() -> None:
        with sequencer.opened() as log:
            log.turn()
        health.forget()

    turn()
    yield turn
    health.forget()
