"""Heads of this log that its own keys signed, wherever they may be found.

A restored database, and even a signer whose memory was restored with it, know nothing of what was
signed since. The published checkpoint, a mirror and the witnesses do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from audit import quorum
from audit.checkpoint import Head
from audit.errors import NoteError
from audit.models import Note
from audit.verifier.keys import Key
from audit.witnessing import Witnesses, signed_head


@dataclass(frozen=True, slots=True)
class Seen:
    """A head and who knows it, in the operator's words."""

    head: Head
    where: str
    note: bytes = b""


def elsewhere(keys: Sequence[Key]) -> list[Seen]:
    """Return the heads that are published or that witnesses saw; who is silent is left out.

    `keys` are those of one name of the log.
    """
    published = Path(settings.REMIT_LOG_DIR) / "checkpoint"
    found = in_file(published.read_bytes(), keys, str(published)) if published.exists() else []
    for name, note in Witnesses().published(quorum.read(), origin=keys[0].name).items():
        found += in_file(note, keys, f"the witness {name}")
    return found


def in_file(data: bytes, keys: Sequence[Key], where: str) -> list[Seen]:
    """Return the head of a checkpoint, if this log signed it under the name of these keys."""
    try:
        tree = signed_head(data, keys)
    except NoteError:
        return []
    return [Seen(Head(tree.size, tree.root), where, data)]


def in_database(keys: Sequence[Key]) -> list[Seen]:
    """Return the newest head the database remembers having signed."""
    newest = Note.objects.order_by("-pk").first()
    return [] if newest is None else in_file(newest.text.encode(), keys, "the database")
