"""What can go wrong in the log, in the log's own words."""

from uuid import UUID


class AuditError(Exception):
    """Anything the log refuses."""


class NotInTransactionError(AuditError):
    """An entry was appended outside a transaction: act and entry could part ways."""


class LogUnavailableError(AuditError):
    """The log cannot take or publish entries; `reason` is one short word for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The log is unavailable: {reason}.")
        self.reason = reason


class LeafError(AuditError):
    """Bytes or values that the leaf format does not allow."""


class NoKeyPortError(AuditError):
    """No key port is wired; see audit.ports.use."""


class SignatureError(AuditError):
    """A signature, or the envelope around it, does not hold."""


class NoteError(AuditError):
    """Bytes that are no signed note, checkpoint, key or policy of the C2SP formats."""


class TileError(AuditError):
    """A tile is missing, cut short, or holds other bytes than it must."""


class ForkError(AuditError):
    """Signing would contradict a signature that was already made: the log halts."""


class RecoveryError(AuditError):
    """The log cannot be brought back this way; nothing was changed."""


class RotationError(AuditError):
    """The log cannot take new keys now; what was done stays done, and may be done again."""


class SequencerBusyError(AuditError):
    """Another sequencer holds the log."""


class WitnessError(AuditError):
    """A witness gave an answer the protocol does not allow, or none."""


class WitnessConflictError(ForkError):
    """A witness saw another history (422): the log halts."""


class UnknownEntryError(AuditError):
    """No such entry."""

    def __init__(self, uuid: UUID) -> None:
        super().__init__(f"There is no entry {uuid}.")
        self.uuid = uuid


class NotYetSequencedError(AuditError):
    """The entry is committed, but no published checkpoint covers it yet; try again shortly."""

    def __init__(self, uuid: UUID) -> None:
        super().__init__(f"The entry {uuid} is not in a published checkpoint yet.")
        self.uuid = uuid


class ExportTooLargeError(AuditError):
    """A search finds more entries than one file may hold."""

    def __init__(self, found: int, *, most: int) -> None:
        super().__init__(f"The search finds {found} entries; one file holds at most {most}.")
        self.found = found
        self.most = most


class ExportTooSlowError(AuditError):
    """An export took too long and was broken off."""
