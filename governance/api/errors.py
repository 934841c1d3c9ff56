"""What can go wrong before a request reaches the domain."""


class SignatureInvalidError(Exception):
    """The request's signature does not hold; `detail` says which rule, never a value."""

    def __init__(self, detail: str, *, server_time: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.server_time = server_time


class BodyTooLargeError(Exception):
    """The body is larger than this door takes."""


class CsrfError(Exception):
    """The request carries a session, but not the proof that its owner sent it."""


class SignInRefusedError(Exception):
    """User name and password do not belong together; which of them is wrong is not told."""


class SecondFactorRequiredError(Exception):
    """The password is right, and the account asks for a second factor as well."""


class ConfirmationRefusedError(Exception):
    """What was sent does not show that it is still the same person."""
