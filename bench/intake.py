"""Taking a sealed batch of 1,000 events in, against one committed row with the same bytes."""

import time

from django.db import connection, transaction

from audit import sequencer
from bench import rounds
from governance.capture import intake
from tests import make

DATABASES = ("sqlite", "postgresql")
EVENTS = 1000
BATCHES = 20


def run() -> list[rounds.Row]:
    with sequencer.opened() as log:
        log.turn()
    nordhafen = make.house()
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    agent = make.endpoint(nordhafen, "mira")
    waiting: list[tuple[str, bytes]] = []

    def seal() -> None:
        waiting[:] = [sealed(agent) for _ in range(BATCHES)]

    def accept() -> int:
        uploader = intake.Uploader(agent.device.id, agent.subject, revoked=False)
        for batch_id, wire in waiting:
            intake.accept_batch(uploader=uploader, idempotency_key=batch_id, wire=wire)
        return EVENTS * BATCHES

    def bare() -> int:
        for _, wire in waiting:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("INSERT INTO bench_row (body) VALUES (%s)", [wire])
        return EVENTS * BATCHES

    with connection.cursor() as cursor:
        binary = "BYTEA" if connection.vendor == "postgresql" else "BLOB"
        cursor.execute(f"CREATE TABLE bench_row (body {binary})")
    medians = rounds.rates(
        {"one row, one commit": bare, "intake with every check": accept}, before=seal
    )
    return rounds.table(medians, limit="one row, one commit", unit="events/s")


def sealed(agent: make.Endpoint) -> tuple[str, bytes]:
    now = time.time_ns() - EVENTS * 1_000
    lines = [
        {
            "seq": agent.next_seq + number,
            "t_ns": now + number * 1_000,
            "type": "mouse.move",
            "app": make.DESK,
            "x": number % 1900,
            "y": number % 1000,
        }
        for number in range(EVENTS)
    ]
    header, wire = make.sealed(agent, lines, {(make.DESK, "pointer"): EVENTS})
    return str(header["batch_id"]), wire
