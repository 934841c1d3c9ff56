"""Whether what was written is there to stay, or could still be taken back by whoever asks.

Promise: an entry that a transaction of this very connection wrote and has not committed is never
called committed, whatever Django believes about transactions. Entries that others have not
committed cannot be seen at all.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from psycopg.pq import TransactionStatus

from audit import sql

_NOTHING = nullcontext()


def alone(using: str = DEFAULT_DB_ALIAS) -> AbstractContextManager[Any]:
    """Give a block for one statement that sees and leaves nothing but what is committed.

    Entering it raises RuntimeError inside another transaction. Where the connection commits every
    statement by itself, BEGIN and COMMIT around a single one are spared.
    """
    own = connections[using]
    own.close_if_health_check_failed()
    own.ensure_connection()
    if own.get_autocommit() and not own.in_atomic_block and _is_idle(own):
        return _NOTHING
    return transaction.atomic(using=using, durable=True)


def _is_idle(own: Any) -> bool:  # noqa: ANN401 - a backend's own class.
    """Say what the driver knows of a transaction, which may be begun behind Django's back."""
    if own.vendor == "postgresql":
        return bool(own.connection.pgconn.transaction_status == TransactionStatus.IDLE)
    return not own.connection.in_transaction


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
