"""Where the client keeps its session and the pinned keys of releases: 0700, files 0600."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from remit_agent.errors import HomeError
from remit_agent.home import VerifyKey, write_whole
from remit_trainer.errors import TrainerError


class Cookie(msgspec.Struct, frozen=True):
    """One cookie of the session."""

    name: str
    value: str


class Session(msgspec.Struct, frozen=True):
    """A signed-in session of one user at one service."""

    server: str
    user: str
    csrf: str
    cookies: list[Cookie]


@dataclass(frozen=True, slots=True)
class Home:
    """Reads and writes one state directory."""

    path: Path

    def session(self) -> Session:
        """Return the session; TrainerError when there is none."""
        try:
            return msgspec.json.decode((self.path / "session.json").read_bytes(), type=Session)
        except (OSError, msgspec.MsgspecError) as error:
            raise TrainerError("Not signed in: run `remit-trainer enrol` first.") from error

    def keep(self, session: Session) -> None:
        """Remember the session."""
        self._write("session.json", msgspec.json.encode(session))

    def keys(self) -> dict[str, bytes]:
        """Return the pinned keys by id; empty before any was pinned."""
        path = self.path / "release_keys.json"
        if not path.exists():
            return {}
        try:
            keys = msgspec.json.decode(path.read_bytes(), type=list[VerifyKey])
            return {key.key_id: base64.b64decode(key.public, validate=True) for key in keys}
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            raise TrainerError("release_keys.json is damaged.") from error

    def pin(self, keys: Sequence[VerifyKey]) -> None:
        """Trust these keys, and no others, for releases."""
        self._write("release_keys.json", msgspec.json.encode(list(keys)))

    def _write(self, name: str, content: bytes) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
            write_whole(self.path / name, content)
        except (OSError, HomeError) as error:
            raise TrainerError(f"{self.path} cannot be used as state directory.") from error
