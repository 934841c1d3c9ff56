"""Enumerates faults in a process of its own and prints a JSON object a result.

python -m tests.faults [--strike A,B] [--mutants M,N] [--sample N]
"""

import argparse
import json
import os
import sys
from dataclasses import asdict

# What waits for the clock must not depend on how long a run takes.
PATIENT = {
    "DJANGO_SETTINGS_MODULE": "tests.settings",
    "REMIT_CLOCK_SKEW_SECONDS": "86400",
    "REMIT_POLICY_TTL_SECONDS": "86400",
    "REMIT_LOG_CHECKPOINT_STALE_SECONDS": "86400",
    "REMIT_LOG_OUTBOX_STALE_SECONDS": "86400",
    "REMIT_MIN_CONTRIBUTORS": "2",
    "REMIT_LOG_LEVEL": "CRITICAL",
}


def main() -> None:
    """Set the stage, run, print."""
    os.environ.update(PATIENT)
    import django

    django.setup()
    from tests.faults import enumeration, mutants, operations

    every = [*operations.OPERATIONS, *operations.MEETINGS]
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--strike", default=",".join(every))
    parser.add_argument("--mutants", default="", help="names, or `all`")
    parser.add_argument("--sample", type=int)
    asked = parser.parse_args()
    if asked.mutants:
        names = [*mutants.here()] if asked.mutants == "all" else asked.mutants.split(",")
        results = enumeration.run_mutants(names, sample=asked.sample or 40)
    else:
        results = enumeration.run(asked.strike.split(","), sample=asked.sample)
    for result in results:
        sys.stdout.write(json.dumps(asdict(result)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
