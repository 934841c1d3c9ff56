"""Strikes, races and planted bugs, in a process of its own; prints a JSON object a result.

python -m tests.faults [--strike all|A,B] [--calls A,B] [--mutants all|M,N] [--races N [--seed N]]
    [--sample N [--each]]
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.enumeration import Result

# What waits for the clock must not depend on how long a run takes.
PATIENT = {
    "DJANGO_SETTINGS_MODULE": "tests.settings",
    "REMIT_CLOCK_SKEW_SECONDS": "86400",
    "REMIT_POLICY_TTL_SECONDS": "86400",
    "REMIT_LOG_CHECKPOINT_STALE_SECONDS": "86400",
    "REMIT_LOG_OUTBOX_STALE_SECONDS": "86400",
    "REMIT_MIN_CONTRIBUTORS": "2",
    "REMIT_MIN_RECALL_PERCENT": "60",
    "REMIT_LOG_LEVEL": "CRITICAL",
}


def main() -> None:
    """Set the stage, run, print."""
    os.environ.update(PATIENT)
    import django

    django.setup()
    from tests.faults import enumeration, mutants, operations

    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--strike", default="", help="operations and meetings")
    parser.add_argument("--calls", default="", help="operations, killed at system calls")
    parser.add_argument("--mutants", default="", help="planted bugs; with --races, one")
    parser.add_argument("--races", type=int, default=0, help="rounds of three races")
    parser.add_argument("--seed", type=int, default=0, help="number of the first round")
    parser.add_argument("--sample", type=int, help="points of each; without it, all there are")
    parser.add_argument("--each", action="store_true", help="of flows, each statement at least")
    asked = parser.parse_args()
    with enumeration.laid() as laid:
        for name in _names(asked.strike, [*operations.OPERATIONS, *operations.MEETINGS]):
            is_flow = name in operations.FLOWS
            _say(
                enumeration.strike(laid, name, sample=asked.sample, of_each=is_flow and asked.each)
            )
        for name in _names(asked.calls, list(operations.OPERATIONS)):
            _say(enumeration.call_by_call(laid, name, sample=asked.sample))
        if asked.races:
            _say(enumeration.race(laid, asked.races, seed=asked.seed, mutant=asked.mutants))
            return
        for name in _names(asked.mutants, mutants.here()):
            _say(enumeration.catch(laid, name, sample=asked.sample or 40))


def _names(asked: str, every: Sequence[str]) -> Sequence[str]:
    return every if asked == "all" else [name for name in asked.split(",") if name]


def _say(result: "Result") -> None:
    sys.stdout.write(json.dumps(asdict(result)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
