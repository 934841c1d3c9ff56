"""A process that appends entries of every kind until it is killed, and writes down what stands.

    python -m tests.audit.writer LEDGER ACTS_PER_SECOND

An entry's id goes into the ledger only after its commit: whatever stands there must be in the log.
"""

import random
import sys
import time
from itertools import count
from pathlib import Path
from uuid import uuid4

import django


def main(ledger: str, rate: float) -> None:
    """Append until killed."""
    django.setup()
    from django.db import transaction

    from audit import journal
    from audit.actions import PRIVATE, Action
    from audit.actors import Actor

    people = [str(uuid4()) for _ in range(5)]
    actor = Actor(str(uuid4()), "data_requester")
    # What is private has no place before its day has ended.
    later = {*PRIVATE, Action.PRIVATE_TOLD}
    kinds = [kind for kind in Action if kind not in later and not kind.startswith("log:")]
    with Path(ledger).open("a", encoding="ascii", buffering=1) as book:
        for turn in count():
            with transaction.atomic():
                made = [
                    journal.append(random.choice(kinds), actor=actor, subject=people[turn % 5])
                    for _ in range(random.choice((1, 1, 1, 7)))
                ]
            book.write("".join(f"{entry.uuid}\n" for entry in made))
            time.sleep(random.uniform(0, 2 / rate))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
