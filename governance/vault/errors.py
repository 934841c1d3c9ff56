"""What can go wrong in the vault. None of these says whose key it was."""


class VaultError(Exception):
    """Something about keys or ciphertext is not as it must be."""


class NoGrantError(VaultError):
    """No committed, recent audit entry allows this key to be used."""


class KeyShreddedError(VaultError):
    """The key was destroyed; nobody can read or write under it any more."""


class UnsealError(VaultError):
    """The ciphertext does not belong to this key, this place or this policy."""


class KeyFileError(VaultError):
    """A key that lies outside the database is missing, damaged or readable by others."""


class ConsentEndedError(KeyShreddedError):
    """The person ended a consent after the read was decided; their keys know, whoever forgot."""


class StorageUnavailableError(VaultError):
    """Ciphertext can be neither stored nor read now; later it may."""


class KeyServiceError(VaultError):
    """The service that holds the key-encryption keys cannot be used now; later it may."""


class KeyStoreBehindError(StorageUnavailableError):
    """The key store was put back from an older copy; what was erased since is not replayed yet."""


class LedgerBrokenError(VaultError):
    """The erasure ledger was edited, or its two homes tell different stories."""
