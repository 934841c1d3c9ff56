"""Operational logs: one JSON line per record, and only fields from a list.

Promise: no value that a request brought ever stands in a log line. The message of a record is
its format string without the arguments; an exception is its class and the places it passed.
What happened to personal data is the audit log's business, not this one's.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Final

# Numbers and our own identifiers; nothing a visitor can choose.
ALLOWED_EXTRA: Final = ("status_code", "request_id", "job_id", "kind", "queue", "count", "seconds")
MAX_FRAMES: Final = 12


def _places(record: logging.LogRecord) -> list[str]:
    if record.exc_info is None or record.exc_info[2] is None:
        return []
    frames = traceback.extract_tb(record.exc_info[2])[-MAX_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _message(record: logging.LogRecord) -> str:
    """Return the format string, unless it is no format but a text that quotes an exception.

    Django's security loggers write `str(error)` as the message: a Host header, a field's name.
    """
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    error = record.exc_info[1] if record.exc_info else None
    if error is not None and (said := str(error)) and said in record.msg:
        return type(error).__name__
    # No format and no exception beside it: only our own floors write constant sentences.
    if record.name.startswith("django.security"):
        return record.name.rpartition(".")[2]
    return record.msg


class JsonFormatter(logging.Formatter):
    """Write a record as one line; arguments and exception texts never leave the process."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "at": f"{record.module}:{record.lineno}",
        }
        for name in ALLOWED_EXTRA:
            value = record.__dict__.get(name)
            if isinstance(value, int | float | str):
                line[name] = value
        if record.exc_info is not None and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = _places(record)
        return json.dumps(line, ensure_ascii=True, separators=(",", ":"))
