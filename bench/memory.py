"""The web process under the bomb set: the most memory it ever held, against its limit.

The set is that of tests/bombs.py: each request is small or endless, and asks for much.
"""

from collections import Counter

from bench import rounds
from tests import bombs

DATABASES = ("sqlite", "postgresql")


def run() -> list[rounds.Row]:
    answers, peak = bombs.run()
    assert peak < bombs.MOST_MIB, f"{peak:.0f} MiB"
    statuses = Counter(answers.values())
    failed = [name for name, status in answers.items() if status.startswith("5")]
    assert not failed, failed
    return [
        {
            "bombs": len(answers),
            "answers": ", ".join(
                f"{status}: {count}" for status, count in sorted(statuses.items())
            ),
            "peak MiB": round(peak),
            "limit MiB": bombs.MOST_MIB,
            "ratio": round(peak / bombs.MOST_MIB, 2),
        }
    ]
