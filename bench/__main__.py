"""Runs the benchmarks; prints a table for each and writes bench/results/.

    python -m bench [NAME ...]

Each compares our code with a peer, or with the physical limit of the same work, both sides
alternating in one run, so that only ratios need to be believed. Each runs in a process of its own
on a fresh installation, once per database it names in `DATABASES`.
"""

import argparse
import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.rounds import Row

HERE = Path(__file__).parent
RESULTS = HERE / "results"
_FRAME = {
    "__init__",
    "__main__",
    "detectors",
    "models",
    "polled",
    "rounds",
    "serving",
    "settings",
    "steps",
    "urls",
}
NAMES = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in _FRAME)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help="say which there are")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(NAMES):
        parser.error(f"there is no {unknown.pop()}; there are {', '.join(NAMES)}")
    if chosen.list:
        print("\n".join(NAMES))
        return 0
    if chosen.here:
        return _run(*chosen.names)
    RESULTS.mkdir(exist_ok=True)
    return max(_apart(name, database) for name in chosen.names or NAMES for database in _of(name))


def _of(name: str) -> tuple[str, ...]:
    """Return the databases a benchmark wants, read from its source: importing needs Django."""
    for line in (HERE / f"{name}.py").read_text().splitlines():
        if line.startswith("DATABASES"):
            return tuple(word for word in ("sqlite", "postgresql") if f'"{word}"' in line)
    return ("sqlite",)


def _apart(name: str, database: str) -> int:
    with tempfile.TemporaryDirectory(prefix="remit-bench-") as state, _server(database) as urls:
        environment = os.environ | urls
        environment |= {
            "REMIT_VAR": state,
            "REMIT_DEMO": "1",
            "REMIT_LOG_DELAY_SECONDS": "0",
            "REMIT_EXTERNAL_ORIGIN": f"http://127.0.0.1:{_free_port()}",
            "DJANGO_SETTINGS_MODULE": "bench.settings",
        }
        command = [sys.executable, "-m", "bench", "--here", name]
        return subprocess.run(command, env=environment, check=False).returncode


@contextlib.contextmanager
def _server(database: str) -> Iterator[dict[str, str]]:
    if database == "sqlite":
        yield {}
        return
    from tests.infrastructure.postgres import running_postgres

    with running_postgres() as postgres:
        yield {"DATABASE_URL": postgres.default, "REMIT_KEYSTORE_URL": postgres.keys}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(name: str) -> int:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    for database in ("default", "keys"):
        call_command("migrate", database=database, verbosity=0)
    title = f"{name}-{connection.vendor}"
    rows = importlib.import_module(f"bench.{name}").run()
    _print(title, rows)
    (RESULTS / f"{title}.json").write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _print(title: str, rows: list[Row]) -> None:
    print(f"\n{title}")
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [columns, *[[str(row.get(column, "")) for column in columns] for row in rows]]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    for line in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
