"""What the tests do inside an installation under test, in a process of its own for each step.

python -m tests.faults.aside FOLDER STEP WORDS ...
"""

import sys
from pathlib import Path
from typing import Any

import django


class FailedError(Exception):
    """A step failed; the text holds the end of what it said."""


def main(folder: str, step: str, *words: str) -> None:
    """Do a step."""
    django.setup()
    from tests.faults import aside_steps

    do: Any = getattr(aside_steps, step)
    do(Path(folder), *words)


if __name__ == "__main__":
    main(*sys.argv[1:])
