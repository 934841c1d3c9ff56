"""One desktop for all tests of a worker: it takes a second to start."""

from collections.abc import Iterator

import pytest

from tests.infrastructure.desktop import Desktop, running_desktop


@pytest.fixture(scope="session")
def desktop() -> Iterator[Desktop]:
    with running_desktop() as running:
        yield running
