"""Fixtures over the servers; `tests/conftest.py` gives them to every test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.infrastructure import processes
from tests.infrastructure.browser import running_chromium
from tests.infrastructure.object_store import ObjectStore, running_object_store
from tests.infrastructure.postgres import Postgres, running_postgres
from tests.infrastructure.redis import Redis, running_redis


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL of this test process, with databases for data and keys."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A real Redis of this test process, empty at its start."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """A real S3-compatible store of this test process with one empty bucket."""
    with running_object_store() as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless chromium of one module; make a context of your own in it.

    Its loop runs in this thread, and Django refuses the ORM beside a running loop. The tests use
    the ORM between the browser's calls, never inside them; it must not outlive the module.
    """
    with pytest.MonkeyPatch.context() as patch, running_chromium() as browser:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield browser


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., processes.Installation]]:
    """Make installations of the service in real processes; all are stopped after the test."""
    made: list[processes.Installation] = []

    def make(**settings: str) -> processes.Installation:
        made.append(processes.Installation(tmp_path / f"{len(made)}" / "var", settings))
        return made[-1]

    yield make
    for one in made:
        one.stop()
