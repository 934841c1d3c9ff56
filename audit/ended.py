"""What stays of the log's earlier names: the last head of each, at its fixed place.

Promise: an entry that got its place under an earlier name can be proved under that name for ever,
so that what was saved or signed then never needs to be signed anew.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings

from audit import files, lineage, quorum
from audit.errors import NoteError
from audit.models import Cosignature, Leaf, Note

FOLDER: Final = "ended"


def path(origin: str) -> Path:
    """Return where the last head under a name is published once it is an earlier one."""
    return Path(settings.REMIT_LOG_DIR) / FOLDER / sha256(origin.encode("utf-8")).hexdigest()


def keep_head(origin: str, note: bytes) -> None:
    """Publish the last head under a name."""
    files.make_directory(path(origin).parent)
    files.replace(path(origin), note)


def head_over(place: Leaf) -> bytes | None:
    """Return the last head of the earlier name under which an entry got its place.

    None for an entry of the present name, or one that no head of its own name covers.
    """
    after = lineage.after(place.index)
    if after is None:
        return None
    notes = Note.objects.filter(pk__lte=after.since, pk__gt=place.index).order_by("-pk")
    return next(map(_with_lines, notes[:1]), None)


def _with_lines(note: Note) -> bytes:
    rows = Cosignature.objects.filter(checkpoint=note.pk).order_by("id")
    lines = dict(rows.values_list("witness", "line"))
    try:
        wanted = list(quorum.read().witnesses)
    except NoteError:
        wanted = []
    return (note.text + "".join(lines[each] for each in wanted if each in lines)).encode("utf-8")
