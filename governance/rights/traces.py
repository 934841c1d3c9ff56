"""What deleting leaves behind inside the files of a database, and its end.

Promise: on SQLite, once `overwritten` says so, no page of the file or of its write-ahead log holds
what was deleted: `secure_delete` wipes pages of the file, and the log that still holds the old ones
is cut to nothing. On PostgreSQL the freed rows are handed to VACUUM at once; what its own logs and
free pages keep for a while was sealed under keys that are gone (docs/operations.md).
"""

from typing import Final

from django.db import connections

_TABLES: Final = {
    "default": (
        "audit_disclosure",
        "audit_subjectcounter",
        "audit_subjectindex",
        "capture_bystandermark",
        "capture_capturesession",
        "capture_frameblob",
        "capture_liveframe",
        "capture_sealedbatch",
    ),
    "keys": ("vault_cellgeneration", "vault_storedkey"),
}


def overwritten() -> bool:
    """Wipe what was deleted; False when a reader still holds on to the old pages. Repeatable.

    Only outside a transaction, where jobs run: inside one there is nothing to wipe yet.
    """
    wiped = [_wiped(alias) for alias in _TABLES]
    return all(wiped)


def _wiped(alias: str) -> bool:
    connection = connections[alias]
    if connection.in_atomic_block:
        return True
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (is_busy, *_) = cursor.fetchone()
            return not is_busy
        # A role that does not own the tables is told so by a notice; then autovacuum does it.
        cursor.execute(f"VACUUM (TRUNCATE false) {', '.join(_TABLES[alias])}")
    return True
