"""Removing parts of tiles that nobody needs: those whose tile is full, after a grace.

C2SP tlog-tiles lets a log delete a partial tile once the full one exists. The grace lets whoever
holds an older checkpoint finish reading. What is to go follows from the checkpoints alone, so that
nothing is forgotten when the sequencer dies.
"""

import shutil
from datetime import datetime, timedelta
from typing import Final

from audit.models import Checkpoint
from audit.tiles import ENTRIES, HEIGHT, WIDTH, TileStore, tile_path

GRACE: Final = timedelta(minutes=10)


def prune(tiles: TileStore, *, size: int, since: datetime | None, until: datetime) -> None:
    """Remove the parts laid for heads signed between `since` and `until`, less the grace.

    Only those of tiles that are full at `size`, which is published.
    """
    signed = Checkpoint.objects.filter(intended_at__lte=until - GRACE)
    if since is not None:
        # Reaching back a second time as far covers a run that was cut short.
        signed = signed.filter(intended_at__gt=since - 2 * GRACE)
    gone: set[tuple[int | str, int]] = set()
    for old in signed.values_list("size", flat=True).iterator():
        gone |= _parts(old, size)
    for level, index in gone:
        full = tiles.root / tile_path(level, index)
        shutil.rmtree(full.with_name(f"{full.name}.p"), ignore_errors=True)


def _parts(old: int, size: int) -> set[tuple[int | str, int]]:
    """Return (level, index) of the tiles that were begun at `old` and are full at `size`."""
    found: set[tuple[int | str, int]] = set()
    level = 0
    while old >> (HEIGHT * level):
        index, width = divmod(old >> (HEIGHT * level), WIDTH)
        if width and (size >> (HEIGHT * (level + 1))) > index:
            found |= {(level, index)} | ({(ENTRIES, index)} if level == 0 else set())
        level += 1
    return found
