"""Reads what a fault left behind: rows, keys, files. It goes round the gate, as a thief would."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import settings
from django.db import connections, router

from audit import disclosures
from audit.actions import Action
from audit.inspection import InspectionError, inspect
from audit.models import Entry, Leaf
from consent.models import ConsentEvent
from governance.capture import content
from governance.capture import models as capture
from governance.jobs.models import Job
from governance.releases import models as releases
from governance.rights import models as rights
from governance.vault import epochs, keyring, ledger
from governance.vault import models as vault
from governance.vault.errors import VaultError
from governance.vault.sealing import FrameRef, frame_context
from tests.faults import invariants
from tests.faults.invariants import STATIONS, Event, State
from tests.infrastructure.canary import Canary
from tests.reference_tree import node, split

MLKEM_SEED_BYTES = 64
# What the tests' captured events hold in clear and nothing that is stored may.
CAPTURED = '"mouse.down"'
# What grows without anything having happened: the log, the clockwork, and what guards requests.
_RESTLESS = {"audit", "jobs", "sessions", "contenttypes", "auth"}


def _event(entry: Entry) -> str:
    """Return what an entry records; of a private one, if its person was not erased.

    A station of an erasure is named behind it: it may be a recall that found nothing to recall.
    """
    event: str = entry.event
    if event != Action.PRIVATE_TOLD:
        return event
    told = disclosures.details(entry)
    return " ".join(str(told[name]) for name in ("event", "state") if name in told) or event


def observe(history: Sequence[Event], *, again: Callable[[], None], look_closely: bool) -> State:
    """Return what is there now; `again` does every job once more.

    `look_closely` also scans every file for plaintext.
    """
    digests = _digests()
    again()
    digests_after_again = _digests()
    secrets = _secrets()
    frames = _frames(secrets)
    blobs = {str(key) for key in capture.FrameBlob.objects.values_list("key", flat=True)}
    objects = _objects()
    return State(
        batches=_batches(),
        outcomes={
            str(row.batch_id): invariants.Outcome(row.state, row.accepted, row.entry_id)
            for row in capture.BatchOutcome.objects.all()
        },
        sealed={
            str(batch): subject
            for batch, subject in capture.SealedBatch.objects.values_list("batch_id", "subject")
        },
        jobs=[
            invariants.Job(row.kind, row.ref, row.state, row.attempts)
            for row in Job.objects.order_by("id")
        ],
        frames=frames,
        stray_blobs=sorted(blobs - set(frames)),
        objects=objects,
        wanted_objects=_wanted_objects(),
        keys=_keys(secrets),
        seal_keys=_seal_keys(),
        generations={
            (row.subject, row.scope): row.number for row in vault.CellGeneration.objects.all()
        },
        buried=frozenset(
            subject for subject in _subjects() if ledger.find("subject", subject) is not None
        ),
        journal=[
            (str(entry), key) for entry, key in vault.KeyRelease.objects.values_list("entry", "key")
        ],
        entries={
            str(row.uuid): invariants.Entry(row.id, _event(row), row.verdict, row.purpose, row.act)
            for row in Entry.objects.prefetch_related("disclosures")
        },
        decisions=[
            invariants.Decision(
                row.subject,
                row.record.purpose,
                row.record.application,
                row.record.category,
                row.status,
                row.entry_id,
            )
            for row in ConsentEvent.objects.select_related("record")
        ],
        forgotten=[
            (row.subject, _nanoseconds(row.start), _nanoseconds(row.end))
            for row in capture.ForgottenSpan.objects.all()
        ],
        files=_files(),
        building=_building(),
        orders=_orders(),
        live_exports=frozenset(
            str(key)
            for key in rights.PortabilityExport.objects.exclude(
                state__in=["ended", "failed"]
            ).values_list("id", flat=True)
        ),
        policies=[
            invariants.Policy(str(row.device_id), row.policy_epoch, row.consent_epoch)
            for row in capture.IssuedPolicy.objects.order_by("issued_at")
        ],
        key_files=frozenset(
            int(path.stem.removeprefix("epoch-"))
            for path in (Path(settings.REMIT_VAULT_DIR) / "kek").glob("epoch-*.key")
        ),
        epochs=frozenset(vault.StoredKey.objects.values_list("epoch", flat=True).distinct()),
        manifests=releases.ReleaseManifest.objects.count(),
        log_fault=_log_fault(),
        roots=_roots(history),
        canaries=_canaries() if look_closely else [],
        digests=digests,
        digests_after_again=digests_after_again,
    )


def _batches() -> dict[str, invariants.Batch]:
    return {
        str(row.id): invariants.Batch(
            row.subject, str(row.device_id), row.wire_digest, row.entry_id
        )
        for row in capture.CaptureBatch.objects.all()
    }


def _subjects() -> set[str]:
    asked = rights.ErasureOrder.objects.values_list("subject", flat=True)
    return set(asked)


def _secrets() -> dict[object, bytes | None]:
    """Return what every stored key unwraps to, or None when it does not."""
    found: dict[object, bytes | None] = {}
    for row in vault.StoredKey.objects.all():
        try:
            found[row.id] = epochs.unwrap(row)
        except VaultError:
            found[row.id] = None
    return found


def _keys(secrets: dict[object, bytes | None]) -> list[invariants.Key]:
    return [
        invariants.Key(
            row.kind,
            row.owner,
            row.scope,
            row.generation,
            row.epoch,
            secrets.get(row.id) is not None,
        )
        for row in vault.StoredKey.objects.order_by("id")
    ]


def _seal_keys() -> list[invariants.SealKey]:
    found = []
    for row in vault.SealKey.objects.order_by("created_at"):
        path = Path(settings.REMIT_VAULT_DIR) / "seal" / f"{row.key_id}.key"
        file = path.read_bytes() if path.is_file() else b""
        halves = file[:MLKEM_SEED_BYTES], file[MLKEM_SEED_BYTES:]
        is_destroyed = row.destroyed_at is not None
        opens = bool(file) and _public_of(*halves) == bytes(row.public)
        found.append(invariants.SealKey(row.key_id, is_destroyed, bool(file), opens))
    return found


def _public_of(mlkem: bytes, x25519: bytes) -> bytes:
    first = MLKEM768PrivateKey.from_seed_bytes(mlkem).public_key().public_bytes_raw()
    return first + X25519PrivateKey.from_private_bytes(x25519).public_key().public_bytes_raw()


def _frames(secrets: dict[object, bytes | None]) -> dict[str, invariants.Frame]:
    live = set(capture.LiveFrame.objects.values_list("frame_id", flat=True))
    blobs = {row.key: bytes(row.ciphertext) for row in capture.FrameBlob.objects.all()}
    states: dict[object, list[str]] = defaultdict(list)
    for frame, state in capture.FrameState.objects.order_by("id").values_list("frame_id", "state"):
        states[frame].append(state)
    keys = {
        (row.owner, row.scope, row.generation): row.id
        for row in vault.StoredKey.objects.filter(kind=vault.KeyKind.CELL)
    }
    found = {}
    for row in capture.Frame.objects.all():
        ciphertext = blobs.get(row.id) if row.store == "row" else _object(row.object_key)
        scope = keyring.cell_scope(application=row.application, category=row.category)
        secret = secrets.get(keys.get((row.subject, scope, row.generation)))
        plaintext = _opened(row, ciphertext, secret)
        found[str(row.id)] = invariants.Frame(
            batch=str(row.batch_id),
            cell=(row.subject, row.application, row.category),
            generation=row.generation,
            events=row.event_count,
            entry=row.entry_id,
            is_live=row.id in live,
            states=tuple(states[row.id]),
            has_bytes=ciphertext is not None,
            opens=plaintext is not None,
            object_key=row.object_key,
            times=() if plaintext is None else _times(plaintext),
        )
    return found


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000_000)


def _times(plaintext: bytes) -> tuple[int, ...]:
    return tuple(int(str(event["t_ns"])) for event in content.unpack(plaintext))


def _opened(row: capture.Frame, ciphertext: bytes | None, secret: bytes | None) -> bytes | None:
    if ciphertext is None or secret is None:
        return None
    context = frame_context(
        FrameRef(
            row.id, row.subject, row.application, row.category, row.generation, row.policy_version
        )
    )
    size = epochs.NONCE_BYTES
    try:
        return AESGCM(secret).decrypt(ciphertext[:size], ciphertext[size:], context)
    except InvalidTag:
        return None


def _object(key: str) -> bytes | None:
    path = Path(settings.REMIT_STORAGE_URL) / key
    return path.read_bytes() if path.is_file() else None


def _objects() -> frozenset[str]:
    place = Path(settings.REMIT_STORAGE_URL)
    return frozenset(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def _wanted_objects() -> frozenset[str]:
    wanted = set(
        capture.Frame.objects.filter(
            id__in=capture.LiveFrame.objects.values("frame_id")
        ).values_list("object_key", flat=True)
    )
    wanted |= set(
        releases.ReleaseFile.objects.filter(recall=None).values_list("object_key", flat=True)
    )
    wanted |= set(
        rights.PortabilityExport.objects.filter(state="ready").values_list("object_key", flat=True)
    )
    return frozenset(wanted)


def _files() -> list[invariants.File]:
    rows = releases.ReleaseFile.objects.select_related("release").prefetch_related("items")
    recalled = set(releases.ReleaseRecall.objects.values_list("file_id", flat=True))
    return [
        invariants.File(
            release=str(row.release_id),
            state="",
            purpose=row.release.purpose,
            subject=row.subject,
            name=row.name,
            object_key=row.object_key,
            is_recalled=row.id in recalled,
            cells=frozenset((item.application, item.category) for item in row.items.all()),
        )
        for row in rows
    ]


def _building() -> frozenset[str]:
    steps = releases.ReleaseStep.objects.order_by("number")
    latest = dict(steps.values_list("release_id", "state"))
    return frozenset(str(key) for key, state in latest.items() if state == "building")


def _orders() -> list[invariants.Order]:
    certified = set(rights.ErasureCertificate.objects.values_list("order_id", flat=True))
    steps: dict[object, list[str]] = defaultdict(list)
    # Steps of one transaction share their moment.
    rows = rights.ErasureStep.objects.values_list("at", "state", "order_id")
    for _, state, order in sorted(rows, key=lambda row: (row[0], STATIONS.index(row[1]))):
        steps[order].append(state)
    return [
        invariants.Order(
            row.subject,
            None if row.is_whole else (row.application, row.category),
            tuple(steps[row.id]),
            row.id in certified,
        )
        for row in rights.ErasureOrder.objects.all()
    ]


def _log_fault() -> str:
    try:
        inspect()
    except InspectionError as error:
        return str(error)
    return ""


def _roots(history: Sequence[Event]) -> dict[int, str]:
    sizes = {facts["size"] for facts in invariants.acked(history, "checkpoint")}
    hashes = [bytes(h) for h in Leaf.objects.order_by("index").values_list("leaf_hash", flat=True)]
    return {size: _root(hashes[:size]).hex() for size in sizes if 0 < size <= len(hashes)}


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    at = split(len(hashes))
    return node(_root(hashes[:at]), _root(hashes[at:]))


def _canaries() -> list[str]:
    hits = Canary(CAPTURED).scan_tree(Path(settings.REMIT_VAR))
    return [f"{hit.where} ({hit.form})" for hit in hits]


def _digests() -> dict[str, str]:
    """Return for each table that means something the SHA-256 of its rows, whatever their order."""
    found = {}
    for alias, table in _tables():
        with connections[alias].cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = sorted(repr(tuple(map(_plain, row))) for row in cursor.fetchall())
        found[table] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


@cache
def _tables() -> list[tuple[str, str]]:
    return [
        (router.db_for_read(model), model._meta.db_table)
        for model in apps.get_models()
        if model._meta.app_label not in _RESTLESS
    ]


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
