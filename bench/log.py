"""The log: writing an entry against a bare row of the same bytes; sequencing what was written."""

from django.db import connection, transaction

from audit import journal, sequencer
from audit.actions import Action
from audit.actors import Actor
from bench import rounds

ACTS = 200
BATCH = 2000
LEAF = b"x" * 646


def run() -> list[rounds.Row]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_row (id INTEGER PRIMARY KEY, body BLOB)")
    medians = rounds.rates({"one row, one commit": bare, "entry with disclosures": entry})
    rows = rounds.table(medians, limit="one row, one commit", unit="acts/s")
    with sequencer.opened() as log:
        log.turn()
        batched = rounds.rates(
            {"row inserted in bulk": bulk, "entry sequenced and published": lambda: integrate(log)},
            rounds=3,
            before=fill,
        )
    return rows + rounds.table(batched, limit="row inserted in bulk", unit="acts/s")


def bare() -> int:
    for _ in range(ACTS):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_row (body) VALUES (%s)", [LEAF])
    return ACTS


def entry() -> int:
    for _ in range(ACTS):
        journal.append_now(
            Action.ACCESS_ALLOWED,
            actor=Actor.system("redactor"),
            subject="bench-subject",
            purpose="redaction",
            act="open",
            private={"batch": "0199a1f0-1d3c-7c11-8a01-3f2b7f0c0001"},
        )
    return ACTS


def bulk() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany("INSERT INTO bench_row (body) VALUES (%s)", [[LEAF]] * BATCH)
    return BATCH


def fill() -> None:
    """Write entries for the sequencer to find."""
    with transaction.atomic():
        for _ in range(BATCH):
            journal.append(Action.LOG_SEARCHED, actor=Actor.system("bench"))


def integrate(log: sequencer.Sequencer) -> int:
    """Sequence what waits: places, tiles, both signatures, all of it on disk."""
    return log.turn().sequenced
