"""From a sealed batch to a stored frame without redaction, against the same primitives bare.

The limit calls the very functions that open, decompress, parse, judge, encode, compress and encrypt
the same bytes, in a loop, with no row, entry, lock or transaction. Redaction is measured by
bench/redaction.py and left out of both. CPU counts: what waits for the disk costs nobody a core.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from secrets import token_bytes
from unittest import mock

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction
from django.utils import timezone

import consent.selectors
from audit import sequencer
from bench import rounds, steps
from bench.intake import EVENTS, sealed
from governance.capture import cells, content, intake, judging, sealed_batch
from governance.capture.models import BatchOutcome
from governance.jobs import services as jobs
from governance.redaction import events as wire
from governance.redaction import pipeline
from governance.redaction.events import Event
from governance.vault import seal_keys
from tests import make

DATABASES = ("sqlite", "postgresql")
# A backlog: what waits alone is done alone.
BATCHES = 16
ROUNDS = 5
STEPS = {
    "job and lease": ("governance.jobs.services:_waiting", "governance.jobs.services:_lease"),
    "person's facts": ("governance.capture.storing:cells.locked_cells_of",),
    "permit": ("governance.capture.gate:_admit_subjects",),
    "open": ("governance.vault.reading:seal_keys.unseal",),
    "check of the permit": ("governance.vault.reading:_granted",),
    "unwrap journal": ("governance.vault.reading:unwraps.write",),
    "decompress": ("governance.capture.runs:content.decompress",),
    "parse": ("governance.capture.runs:wire.parse_lines",),
    "re-check": ("governance.capture.judging:Judge.kept",),
    "group and encode": ("governance.capture.runs:_group",),
    "log entries": ("audit.journal:append_each",),
    "compress": ("governance.capture.storing:content.pack",),
    "encrypt": ("governance.capture.storing:sealing.seal_frames",),
    "rows": (
        "governance.capture.storing:_rows_of_frame",
        "governance.capture.storing:frames.write",
        "governance.capture.storing:jobs.finish_all",
    ),
    "commit": ("django.db.backends.base.base:BaseDatabaseWrapper.commit",),
}


def run() -> list[rounds.Row]:
    nordhafen = make.house()
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    agent = make.endpoint(nordhafen, "mira")
    sides: dict[str, Callable[[Sequence[bytes]], None]] = {
        "the primitives, bare": partial(_bare, person=_person(agent)),
        "the worker without redaction": lambda _: _work(),
    }
    with mock.patch.object(pipeline, "redact", _unredacted):
        seen: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(ROUNDS):
            wires = _queued(agent)
            for side, work in sides.items():
                start = time.process_time()
                work(wires)
                seen[side].append((time.process_time() - start) / BATCHES)
        _queued(agent)
        shares = steps.shares(STEPS, _work)
    done = BatchOutcome.objects.filter(accepted=EVENTS).count()
    assert done == BATCHES * (ROUNDS + 1), done
    medians = {side: EVENTS / statistics.median(values) for side, values in seen.items()}
    table = rounds.table(medians, limit="the primitives, bare", unit="events per CPU-s")
    return [*table, *shares]


def _queued(agent: make.Endpoint) -> list[bytes]:
    """Hand in a round's batches; the log keeps up, or the worker would rightly wait for it."""
    wires = [_accepted(agent) for _ in range(BATCHES)]
    with sequencer.opened() as log:
        log.turn()
    return wires


def _accepted(agent: make.Endpoint) -> bytes:
    batch_id, body = sealed(agent)
    uploader = intake.Uploader(agent.device.id, agent.subject)
    intake.accept_batch(uploader=uploader, idempotency_key=batch_id, wire=body)
    return body


def _work() -> None:
    jobs.run_due()


def _unredacted(events: Sequence[Event], **_: object) -> pipeline.Redacted:
    return pipeline.Redacted(list(events), {}, {})


def _bare(wires: Sequence[bytes], person: cells.PersonCells) -> None:
    now = timezone.now()
    for body in wires:
        upload = sealed_batch.parse(body)
        opened = seal_keys.unseal(
            key_id=upload.header.key_id, header=upload.header_bytes, sealed=upload.sealed
        )
        lines, _ = content.split(content.decompress(opened))
        parsed = wire.parse_lines(lines)
        judge = judging.Judge(upload.header, person, received=now, now=now)
        kept = judge.kept(parsed.events)
        assert len(kept) == EVENTS, judge.refused
        plain = content.pack([wire.to_line(event) for event in kept])
        AESGCM(token_bytes(32)).encrypt(token_bytes(12), plain, None)


def _person(agent: make.Endpoint) -> cells.PersonCells:
    with transaction.atomic():
        epoch = consent.selectors.lock(subject=agent.subject, exclusive=False)
        return cells.cells_of(
            subject=agent.subject, epoch=epoch, device_id=agent.device.id, now=timezone.now()
        )
