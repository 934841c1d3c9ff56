"""Whether an entry is there to stay, or could still be taken back by whoever asks.

Promise: an entry that a transaction of this very connection wrote and has not committed is never
called committed, whatever Django believes about transactions. Entries that others have not
committed cannot be seen at all.
"""

from uuid import UUID

from django.db import connection

from audit import sql


def is_open() -> bool:
    """Say whether a transaction is open that no `atomic` block ends (autocommit is off)."""
    return not connection.in_atomic_block and not connection.get_autocommit()


def is_of_this_transaction(uuid: UUID) -> bool:
    """Say whether the current transaction, or a savepoint in it, wrote the entry.

    SQLite keeps no transaction numbers: there every entry counts as written by an open one.
    """
    if connection.vendor != "postgresql":
        return True
    found = sql.row(
        "SELECT xid = pg_current_xact_id_if_assigned() FROM audit_entry WHERE uuid = %s", [uuid]
    )
    return bool(found and found[0])
