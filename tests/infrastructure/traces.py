"""Where plaintext may lie beside an installation's own files: its processes, and shared places."""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

PROC = Path("/proc")
# Files that anybody may leave; a whole machine's are too many, so those of this run alone.
SHARED = (Path("/dev/shm"), Path("/tmp"), Path("/var/tmp"))
_LARGEST = 64 * 1024 * 1024
_DEPTH = 2


def family(roots: Iterable[int]) -> list[int]:
    """Return these processes and all that come from them and live."""
    parents: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The command's name stands in brackets and may hold anything.
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(path.parent.name))
    found = list(roots)
    for process in found:
        found += parents.get(process, [])
    return found


def of_process(process: int) -> Iterator[tuple[str, bytes]]:
    """Yield its command, its environment, and every file it holds open, deleted ones too."""
    for name in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            yield f"{name} of {process}", (PROC / str(process) / name).read_bytes()
    with contextlib.suppress(OSError):
        for path in (PROC / str(process) / "fd").iterdir():
            with contextlib.suppress(OSError):
                told = path.stat()
                if stat.S_ISREG(told.st_mode) and told.st_size <= _LARGEST:
                    yield f"{path.readlink()} held by {process}", path.read_bytes()


def may_dump(process: int) -> bool:
    """Say whether the kernel would write a core file of it."""
    limits = (PROC / str(process) / "limits").read_text().splitlines()
    core = next(line for line in limits if line.startswith("Max core file size"))
    return core.split()[4] != "0"


def left_in_shared_places(*, since: float, without: Iterable[Path] = ()) -> Iterator[Path]:
    """Yield files that changed since then, a few directories deep."""
    spared = [str(path) for path in without]
    for place in SHARED:
        for folder, names, files in os.walk(place):
            if folder.count("/") - str(place).count("/") >= _DEPTH:
                names.clear()
            names[:] = [name for name in names if f"{folder}/{name}" not in spared]
            for path in (Path(folder, name) for name in files):
                with contextlib.suppress(OSError):
                    told = path.lstat()
                    if stat.S_ISREG(told.st_mode) and told.st_mtime >= since:
                        yield path
