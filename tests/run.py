"""What `make test` runs: the suite on SQLite, then on PostgreSQL and Redis; one line for each.

    python -m tests.run [--soak] [--at-once] [--only sqlite|postgres] [arguments for pytest]

The exit status is 0 only when every pass succeeded.
"""

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.infrastructure import desktop, faketime
from tests.infrastructure.postgres import running_postgres
from tests.infrastructure.redis import running_redis
from tests.infrastructure.servers import ServerError

ROOT = Path(__file__).resolve().parent.parent
# What the fault tests tell of how often was struck (tests/faults/conftest.py).
_STRUCK = re.compile(r"^faults on \w+: .*")
_COUNTS = re.compile(r"\d+ (?:passed|failed|errors?|skipped|xfailed|deselected)[^\n]*")
# Of each pass; both run at once, on the two cores we promise to fit on: stories wait a lot.
_WORKERS = 2
# The enumerated points, the services that are broken, and what stands on servers of its own.
_GROUPS = 3
_NOTHING_COLLECTED = 5
# Each pass brings its own servers. And it keeps compiled code, even where the environment says not
# to: it starts hundreds of processes, and compiling everything anew took half the time of each.
_NOT_INHERITED = ("DATABASE_URL", "REMIT_KEYSTORE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE")


def say(text: str) -> None:
    """Print one line at once, so that it stands in order with what pytest prints."""
    write(text + "\n")


def write(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def install(*packages: str) -> bool:
    """Install Debian packages where we may; return whether it was tried."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"Installing Debian's {' and '.join(packages)} for the tests")
    for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", "-qq", *command],
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdout=subprocess.DEVNULL,
            check=False,
        )
    return True


def fault_note() -> str:
    """Install what the soak's faults need where we may; return what the summary must say."""
    if _missing():
        install(*_missing())
    left = " and ".join(_missing())
    return f"without {left} some faults are skipped" if left else ""


def _missing() -> list[str]:
    there = {"libfaketime": faketime.library(), "strace": shutil.which("strace")}
    return [name for name, place in there.items() if place is None]


def browser_note() -> str:
    """Install Debian's chromium where we may; return what the summary must say about it."""
    if os.environ.get("REMIT_SKIP_BROWSER") == "1":
        return "browser tests skipped by choice (REMIT_SKIP_BROWSER=1)"
    if shutil.which("chromium"):
        return ""
    if install("chromium"):
        if shutil.which("chromium"):
            return ""
        return "chromium could not be installed: browser tests FAIL"
    if os.environ.get("CI") == "true":
        return "there is no chromium: browser tests FAIL"
    return "there is no chromium on this machine: browser tests skipped"


def desktop_note() -> str:
    """Install a desktop's programs where we may; return what the summary must say about them."""
    if desktop.missing():
        install(*desktop.missing())
    left = " and ".join(desktop.missing())
    return f"without Debian's {left} there are no desktop tests" if left else ""


def run_pass(
    name: str, environment: dict[str, str], options: list[str], tell: Callable[[str], object]
) -> tuple[bool, str]:
    """Run the suite once, telling line by line; return whether it succeeded and its summary."""
    tell(f"== {name}\n")
    started = time.monotonic()
    counts, struck = "no result", ""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    for line in process.stdout:
        tell(line)
        if found := _COUNTS.search(line):
            counts = found.group().strip(" =")
        if found := _STRUCK.search(line):
            struck = f"\n{found.group()}"
    status = process.wait()
    verdict = "ok" if status == 0 else f"FAILED ({status})"
    if status == _NOTHING_COLLECTED:
        counts = "no tests were collected"
    return status == 0, f"{name}: {verdict}, {counts} [{time.monotonic() - started:.0f} s]{struck}"


@contextlib.contextmanager
def environment_of(database: str) -> Iterator[dict[str, str]]:
    """Give the variables of a pass, with servers behind them while the block lasts."""
    clean = {name: text for name, text in os.environ.items() if name not in _NOT_INHERITED}
    clean.pop("DJANGO_SETTINGS_MODULE", None)
    if database == "sqlite":
        yield clean
        return
    with running_postgres() as postgres, running_redis() as redis:
        yield clean | {
            "DATABASE_URL": postgres.default,
            "REMIT_KEYSTORE_URL": postgres.keys,
            "REDIS_URL": redis.url,
        }


def run_passes(passes: list[str], options: list[str], *, at_once: bool) -> list[tuple[bool, str]]:
    """Run the suite on each database; return whether each pass succeeded, and its summary.

    Of passes at once, the first is seen while it runs, and the others when it has ended.
    """
    held: list[str] = []

    def run(database: str) -> tuple[bool, str]:
        is_first = database == passes[0]
        # What touches no database is the same in every pass: the first one runs it.
        again = [] if is_first else ["--of-database"]
        tell = held.append if at_once and not is_first else write
        try:
            with environment_of(database) as environment:
                return run_pass(database, environment, options + again, tell)
        except ServerError as error:
            return False, f"{database}: FAILED, a server did not start: {error}"

    with ThreadPoolExecutor(len(passes) if at_once else 1) as pool:
        results = list(pool.map(run, passes))
    write("".join(held))
    return results


def main() -> int:
    """Run the passes and print their summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__)
    parser.add_argument("--soak", action="store_true", help="the full counts")
    parser.add_argument("--at-once", action="store_true", help="both databases side by side")
    parser.add_argument("--only", choices=("sqlite", "postgres"), help="one database")
    chosen, extra = parser.parse_known_args()
    note = "; ".join(filter(None, (browser_note(), desktop_note())))
    options = ["-q", "-n", str(_WORKERS), "--dist", "worksteal"]
    if chosen.soak:
        # Long runs measure and race; each gets the machine for itself and hours of time.
        os.environ["REMIT_SOAK"] = "1"
        note = "; ".join(filter(None, (note, fault_note())))
        options = ["-q", "-m", "soak", "--timeout", "14400"]
        if chosen.at_once:
            # Faults wait more than they work: what belongs together stays in one process.
            options += ["-n", str(_GROUPS), "--dist", "loadscope"]
    else:
        options += ["-m", "not soak"]
    passes = [chosen.only] if chosen.only else ["sqlite", "postgres"]

    results = run_passes(passes, [*options, *extra], at_once=chosen.at_once)
    say("== summary")
    for _, line in results:
        say(line)
    if note:
        say(f"note: {note}")
    return 0 if all(succeeded for succeeded, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
