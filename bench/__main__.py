"""Runs every benchmark in one process on a fresh installation; prints tables, writes results.

Each compares our code with the physical limit of the same work on the same machine, both sides
alternating in one run, so that only ratios need to be believed.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    state = tempfile.mkdtemp(prefix="remit-bench-")
    os.environ.update(REMIT_VAR=state, REMIT_DEMO="1", REMIT_LOG_DELAY_SECONDS="0")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
    try:
        return _run()
    finally:
        shutil.rmtree(state, ignore_errors=True)


def _run() -> int:
    import django

    django.setup()
    from django.core.management import call_command

    for database in ("default", "keys"):
        call_command("migrate", database=database, verbosity=0)
    from bench import intake, log, redaction

    RESULTS.mkdir(exist_ok=True)
    for bench in (log, intake, redaction):
        rows = bench.run()
        name = bench.__name__.rpartition(".")[2]
        _print(name, rows)
        (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _print(name: str, rows: list[dict[str, object]]) -> None:
    print(f"\n{name}")
    columns = list(rows[0])
    widths = [max(len(c), *(len(str(row[c])) for row in rows)) for c in columns]
    for line in [columns, *[[str(row[c]) for c in columns] for row in rows]]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
