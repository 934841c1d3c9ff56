"""The agent's state directory: its key, who it is, what it has seen, what waits to be sent.

Promises: the directory is 0700 and every file in it 0600; a file is replaced whole or not at all;
one process at a time uses it for capture. Nothing in it is readable captured data: the outbox
holds sealed batches, which this device cannot open either, the spool encrypted seconds (`spool`).
"""

import base64
import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_agent.errors import HomeError

if sys.platform != "win32":
    import fcntl


_PRIVATE_DIRECTORY: Final = 0o700
_PRIVATE_FILE: Final = 0o600
T = TypeVar("T")


class VerifyKey(msgspec.Struct, frozen=True):
    """A public key that may sign policies; `public` is base64 of 32 bytes."""

    key_id: str
    alg: str
    public: str

    def octets(self) -> bytes:
        """Return the raw key; HomeError when it is not base64."""
        try:
            return base64.b64decode(self.public, validate=True)
        except ValueError as error:
            raise HomeError("A pinned key is not base64.") from error


class Identity(msgspec.Struct, frozen=True):
    """What enrolment settled. `origin` is what requests are signed for; no person is named."""

    device_id: str
    server: str
    origin: str
    label: str


class Seen(msgspec.Struct, frozen=True):
    """The highest epochs a verified policy ever carried, and when the last one was issued.

    What is lower or older is a rollback, whatever the clock of this machine says.
    """

    policy_epoch: int = 0
    consent_epoch: int = 0
    issued_at: float = 0.0


Network = Literal["auto", "metered", "unmetered"]


class Choice(msgspec.Struct, frozen=True):
    """What the person said of sending: what their network is, and whether it may cost them."""

    network: Network = "auto"
    allows_metered: bool = False


class Spent(msgspec.Struct, frozen=True):
    """How much was captured, or sent, on one day (days since 1970, UTC)."""

    day: int = 0
    octets: int = 0


@dataclass(frozen=True, slots=True)
class Home:
    """Reads and writes the files of one state directory."""

    path: Path

    def prepare(self) -> None:
        """Make the directory, private to its owner; HomeError when others own or may enter it."""
        try:
            self.path.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            self.path.chmod(_PRIVATE_DIRECTORY)
            self.outbox.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)
        except OSError as error:
            raise HomeError(f"{self.path} cannot be used as state directory.") from error

    @property
    def outbox(self) -> Path:
        """Where sealed batches wait for a final answer."""
        return self.path / "outbox"

    @property
    def spool(self) -> Path:
        """Where what is kept lies until it is sealed."""
        return self.path / "spool"

    @property
    def is_enrolled(self) -> bool:
        """Whether enrolment ended well here."""
        return (self.path / "identity.json").is_file()

    @property
    def is_paused(self) -> bool:
        """Whether the person paused capture on this device."""
        return (self.path / "paused").exists()

    def pause(self) -> None:
        """Stop capture here until `resume`; needs no network."""
        self._write("paused", b"")

    def resume(self) -> None:
        """End a pause."""
        (self.path / "paused").unlink(missing_ok=True)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the directory alone; HomeError when another agent does."""
        self.prepare()
        descriptor = os.open(self.path / "lock", os.O_WRONLY | os.O_CREAT, _PRIVATE_FILE)
        with os.fdopen(descriptor, "ab") as lock:
            if sys.platform != "win32":
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError as error:
                    raise HomeError(
                        "Another agent is running with this state directory."
                    ) from error
            yield

    def identity(self) -> Identity:
        """Return who this device is; HomeError when it is not enrolled."""
        if not self.is_enrolled:
            raise HomeError("This device is not enrolled: run `remit-agent enrol` first.")
        return self._read("identity.json", Identity)

    def verify_keys(self) -> dict[str, bytes]:
        """Return the pinned policy keys by id."""
        keys = self._read("verify_keys.json", list[VerifyKey])
        return {key.key_id: key.octets() for key in keys if key.alg == "ed25519"}

    def pin(self, keys: list[VerifyKey]) -> None:
        """Remember which keys may sign policies from now on."""
        self._write("verify_keys.json", msgspec.json.encode(keys))

    def seen(self) -> Seen:
        """Return the highest epochs seen so far."""
        return self._read("epochs.json", Seen) if (self.path / "epochs.json").exists() else Seen()

    def remember(self, seen: Seen) -> None:
        """Raise the epochs below which a policy is refused."""
        self._write("epochs.json", msgspec.json.encode(seen))

    def kept(self, name: Literal["budgets"], kind: type[T]) -> T | None:
        """Return what was last kept under a name, or None."""
        file = f"{name}.json"
        return self._read(file, kind) if (self.path / file).exists() else None

    def keep(self, name: Literal["budgets"], value: msgspec.Struct) -> None:
        """Keep something of the policy that holds beyond a restart."""
        self._write(f"{name}.json", msgspec.json.encode(value))

    @property
    def network(self) -> Network:
        """What the person says this network is."""
        return self._choice().network

    @property
    def allows_metered(self) -> bool:
        """Whether the person allowed sending where it costs them."""
        return self._choice().allows_metered

    def mark_network(self, network: Network) -> None:
        """Remember what the person says this network is."""
        self._write(
            "sending.json",
            msgspec.json.encode(msgspec.structs.replace(self._choice(), network=network)),
        )

    def allow_metered(self, *, is_allowed: bool) -> None:
        """Remember whether the person allowed sending where it costs them."""
        choice = msgspec.structs.replace(self._choice(), allows_metered=is_allowed)
        self._write("sending.json", msgspec.json.encode(choice))

    def _choice(self) -> Choice:
        there = (self.path / "sending.json").exists()
        return self._read("sending.json", Choice) if there else Choice()

    def spent(self, *, day: int, of: Literal["spent", "sent"] = "spent") -> int:
        """Return how many octets were captured (or sent) on a day."""
        there = (self.path / f"{of}.json").exists()
        spent = self._read(f"{of}.json", Spent) if there else Spent()
        return spent.octets if spent.day == day else 0

    def spend(self, octets: int, *, day: int, of: Literal["spent", "sent"] = "spent") -> None:
        """Count what was captured (or sent) on a day."""
        spent = Spent(day, self.spent(day=day, of=of) + octets)
        self._write(f"{of}.json", msgspec.json.encode(spent))

    def settle(self, *, identity: Identity, key: Ed25519PrivateKey, pins: list[VerifyKey]) -> None:
        """Write what enrolment gave; the identity last, for it says that the rest is there."""
        self._write("device.key", key.private_bytes_raw())
        self.pin(pins)
        self._write("identity.json", msgspec.json.encode(identity))

    def device_key(self) -> Ed25519PrivateKey:
        """Return the private key that never leaves this device."""
        try:
            return Ed25519PrivateKey.from_private_bytes((self.path / "device.key").read_bytes())
        except (OSError, ValueError) as error:
            raise HomeError("The device key is missing or damaged: enrol again.") from error

    def _read(self, name: str, kind: type[T]) -> T:
        try:
            return msgspec.json.decode((self.path / name).read_bytes(), type=kind)
        except (OSError, msgspec.MsgspecError) as error:
            raise HomeError(f"{name} in the state directory is missing or damaged.") from error

    def _write(self, name: str, content: bytes) -> None:
        self.prepare()
        write_whole(self.path / name, content)


def write_whole(path: Path, content: bytes) -> None:
    """Put a private file there whole, so that a crash leaves the old one or the new one."""
    part = path.with_name(path.name + ".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise HomeError(f"{path.name} cannot be written to the state directory.") from error
