"""The nightly rotation that erasure certificates rely on (`decisions.md` 27).

A destroyed key may survive in a copy of the key store, and a sealed batch in a copy of the
database. Rotating the epoch makes older copies of the key store unopenable; destroying retired
seal keys does the same to sealed batches. Three nights bound both, for everybody alike, so that
a rotation tells nobody that somebody erased something.
"""

from django.db import transaction

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from governance.capture import selectors as capture
from governance.vault import epochs, reconciliation, seal_keys

ROTATOR = Actor.system("rotation")


def renew() -> int:
    """Begin a key epoch and a seal key; destroy seal keys retired before last night.

    A retired key that a waiting batch still needs stays until the batch is done. Returns the
    number of the epoch.
    """
    epoch = epochs.rotate()
    waiting = capture.seal_keys_in_use()
    earlier = seal_keys.retired()
    seal_keys.rotate()
    # What was retired last may still seal what an agent spooled, also when somebody rotates twice
    # in a row; what was retired before cannot: the policies that name it ended long ago.
    for key_id in earlier[:-1]:
        if key_id not in waiting:
            seal_keys.destroy(key_id=key_id)
    with transaction.atomic():
        journal.append(
            Action.KEY_ROTATED,
            actor=ROTATOR,
            act="epoch",
            count=epoch,
            private=reconciliation.anchor(),
        )
    return epoch
