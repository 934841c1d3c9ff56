"""A reader never meets half a message."""

import contextlib
import threading
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.connection import Connection

from governance.jobs import messages


def _connect(options: dict[str, object]) -> Any:
    return Connection(  # type: ignore[no-untyped-call]  # kombu has no types.
        transport=messages.Transport, transport_options=options
    )


def test_many_writers_and_a_reader_exchange_only_whole_messages(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("in", "control", "done")}
    for folder in folders.values():
        folder.mkdir()
    options = {
        "data_folder_in": str(folders["in"]),
        "data_folder_out": str(folders["in"]),
        "control_folder": str(folders["control"]),
        "processed_folder": str(folders["done"]),
        "store_processed": True,
    }
    body = {"id": "x" * 5000}

    def write() -> None:
        with _connect(options) as sender:
            for _ in range(30):
                channel = sender.default_channel
                channel._put("q", {"body": body})

    with _connect(options) as reader:
        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers:
            writer.start()
        seen = 0
        while seen < 90:
            with contextlib.suppress(Empty):
                assert reader.default_channel._get("q") == {"body": body}
                seen += 1
        for writer in writers:
            writer.join()
    assert not list(folders["in"].iterdir())
