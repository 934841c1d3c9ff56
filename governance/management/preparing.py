"""What `serve` does before it starts anything: databases, keys, pages. All may be repeated."""

import contextlib
import fcntl
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command

from audit import quorum, signing
from governance.vault import seal_keys


@dataclass(frozen=True, slots=True)
class Step:
    """One step, in the words that are shown while it runs."""

    words: str
    act: Callable[[], None]


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold a state directory; CommandError when another `serve` runs on it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "serve.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(f"Another `serve` runs on {directory}.") from error
        yield


def databases() -> None:
    """Bring the tables of both databases up to date."""
    for alias in settings.DATABASES:
        call_command("migrate", database=alias, verbosity=0, interactive=False)


def keys() -> None:
    """Make the keys of the log, of documents and of sealed batches where there are none."""
    quorum.ensure()
    for use in sorted(signing.KEYS):
        signing.public_keys(use)
    seal_keys.current()


def pages() -> None:
    """Collect styles, scripts and pictures when one of them changed."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    wanted = _fingerprint()
    with contextlib.suppress(FileNotFoundError):
        if stamp.read_text(encoding="ascii") == wanted:
            return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(wanted, encoding="ascii")


def _fingerprint() -> str:
    """Return a digest of the names and contents of everything that pages refer to."""
    digest = hashlib.sha256()
    for finder in finders.get_finders():
        for name, storage in finder.list([]):
            digest.update(f"{name}\0".encode())
            with storage.open(name) as file:
                digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


STEPS = (
    Step("Preparing the databases", databases),
    Step("Preparing keys", keys),
    Step("Preparing pages", pages),
)
