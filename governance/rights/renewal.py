"""The nightly rotation that erasure certificates rely on (`decisions.md` 27).

A destroyed key may survive in a copy of the key store, and a sealed batch in a copy of the
database. Rotating the epoch makes older copies of the key store unopenable; destroying retired
seal keys does the same to sealed batches. Three nights bound both, for everybody alike, so that
a rotation tells nobody that somebody erased something.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

import consent.selectors
from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.capture import selectors as capture
from governance.vault import epochs, reconciliation, seal_keys, standing

ROTATOR = Actor.system("rotation")
# What an agent sealed under its last policy, it may send within a day.
_UNDER_WAY: Final = timedelta(hours=25)
# With the day in which a key was offered, 72 hours: then no original opens, redacted or not (R54).
_LONGEST: Final = timedelta(hours=47)


def renew(*, now: datetime | None = None) -> int:
    """Begin a key epoch and a seal key; destroy seal keys retired before last night.

    By their age, not their number: a beat whose clock jumps, or somebody in doubt, may rotate many
    times in a row, and agents may still send what they sealed. What a crash kept from the ledger
    about ended consents is brought in. Returns the number of the epoch.
    """
    epoch = epochs.rotate()
    seal_keys.rotate(now=now)
    end_seal_keys(now=now)
    standing.end_consents(consent.selectors.epochs())
    with transaction.atomic():
        journal.append(
            Action.KEY_ROTATED,
            actor=ROTATOR,
            act="epoch",
            count=epoch,
            private=reconciliation.anchor(),
        )
    return epoch


def end_seal_keys(*, now: datetime | None = None) -> int:
    """Destroy retired seal keys whose batches are done, and every one whose time is over.

    What was sealed to a destroyed key can be opened by nobody; its batch ends refused.
    """
    moment = now or timezone.now()
    ended = set(seal_keys.retired(before=moment - _LONGEST))
    ended |= set(seal_keys.retired(before=moment - _UNDER_WAY)) - capture.seal_keys_in_use()
    for key_id in ended:
        seal_keys.destroy(key_id=key_id, now=moment)
    return len(ended)
