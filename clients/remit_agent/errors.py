"""What can go wrong, each with one line a person can act on. No message quotes captured data."""


class AgentError(Exception):
    """The agent cannot do what was asked; the text is the one line to show."""


class HomeError(AgentError):
    """The state directory is missing, foreign, or already in use."""


class RecordingError(AgentError):
    """The recording, or the map beside it, cannot be read."""


class PolicyError(AgentError):
    """There is no policy that may be followed, so nothing is captured."""


class SignatureError(AgentError):
    """A signed document does not carry a signature of a pinned key."""


class BatchTooLargeError(AgentError):
    """More was sealed into one batch than the service takes."""


class UnreachableError(AgentError):
    """The service did not answer, or asked for patience.

    `was_sent`: what was asked went out; `is_away`: nobody says that the service itself answered.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float | None = None,
        was_sent: bool = True,
        is_away: bool = True,
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.was_sent = was_sent
        self.is_away = is_away


class MeteredError(UnreachableError):
    """Sending costs the person money here, and they did not allow it."""

    def __init__(self) -> None:
        super().__init__(
            "This network is metered, so nothing is sent over it: "
            "`remit-agent metered allow` allows it, where the policy does.",
            was_sent=False,
        )


_SENTENCES = {
    "consent-required": "The service has no consent for what was sent.",
    "consent-withdrawn": "The consent was withdrawn; what was waiting has been destroyed.",
    "digest-mismatch": "The request was changed on its way.",
    "enrolment-code": "The code is wrong, used, or older than ten minutes.",
    "idempotency-mismatch": "The service knows this batch with other content.",
    "log-unavailable": "The service's audit log is not available; it accepts nothing now.",
    "policy-expired": "The policy this was captured under has expired.",
    "policy-violation": "The service refused something outside its policy.",
    "rate-limited": "The service asks this device to slow down.",
    "signature-invalid": (
        "The service does not accept this device's signature: revoked, or its clock is wrong."
    ),
}


class RefusedError(AgentError):
    """The service answered no. `problem` is the slug of its problem type, `status` the HTTP one."""

    def __init__(self, *, problem: str, status: int) -> None:
        super().__init__(_SENTENCES.get(problem, f"The service refused: {problem} ({status})."))
        self.problem = problem
        self.status = status
