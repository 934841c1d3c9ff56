"""All rows of a search as a file: CSV for a table, JSON Lines with proofs, OCSF for a SIEM.

Promises: the same rows in the same order as the search, from public leaves alone; a file is whole
or visibly broken off, never shortened in silence. Every proof of a file ends at one checkpoint, the
one published when it was begun; what that does not cover yet says so by `"proof":null`. That an
export is itself an entry, before its first byte, is the caller's duty.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings

from audit import ocsf, proofs, search
from audit.errors import ExportTooLargeError, ExportTooSlowError
from audit.filters import SearchFilters
from audit.leaf import time_text
from audit.models import Entry
from audit.paging import EntryRow

MOST_ROWS: Final = 100_000
MOST_SECONDS: Final = 600
_ROWS_AT_ONCE: Final = 250
_COLUMNS: Final = (
    "index",
    "id",
    "occurred_at",
    "event",
    "verdict",
    "purpose",
    "role",
    "act",
    "count",
    "leaf_hash",
)
# What a spreadsheet takes for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Form(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSONL = "jsonl"
    OCSF = "ocsf"

    @property
    def media_type(self) -> str:
        """Return the media type of the file."""
        return "text/csv; charset=utf-8" if self is Form.CSV else "application/x-ndjson"

    @property
    def file_name(self) -> str:
        """Return a name for the file."""
        return {
            Form.CSV: "audit-log.csv",
            Form.JSONL: "audit-log.jsonl",
            Form.OCSF: "audit-log.ocsf.jsonl",
        }[self]


def require_bounded(filters: SearchFilters) -> int:
    """Return how many rows an export would have. Raises ExportTooLargeError."""
    found = search.total(filters=filters)
    if found > MOST_ROWS:
        raise ExportTooLargeError(found, most=MOST_ROWS)
    return found


def written(*, filters: SearchFilters, form: Form) -> Iterator[bytes]:
    """Return the file piece by piece. Raises ExportTooSlowError in the middle of it."""
    deadline = time.monotonic() + MOST_SECONDS
    writers: dict[Form, Callable[[list[EntryRow]], Iterable[str]]] = {
        Form.CSV: _csv,
        Form.JSONL: _Proving(),
        Form.OCSF: _ocsf,
    }
    write = writers[form]
    if form is Form.CSV:
        yield _line(_COLUMNS).encode("ascii")
    rows = search.every_row(filters=filters)
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        if time.monotonic() > deadline:
            raise ExportTooSlowError
        yield "".join(write(batch)).encode("utf-8")


def _csv(rows: list[EntryRow]) -> Iterator[str]:
    for row in rows:
        yield _line(
            (
                "" if row.index is None else row.index,
                row.uuid,
                time_text(row.occurred_at),
                row.event,
                row.verdict,
                row.purpose,
                row.role,
                row.act,
                "" if row.count is None else row.count,
                row.leaf_hash.hex(),
            )
        )


def _line(values: Iterable[object]) -> str:
    """Return a record of RFC 4180 in which no value begins a formula."""
    texts = [str(value) for value in values]
    out = io.StringIO()
    safe = [f"'{text}" if text.startswith(_FORMULA) else text for text in texts]
    csv.writer(out, lineterminator="\r\n").writerow(safe)
    return out.getvalue()


def _ocsf(rows: list[EntryRow]) -> Iterator[str]:
    for row in rows:
        event = ocsf.event(row, origin=settings.REMIT_LOG_ORIGIN)
        yield json.dumps(event, separators=(",", ":")) + "\n"


class _Proving:
    """Writes leaves, byte for byte, each with its proof file under one published head."""

    def __init__(self) -> None:
        self._head = proofs.Head.published(Path(settings.REMIT_LOG_DIR))

    def __call__(self, rows: list[EntryRow]) -> Iterator[str]:
        leaves = _leaves([row.uuid for row in rows])
        for row in rows:
            proof = self._proof(leaves[row.uuid], row.index)
            yield (
                f'{{"index":{json.dumps(row.index)},"id":"{row.uuid}",'
                f'"leaf":{leaves[row.uuid].decode("utf-8")},"proof":{json.dumps(proof)}}}\n'
            )

    def _proof(self, body: bytes, index: int | None) -> str | None:
        if self._head is None or index is None or index >= self._head.size:
            return None
        return self._head.proof(body, index).decode("utf-8")


def _leaves(uuids: list[UUID]) -> dict[UUID, bytes]:
    rows = Entry.objects.filter(uuid__in=uuids).values_list("uuid", "leaf")
    return {uuid: bytes(body) for uuid, body in rows}
