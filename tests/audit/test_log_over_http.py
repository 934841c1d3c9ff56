"""The log over HTTP as C2SP tlog-tiles has it, read by a stranger's program and by odd clients."""

from collections.abc import Callable

import pytest
from django.test import Client
from tlog_scales.reader import TilesReader
from tlog_scales.tiles import leaf_hash

from audit.models import Entry

pytestmark = pytest.mark.django_db


class Served:
    """The stranger's way to files: over HTTP, with the headers looked at."""

    def __init__(self) -> None:
        self._client = Client()

    def get(self, *path: str) -> bytes | None:
        answer = self._client.get(f"/log/{'/'.join(path)}")
        if answer.status_code == 404:
            return None
        changes = path[0] != "tile"
        kind = "text/plain; charset=utf-8" if changes else "application/octet-stream"
        kept = "no-cache" if changes else "public, max-age=31536000, immutable"
        headers = answer.headers
        assert (headers["Content-Type"], headers["Cache-Control"]) == (kind, kept)
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert answer.client.cookies == {}
        return bytes(answer.content)


def test_a_stranger_reads_every_entry_over_http_while_the_log_grows(
    open_log: Callable[[], None], write_many: Callable[[int], list[Entry]]
) -> None:
    reader = TilesReader(Served())
    old = reader.get_checkpoint()
    for more in (3, 252, 1, 40):
        write_many(more)
        open_log()
        reader = TilesReader(Served())
        new = reader.get_checkpoint()
        assert reader.calculate_root_hash() == new.root_hash
        for index in range(new.size):
            entry = leaf_hash(reader.get_entry(index))
            reader.get_inclusion_proof(index, new.size).check(entry, new.root_hash)
        grown = reader.get_consistency_proof(old.size, new.size)
        grown.check(old.root_hash, new.root_hash)
        old = new
    assert old.size > 256


NOT_THERE = (
    *("Checkpoint", "checkpoint/", ".lock", "policy/../checkpoint", "..%2fkeys", "ended/"),
    *("tile", "tile/0", "tile/0/", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/data/000"),
    *("tile/0/0", "tile/0/0000", "tile/0/x000", "tile/0/001", "tile/0/x001/x234/067"),
    # Empty tiles, and widths that are none.
    *("tile/1/000", "tile/2/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01"),
    *("tile/0/000.p/", "tile/0/000.p", "tile/entries/000.p/0", "tile/entries/000/000"),
)


def test_nothing_else_leaves_the_folder(open_log: Callable[[], None]) -> None:
    assert Client().get("/log/tile/0/000.p/1").status_code == 200
    for name in NOT_THERE:
        assert Client().get(f"/log/{name}").status_code == 404, name


def test_a_head_request_is_answered_without_a_body_and_nothing_is_written(
    open_log: Callable[[], None],
) -> None:
    asked, got = Client().head("/log/checkpoint"), Client().get("/log/checkpoint")
    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["Content-Type"] == got.headers["Content-Type"]
    for method in ("post", "put", "patch", "delete"):
        assert getattr(Client(), method)("/log/checkpoint").status_code == 405
