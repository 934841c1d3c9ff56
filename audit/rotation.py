"""New keys: the log goes on under another name, and the old one ends where everybody can see it.

Promises: the old keys sign nothing after `log:closed`, which they do only once the witnesses were
there to cosign it; the tree goes on without a gap. Each step is harmless to repeat and leaves a
state from which the next call goes on; while new keys are half in place nobody else signs. The
steps, in order:

    settle    what waits gets its place, and a head its quorum; until then nothing is changed
    make      the new keys, in a directory of their own: from here on no sequencer starts
    close     `log:closed` is placed; its head is signed, cosigned and kept under `ended/`
    go on     `log:rotated` and the new name, one transaction
    take over the key files, the policy, the published keys; the old private keys are gone

A dead log, whose keys or past were lost, skips the first and third step: `bury` keeps the last head
that anybody knows instead, and lays the files anew.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from audit import checkpoint, ended, files, heads, hold, lineage, outbox, quorum, restart
from audit.actions import Action
from audit.checkpoint import Head, LogKeys, Signer
from audit.circulation import Circulation
from audit.edge import Edge
from audit.errors import ForkError, NoteError, RotationError, TileError
from audit.frontier import Frontier
from audit.lineage import Name
from audit.models import Entry, Leaf, Outbox, TreeState
from audit.outbox import Waiting
from audit.sequencer import Sequencer
from audit.tiles import TileStore
from audit.tree import leaf_hash
from audit.verifier.note import Tree

_KEY_FILES: Final = ("ed25519.key", "ml-dsa-44.key", "origin")
_CHUNK: Final = 4096
# Shy entries wait on purpose; beyond that somebody still writes.
_MORE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Rotated:
    """From which name to which the log went, and whether this call did anything of it."""

    old: str
    new: str
    vkeys: tuple[str, ...]
    index: int
    is_new: bool = True


def rotate(*, is_dead: bool = False) -> Rotated:
    """Let the log go on under REMIT_LOG_ORIGIN with new keys; call it again if it broke off.

    Raises RotationError, SequencerBusyError.
    """
    with hold.the_log():
        try:
            return _rotate(is_dead=is_dead)
        except (ForkError, NoteError, TileError) as error:
            raise RotationError(str(error).rstrip(".")) from error


def _rotate(*, is_dead: bool) -> Rotated:
    known = lineage.names()
    if not known:
        raise RotationError("the log has no entries yet: its keys may simply be made anew")
    last = known[-1]
    if _is_in_use(last):
        return Rotated(last.origin, last.origin, last.vkeys, last.since, is_new=False)
    if not _is_of(last, checkpoint.next_directory()):
        if settings.REMIT_LOG_ORIGIN in {name.origin for name in known}:
            raise RotationError(
                f"{settings.REMIT_LOG_ORIGIN} names this log already: set REMIT_LOG_ORIGIN to a "
                "name that it never had"
            )
        _go_on(last, *(_bury(last) if is_dead else _close(last)))
    _take_over()
    _publish_first()
    last = lineage.names()[-1]
    return Rotated(lineage.names()[-2].origin, last.origin, last.vkeys, last.since)


def _is_in_use(name: Name) -> bool:
    """Whether the newest name is that of the keys in use, with no new ones beside them."""
    if checkpoint.next_directory().exists() or name.origin != settings.REMIT_LOG_ORIGIN:
        return False
    return _is_of(name, checkpoint.directory())


def _is_of(name: Name, where: Path) -> bool:
    if not all((where / file).exists() for file in _KEY_FILES):
        return False
    if (where / "origin").read_text(encoding="utf-8").strip() != name.origin:
        return False
    return tuple(checkpoint.keys_in(where, origin=name.origin).vkeys) == name.vkeys


def _new_keys() -> LogKeys:
    return checkpoint.keys_in(checkpoint.next_directory(), origin=settings.REMIT_LOG_ORIGIN)


# The old name ends.


def _close(last: Name) -> tuple[LogKeys, Tree]:
    """End the old name with its own keys; return the new ones and the old one's last head."""
    if not _is_of(last, checkpoint.directory()):
        raise RotationError(
            f"the keys of {last.origin} are not in {checkpoint.directory()}. After a restore run "
            "`manage.py log_recover`; if the keys are lost, `manage.py log_rotate --dead`"
        )
    old = checkpoint.keys_in(checkpoint.directory(), origin=last.origin)
    log = Sequencer(Circulation(), old)
    try:
        log.recover()
        if lineage.successor(log.size) is None:
            if not checkpoint.next_directory().exists():
                _settle(log)
            new = _new_keys()
            _place_closed(log, new)
        new = _new_keys()
        if lineage.successor(log.size) != (new.origin, tuple(new.vkeys)):
            raise RotationError("the log was closed for other keys than those that wait")
        head = _published(log)
        ended.keep_head(old.origin, (log.tiles.root / "checkpoint").read_bytes())
        return new, Tree(old.origin, head.size, head.root)
    finally:
        log.circulation.close()


def _settle(log: Sequencer) -> None:
    """Place all that waits but for what its period will tell; see that the witnesses answer.

    What is private gets its place under the next name: its leaf names a time that is still to come.
    Raises RotationError.
    """
    deadline = time.monotonic() + settings.REMIT_LOG_DELAY_SECONDS + _MORE_SECONDS
    while log.sequence() or _others_wait():
        if time.monotonic() > deadline:
            raise RotationError(
                "entries keep coming: stop web, worker and beat first. Nothing was changed"
            )
        time.sleep(_LOOK_SECONDS)
    _published(log)


def _others_wait() -> bool:
    kept = Outbox.objects.filter(entry__event=Action.PRIVATE_TOLD, entry__occurred_at__gt=Now())
    return Outbox.objects.exclude(pk__in=kept).exists()


def _place_closed(log: Sequencer, new: LogKeys) -> None:
    with hold.its_turn():
        note = lineage.closed(origin=new.origin, vkeys=new.vkeys)
        only = _only(note)
        outbox.place(only, start=log.size)
        TreeState.objects.filter(pk=log.keys.origin).update(size=F("size") + 1)
    log.integrate(only)


def _published(log: Sequencer) -> Head:
    """Sign and publish the head of the tree with its quorum. Raises RotationError without one."""
    log.publish()
    current = log.current
    if current is None or not current.has_quorum:
        raise RotationError(
            "fewer witnesses answer than the policy wants, and an old name's last head needs "
            "them: run it again when they do"
        )
    return current.head


def _only(entry: Entry) -> Waiting:
    return Waiting([entry.pk], [bytes(entry.leaf)], [leaf_hash(bytes(entry.leaf))])


# The old name is lost.


def _bury(last: Name) -> tuple[LogKeys, Tree]:
    """Keep the last head that anybody knows of a lost name; put its files aside."""
    seen = [*heads.elsewhere(last.keys), *heads.in_database(last.keys)]
    seen += [heads.Seen(Head(0, Edge().root()), "nobody")]
    best = max(seen, key=lambda each: each.head.size)
    _require_lost(last)
    new = _fresh_keys()
    if best.note:
        ended.keep_head(last.origin, best.note)
    # Files of the lost past and those of the tree that goes on may differ: lay them anew.
    tiles = Path(settings.REMIT_LOG_DIR) / "tile"
    aside = tiles.with_name(f"dead-{ended.path(last.origin).name}")
    if tiles.exists() and not aside.exists():
        tiles.rename(aside)
        files.sync_directory(aside.parent)
    return new, Tree(last.origin, best.head.size, best.head.root)


def _require_lost(last: Name) -> None:
    """Raise when the log could close itself: then its readers need trust no paper."""
    if checkpoint.next_directory().exists() or not _is_of(last, checkpoint.directory()):
        return
    old = checkpoint.keys_in(checkpoint.directory(), origin=last.origin)
    try:
        restart.recover(
            Frontier(TileStore(Path(settings.REMIT_LOG_DIR))), keys=old, signed=Signer(old).last
        )
    except ForkError:
        return
    raise RotationError("the log is whole and has its keys: rotate it without --dead")


def _fresh_keys() -> LogKeys:
    """Return new keys; those that a start without keys made are as good, if they never signed."""
    where = checkpoint.directory()
    named = where / "origin"
    is_named = named.exists() and named.read_text("utf-8").strip() == settings.REMIT_LOG_ORIGIN
    if is_named and (where / "signed-head").exists():
        raise RotationError(
            f"keys named {settings.REMIT_LOG_ORIGIN} were in use already: set REMIT_LOG_ORIGIN to "
            "another name"
        )
    return _new_keys()


# The new name begins.


def _go_on(last: Name, new: LogKeys, end: Tree) -> None:
    """Place `log:rotated` and give the tree its new name, both or neither."""
    with hold.its_turn():
        state = TreeState.objects.select_for_update().get(pk=last.origin)
        note = lineage.rotated(origin=new.origin, vkeys=new.vkeys, after=end)
        outbox.place(_only(note), start=state.size)
        TreeState.objects.filter(pk=last.origin).update(
            origin=new.origin, size=F("size") + 1, behind_since=Now(), halted=""
        )


def _take_over() -> None:
    """Put the new keys where the old ones are, for good; then others may sign again."""
    coming, where = checkpoint.next_directory(), checkpoint.directory()
    new = _new_keys()
    since = lineage.names()[-1].since
    if lineage.successor(since) is None:
        # What the lost name signed binds nobody: the signer begins where the tree stood.
        Signer(new).begin_at(Head(since, _root(since)))
    for name in _KEY_FILES:
        files.replace(where / name, (coming / name).read_bytes(), mode=0o600)
    earlier = lineage.names()[:-1]
    checkpoint.keep_earlier_vkeys([vkey for name in earlier for vkey in name.vkeys])
    quorum.follow(new)
    shutil.rmtree(coming)
    files.sync_directory(where)


def _publish_first() -> None:
    """Publish the first head under the new name; its witnesses may still have to learn it."""
    log = Sequencer(Circulation())
    try:
        log.recover()
        log.publish()
    finally:
        log.circulation.close()


def _root(size: int) -> bytes:
    edge = Edge()
    rows = Leaf.objects.filter(index__lt=size).order_by("index")
    for hashed in rows.values_list("leaf_hash", flat=True).iterator(chunk_size=_CHUNK):
        edge.push(bytes(hashed))
    return edge.root()
