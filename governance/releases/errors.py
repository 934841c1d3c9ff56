"""What can go wrong with requests for data and with releases."""


class ReleasesError(Exception):
    """Anything this app refuses."""


class RequestNotFoundError(ReleasesError):
    """There is no such request, or not for this reader."""


class RequestContentError(ReleasesError):
    """The request names an application or category there is none of, or gives no reason."""


class FourEyesError(ReleasesError):
    """Requester, privacy officer and policy approver are three different people, in this order."""


class RequestStateError(ReleasesError):
    """The request is not in a state from which this step leads."""

    def __init__(self, *, current: str, wanted: str) -> None:
        super().__init__(f"A request that is {current} cannot become {wanted}.")
        self.current = current
        self.wanted = wanted


class ReleaseNotFoundError(ReleasesError):
    """There is no such release or file, or not for this reader."""


class ReleaseNotReadyError(ReleasesError):
    """The release is still being built, or was withheld; `state` says which."""

    def __init__(self, state: str) -> None:
        super().__init__(f"The release is {state}.")
        self.state = state


class RedactionUnprovenError(ReleasesError):
    """The release is blocked: what redacted it did not find enough of what was planted."""

    def __init__(self) -> None:
        super().__init__("Too few of the planted canaries were surely found; redact again.")


class ReleaseRecalledError(ReleasesError):
    """The file was recalled: its key is destroyed and copies of it have to go."""
