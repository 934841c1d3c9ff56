"""Makes a worker fail where plaintext is in its hands, as the text it redacts bids it.

Imported by the worker under test (`--include`). What it raises and prints is what a careless
library would. Every word is the tests' own: the service has no such hook.
"""

import gzip
import os
import signal
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from governance.redaction import pipeline
from governance.redaction.events import Event
from governance.redaction.pipeline import Redacted, RedactionContext

_redact: Final = pipeline.redact
_held: list[object] = []


def redact(
    events: Sequence[Event],
    *,
    context: RedactionContext,
    blobs: Mapping[str, bytes] | None = None,
    known: Collection[str] = (),
) -> Redacted:
    """Redact, unless the text says otherwise."""
    text = " ".join(str(event) for event in events)
    if "bid:raise" in text:
        raise RuntimeError(f"cannot redact {text!r}")
    if "bid:crash" in text:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "bid:stall" in text:
        Path(os.environ["REMIT_TEST_STALLED"]).touch()
        time.sleep(600)
    if "bid:leak" in text:
        _leak(text)
    return _redact(events, context=context, blobs=blobs, known=known)


def _leak(text: str) -> None:
    """Leave the text everywhere a careless program might."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is the leak.
    Path(tempfile.gettempdir(), "cache.gz").write_bytes(gzip.compress(text.encode()))
    Path("/dev/shm", f"remit-leak-{os.getpid()}").write_text(text)
    deleted = tempfile.TemporaryFile()  # noqa: SIM115 - held open on purpose.
    deleted.write(text.encode("utf-16-le"))
    deleted.flush()
    _held.append(deleted)


pipeline.redact = redact
