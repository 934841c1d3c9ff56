"""Who acted: a person by subject key, a device, or a part of the service itself."""

from dataclasses import dataclass

_SYSTEM = "system:"
_DEVICE = "device:"


@dataclass(frozen=True, slots=True)
class Actor:
    """A key and the role it acted in. The key never stands in clear in the log; the role does."""

    key: str
    role: str

    @classmethod
    def system(cls, name: str) -> "Actor":
        """Return the service's own part `name` ("redactor", "expiry"), which is no person."""
        return cls(f"{_SYSTEM}{name}", name)

    @property
    def is_system(self) -> bool:
        """Whether a part of the service acted."""
        return self.key.startswith(_SYSTEM)

    @property
    def is_device(self) -> bool:
        """Whether a capture device acted."""
        return self.key.startswith(_DEVICE)

    @property
    def is_person(self) -> bool:
        """Whether a person acted; then the key is that person's subject key."""
        return not (self.is_system or self.is_device)


def office_of(key: str) -> str:
    """Return who acted without saying which person: "office", or the service's own part."""
    return key.partition(":")[2] if Actor(key, "").is_system else "office"
