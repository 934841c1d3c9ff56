"""What can go wrong with captured work, in the domain's own words."""

from collections.abc import Mapping
from typing import Any

from governance.decisions import Reason


class CaptureError(Exception):
    """Base of this app's errors."""


class AccessDeniedError(CaptureError):
    """The gate refused a read; `reason` says why and `entry` is the log entry of the refusal."""

    def __init__(self, reason: Reason, entry: Any = None) -> None:  # noqa: ANN401
        super().__init__(reason.value)
        self.reason = reason
        self.entry = entry


class BatchMalformedError(CaptureError):
    """The upload is not a sealed batch: its frame, header or declared limits are wrong."""


class BatchTooLargeError(CaptureError):
    """The upload is larger than a batch may be."""


class BatchConflictError(CaptureError):
    """The same batch id came before with other bytes."""


class BatchSequenceError(CaptureError):
    """The batch does not go on from where its session stands."""

    def __init__(self, next_seq: int) -> None:
        super().__init__("This session has sent these events; go on from next_seq.")
        self.next_seq = next_seq


class ConsentRequiredError(CaptureError):
    """The batch declares something its subject has not agreed to, or not any more."""


class ConsentWithdrawnError(CaptureError):
    """As above, told to the subject's own agent: it must destroy its buffer."""


class PolicyExpiredError(CaptureError):
    """The batch was made under a policy that had ended, or that this device never got."""


class PolicyViolationError(CaptureError):
    """The batch declares something outside the policy; `members` name rules, never content."""

    def __init__(self, reason: Reason, members: Mapping[str, str] | None = None) -> None:
        super().__init__("The batch declares something outside the policy.")
        self.reason = reason
        self.members = dict(members or {})


class DeviceBudgetError(CaptureError):
    """The device sent more than it may; `retry_after_seconds` says when to go on."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("This device has sent what it may for this hour.")
        self.retry_after_seconds = retry_after_seconds


class IdentifierError(CaptureError):
    """What was given is no mail address, phone number or account name."""


class RecordGoneError(CaptureError):
    """The record does not exist, or not for this reader."""
