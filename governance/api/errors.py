"""What can go wrong before a request reaches the domain."""


class SignatureInvalidError(Exception):
    """The request's signature does not hold; `detail` says which rule, never a value."""

    def __init__(self, detail: str, *, server_time: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.server_time = server_time
