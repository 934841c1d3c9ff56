"""What can go wrong with purposes, policies and retention."""


class PoliciesError(Exception):
    """Anything this app refuses."""


class PurposeProhibitedError(PoliciesError):
    """Nobody may use captured work for this; `prohibition` is the key of the rule that says so."""

    def __init__(self, *, prohibition: str, words: str) -> None:
        super().__init__(f"Captured work may not be used for {words}.")
        self.prohibition = prohibition


class ProtectedSurfaceError(PoliciesError):
    """Nobody may enable capture of this place; `surface` is the key of the rule that says so."""

    def __init__(self, *, surface: str, words: str) -> None:
        super().__init__(f"Nobody may allow capture of {words}.")
        self.surface = surface


class CategoryProhibitedError(PoliciesError):
    """Nobody may collect this kind of data; `prohibition` is the key of the rule that says so."""

    def __init__(self, *, prohibition: str, words: str) -> None:
        super().__init__(f"Nobody may collect {words}.")
        self.prohibition = prohibition


class PurposeTermError(PoliciesError):
    """The broader term is not one a purpose may narrow."""


class AlreadyRegisteredError(PoliciesError):
    """A purpose or an application of this key stands already."""


class UnknownPurposeError(PoliciesError):
    """No such purpose is registered."""


class UnknownApplicationError(PoliciesError):
    """No such application is registered."""


class UnknownPolicyVersionError(PoliciesError):
    """There is no such version of the policy."""


class PolicyContentError(PoliciesError):
    """The policy's content is not well formed; `pointer` says where (RFC 6901).

    `fault` names the rule that it breaks, for pages that say it in the reader's language.
    """

    def __init__(self, detail: str, *, pointer: str = "", fault: str = "form") -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.fault = fault


class FourEyesError(PoliciesError):
    """The author of a policy does not approve it."""


class ConsumerError(PoliciesError):
    """Whoever uses the data, or works beside those who do, neither writes nor approves policies."""


class InvalidStateError(PoliciesError):
    """The version is not in a state from which this step leads."""

    def __init__(self, *, current: str, wanted: str) -> None:
        super().__init__(f"A version that is {current} cannot become {wanted}.")
        self.current = current
        self.wanted = wanted


class StoppedError(PoliciesError):
    """Capture is stopped everywhere; no policy comes into force before that ends."""


class UnknownSampleError(PoliciesError):
    """No recording of this name comes with the service."""


class UnknownStopError(PoliciesError):
    """No stop of this number holds."""


class StopUnfinishedError(PoliciesError):
    """Some agents have neither confirmed the stop nor run out of time; come back later."""


class ApprovalMissingError(PoliciesError):
    """No approval of exactly these bytes stands, or it is too old."""


class ContentChangedError(PoliciesError):
    """The digest that was read is not the digest of the version; read it again."""


class RetentionMissingError(PoliciesError):
    """A category of the policy has no retention period."""

    def __init__(self, *, categories: list[str]) -> None:
        super().__init__("No retention period is set for " + ", ".join(categories) + ".")
        self.categories = categories


class NoticeMissingError(PoliciesError):
    """A purpose of the policy has no published notice, so nobody could have been told."""

    def __init__(self, *, purposes: list[str]) -> None:
        super().__init__("No notice is published for " + ", ".join(purposes) + ".")
        self.purposes = purposes


class RetentionPeriodError(PoliciesError):
    """A retention period is not a whole number of days within the category's limit."""


class PolicyDocumentError(PoliciesError):
    """The facts for an agent policy contradict each other; nothing is signed."""
