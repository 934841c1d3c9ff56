"""The entries the log writes about itself: its first leaf, and a sign of life each hour."""

from datetime import datetime, timedelta

from django.utils import timezone

from audit import hold, journal, leaf, tree
from audit.actions import Action
from audit.actors import Actor
from audit.checkpoint import LogKeys
from audit.ids import uuid7
from audit.models import Entry

_HEARTBEAT = timedelta(hours=1)
_SEQUENCER = Actor.system("sequencer")


def write(keys: LogKeys) -> Entry:
    """Write the genesis entry; the sequencer places it, in the same transaction, at index 0."""
    at = timezone.now()
    clear = leaf.Clear(uuid=uuid7(at), at=at, action=Action.LOG_GENESIS, role=_SEQUENCER.role)
    body = leaf.build_genesis(clear, origin=keys.origin, vkeys=keys.vkeys)
    return Entry.objects.create(uuid=clear.uuid, leaf=body, leaf_hash=tree.leaf_hash(body))


def heartbeat(*, now: datetime) -> None:
    """Append a heartbeat when the newest is an hour old: a frozen log then shows."""
    newest = Entry.objects.filter(
        event__in=[Action.LOG_GENESIS, Action.LOG_HEARTBEAT], occurred_at__gt=now - _HEARTBEAT
    )
    if not newest.exists():
        with hold.its_turn():
            journal.append(Action.LOG_HEARTBEAT, actor=_SEQUENCER, now=now)
