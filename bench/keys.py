"""Erasing somebody from a full store and from a small one; beginning an epoch of 100,000 keys.

An erasure destroys keys, one for each of a person's cells and months, so a thousand times the
records must cost the same time: from the order until nothing opens, everything included. An epoch
begins by wrapping every key anew, held against the same ciphers in a bare loop.
"""

import time
from statistics import median
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, transaction

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from bench import rounds
from governance.rights import services
from governance.vault import epochs, keyring, sealing
from governance.vault.models import StoredKey

DATABASES = ("sqlite", "postgresql")
FEW, MANY = 1_000, 1_000_000
PEOPLE = 5
CATEGORIES = ("pointer", "click", "shortcut", "page")
KEYS = 100_000
ROTATIONS = 5
_CHUNK = 5_000


def run() -> list[rounds.Row]:
    return [*erasures(), *rotations()]


def erasures() -> list[rounds.Row]:
    """Time erasures while the store holds few records, and while it holds many."""
    erase(people_with(1))  # Whatever is done once is done.
    times = {}
    for records in (FEW, MANY):
        people = [people_with(records // PEOPLE) for _ in range(PEOPLE)]
        settle()
        times[records] = median([erase(subject) for subject in people])
    return [
        {
            "side": f"erase one of {PEOPLE} people with {records:,} records",
            "ms": round(seconds * 1000, 1),
            "ratio": round(seconds / times[FEW], 2),
        }
        for records, seconds in times.items()
    ]


def settle() -> None:
    """Let the store finish writing what was poured in: that is nobody's erasure."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) capture_frame, capture_liveframe")
            cursor.execute("CHECKPOINT")


def erase(subject: str) -> float:
    """Return the seconds from the order until no key of the person is left."""
    start = time.perf_counter()
    services.erase_everything(
        subject=subject, actor=Actor(subject, "employee"), language="en", form_digest="0" * 64
    )
    assert not StoredKey.objects.filter(owner=subject).exists()
    return time.perf_counter() - start


def people_with(records: int) -> str:
    """Return a new person with keys for each cell, and that many records under them."""
    subject = str(uuid4())
    for category in CATEGORIES:
        sealing.seal_frame(
            subject=subject,
            application="desk",
            category=category,
            frame_id=uuid7(),
            policy_version="desk@1",
            plaintext=b"{}",
        )
    entry = journal.append_now(
        Action.CAPTURE_REDACTED, actor=Actor.system("bench"), subject=subject
    )
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (_FRAMES, _LIVE):
            cursor.execute(
                statement.format(**_WORDS[connection.vendor]),
                {"subject": subject, "entry": entry.id, "records": records},
            )
    return subject


_WORDS = {
    "sqlite": {
        "series": "WITH RECURSIVE n(i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %(records)s) ",
        "id": "lower(hex(randomblob(16)))",
        "of": "n",
    },
    "postgresql": {
        "series": "",
        "id": "gen_random_uuid()",
        "of": "generate_series(1, %(records)s)",
    },
}
_FRAMES = """
    INSERT INTO capture_frame (id, organisation, batch_id, subject, application, category,
        generation, policy_version, schedule_version, consent_events, first_hour, last_hour,
        event_count, store, object_key, "offset", length, ciphertext_digest, retain_until,
        redaction, entry_id)
    {series}SELECT {id}, 'default', {id}, %(subject)s, 'desk', 'click',
        1, 'desk@1', '1', '[]', '2026-11-01', '2026-11-01',
        1, 'row', '', 0, 1, '', '2027-11-01', '{{}}', %(entry)s FROM {of}
"""
_LIVE = """
    INSERT INTO capture_liveframe (frame_id, subject, application, category, generation,
        first_hour, last_hour, retain_until)
    {series}SELECT {id}, %(subject)s, 'desk', 'click', 1,
        '2026-11-01', '2026-11-01', '2027-11-01' FROM {of}
"""


def rotations() -> list[rounds.Row]:
    """Time rotations of many keys, and the ciphers of one alone."""
    with transaction.atomic(using="keys"):
        epoch = epochs.current()
        missing = KEYS - StoredKey.objects.count()
        for start in range(0, missing, _CHUNK):
            rows = [_row(number) for number in range(start, min(start + _CHUNK, missing))]
            for row in rows:
                epochs.wrap(row, bytes(32), epoch=epoch)
            StoredKey.objects.bulk_create(rows)
    seconds: dict[str, list[float]] = {"ciphers alone": [], "rotate": []}
    for _ in range(ROTATIONS):
        seconds["ciphers alone"].append(_timed(ciphers))
        seconds["rotate"].append(_timed(epochs.rotate))
    bare = median(seconds["ciphers alone"])
    return [
        {
            "side": f"{side}, {KEYS:,} keys",
            "ms": round(median(times) * 1000),
            "ratio": round(median(times) / bare, 2),
        }
        for side, times in seconds.items()
    ]


def _row(number: int) -> StoredKey:
    cell = keyring.cell_scope(application="desk", category=f"cell {number}")
    return StoredKey(id=uuid7(), kind="cell", owner=str(uuid4()), scope=cell, generation=1)


def ciphers() -> None:
    """Open and wrap as many keys as a rotation does."""
    one, other = AESGCM(bytes(32)), AESGCM(bytes(range(32)))
    place, nonce = bytes(150), bytes(12)
    sealed = one.encrypt(nonce, bytes(32), place)
    for _ in range(KEYS):
        other.encrypt(nonce, one.decrypt(nonce, sealed, place), place)


def _timed(act: object) -> float:
    assert callable(act)
    start = time.perf_counter()
    act()
    return time.perf_counter() - start
