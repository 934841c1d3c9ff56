"""What can go wrong with people, roles and devices."""


class AccountsError(Exception):
    """Anything this app refuses."""


class MatrixError(AccountsError):
    """The access matrix names something that does not exist; the service does not start with it."""


class UnknownPersonError(AccountsError):
    """Nobody has this subject key."""


class UsernameTakenError(AccountsError):
    """Somebody has this user name already."""


class ManagerError(AccountsError):
    """The directory named a manager it does not know, or one who stands below the person."""


class RevisionError(AccountsError):
    """Somebody else changed the person since the directory last looked."""


class RoleConflictError(AccountsError):
    """A person holds one office at most: two would put two of four eyes in one head."""


class RoleNotHeldError(AccountsError):
    """The person does not hold the role."""


class EnrolmentCodeError(AccountsError):
    """The code is unknown, used or too old. Which of them it is, is not told."""


class DeviceKeyError(AccountsError):
    """The public key is no Ed25519 key, or another device has it."""


class UnknownDeviceError(AccountsError):
    """There is no such device, or it is not yours."""


class UnknownSessionError(AccountsError):
    """There is no such session, or it is not yours."""


class ConfirmationRequiredError(AccountsError):
    """Who is signed in has to show once more that it is they, before this is done."""


class SecretUnreadableError(AccountsError):
    """A sealed secret does not open under any key of this installation."""


class TooManyAttemptsError(AccountsError):
    """Too many failed tries; `retry_after` says after how many seconds to come back."""

    def __init__(self, *, retry_after: int) -> None:
        super().__init__("Too many attempts. Try again later.")
        self.retry_after = retry_after
