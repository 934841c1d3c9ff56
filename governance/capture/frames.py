"""The rows of a stored frame, in plain statements: the worker writes them with every batch."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from audit import sql
from audit.ids import uuid7
from governance.capture import blobs
from governance.capture.models import BatchOutcome, FrameState
from governance.vault.sealing import SealedFrame

if TYPE_CHECKING:
    from audit.models import Entry


Statement = tuple[str, Sequence[object]]  # With what stands for its marks.


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFrame:
    """What a frame row says beside its ciphertext's place; see `models.Frame`."""

    id: UUID
    batch_id: UUID
    subject: str
    application: str
    category: str
    policy_version: str
    schedule_version: str
    consent_events: Mapping[str, UUID]
    first_hour: datetime
    last_hour: datetime
    event_count: int
    redaction: Mapping[str, object]
    retain_until: datetime


def rows_of(frame: NewFrame, sealed: SealedFrame, entry: "Entry") -> list[blobs.Insert]:
    """Return the rows of a frame for `write`: ciphertext, row, first state, projection."""
    place, inserts = blobs.put(frame_id=frame.id, ciphertext=sealed.ciphertext)
    shared = {
        "subject": frame.subject,
        "application": frame.application,
        "category": frame.category,
        "generation": sealed.generation,
        "first_hour": frame.first_hour,
        "last_hour": frame.last_hour,
        "retain_until": frame.retain_until,
    }
    consents = {purpose: str(event) for purpose, event in frame.consent_events.items()}
    own = {
        "id": frame.id,
        "organisation": "default",
        "batch_id": frame.batch_id,
        "policy_version": frame.policy_version,
        "schedule_version": frame.schedule_version,
        "consent_events": json.dumps(consents),
        "event_count": frame.event_count,
        "store": place.store,
        "object_key": place.object_key,
        "offset": place.offset,
        "length": place.length,
        "ciphertext_digest": sealed.digest.hex(),
        "redaction": json.dumps(frame.redaction, sort_keys=True),
        "entry_id": entry.pk,
    }
    writing = _enlivening(frame.id, shared, entry, frame.redaction)
    return [*inserts, ("capture_frame", shared | own), *writing]


def enliven(*, frame: Any, entry: "Entry") -> None:  # noqa: ANN401 - a Frame row.
    """Write the first state of a stored frame and its row in the projection."""
    columns = (
        "subject",
        "application",
        "category",
        "generation",
        "first_hour",
        "last_hour",
        "retain_until",
    )
    shared = {column: getattr(frame, column) for column in columns}
    write(_enlivening(frame.id, shared, entry, frame.redaction))


def _enlivening(
    frame_id: UUID, shared: Mapping[str, Any], entry: "Entry", redaction: Mapping[str, object]
) -> list[blobs.Insert]:
    state = {
        "id": uuid7(),
        "frame_id": frame_id,
        "subject": shared["subject"],
        "state": FrameState.State.STORED.value,
        "at": timezone.now(),
        "entry_id": entry.pk,
    }
    recipe = str(redaction.get("patterns_sha256", ""))
    live = {"frame_id": frame_id, "recipe": recipe, **shared}
    return [("capture_framestate", state), ("capture_liveframe", live)]


def outcome_of(  # noqa: PLR0913 - each is a column.
    *,
    batch_id: UUID,
    subject: str,
    accepted: int,
    refused: Mapping[str, int],
    redacted: Mapping[str, int],
    provenance: Mapping[str, object],
    entry: "Entry",
) -> blobs.Insert:
    """Return the row for `write` that tells how a batch ended."""
    state = BatchOutcome.State.DONE if accepted else BatchOutcome.State.REFUSED
    outcome = {
        "batch_id": batch_id,
        "subject": subject,
        "state": state.value,
        "accepted": accepted,
        "refused": json.dumps(refused, sort_keys=True),
        "redacted": json.dumps(redacted, sort_keys=True),
        "provenance": json.dumps(provenance),
        "entry_id": entry.pk,
    }
    return "capture_batchoutcome", outcome


def write(inserts: Sequence[blobs.Insert], deletes: Sequence[Statement] = ()) -> None:
    """Change rows in the caller's transaction: in one statement where each costs a round trip."""
    tables: dict[tuple[str, tuple[str, ...]], list[Any]] = {}
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for table, row in inserts:
        kind = table, tuple(row)
        tables.setdefault(kind, []).extend(row.values())
        counts[kind] += 1
    rows = [(_statement(*kind, counts[kind]), values) for kind, values in tables.items()]
    statements: list[Statement] = [*deletes, *rows]
    if connection.vendor == "postgresql":
        *before, (last, _) = statements
        named = ", ".join(f"row_{number} AS ({one})" for number, (one, _) in enumerate(before))
        given = chain.from_iterable(values for _, values in statements)
        sql.rows(f"WITH {named} {last}" if named else last, list(given))
        return
    for statement, values in statements:
        sql.rows(statement, values)


@cache
def _statement(table: str, columns: tuple[str, ...], count: int) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join(["(" + ", ".join(["%s"] * len(columns)) + ")"] * count)
    return f"INSERT INTO {table} ({names}) VALUES {marks}"  # noqa: S608 - names from here.
