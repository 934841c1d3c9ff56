"""What the tests do inside an installation under test, in processes of their own.

python -m tests.faults.aside FOLDER STEP ...
"""

import sys
from pathlib import Path
from typing import Any

import django


def main(folder: str, step: str, *words: str) -> None:
    """Do one step."""
    django.setup()
    from tests.faults import aside_steps

    steps: dict[str, Any] = {
        "seat": aside_steps.seat,
        "seal": aside_steps.seal,
        "judge": aside_steps.judge,
        "act": aside_steps.act,
        "work": aside_steps.work,
        "task": aside_steps.task,
    }
    steps[step](Path(folder), *words)


if __name__ == "__main__":
    main(*sys.argv[1:])
