"""Redact a file of texts or keystroke streams without a database: the scorer's two formats.

    manage.py redact --kind text --directory people.json < text.jsonl > spans.jsonl
    manage.py redact --kind keystrokes --directory people.json < streams.jsonl > masked.jsonl

A `.gz` file is read as such. Output is one JSON object a line, in the order of the input.
"""

import gzip
import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from governance.redaction.directory import Directory, Employee
from governance.redaction.engine import Detector
from governance.redaction.streams import redact_stream


class Command(BaseCommand):
    help = "Redact texts or keystroke streams from a file, in the scorer's formats."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", choices=["text", "keystrokes"], required=True)
        parser.add_argument("--input", default="-", help="JSON lines, .gz or - (default)")
        parser.add_argument("--output", default="-", help="JSON lines or - (default)")
        parser.add_argument("--directory", help="JSON list of given, surname, login, email")
        parser.add_argument("--employee-number", help="regular expression of employee numbers")

    def handle(self, *_: object, **options: Any) -> None:  # noqa: ANN401  as Django passes them
        detector = Detector(
            Directory(_employees(options["directory"])),
            employee_number=_checked_pattern(options["employee_number"]),
        )
        redact = _spans if options["kind"] == "text" else redact_stream
        with _opened(options["output"]) as output:
            for row in _rows(options["input"]):
                output.write(json.dumps(redact(row, detector), ensure_ascii=False) + "\n")


def _spans(row: dict[str, Any], detector: Detector) -> dict[str, Any]:
    spans = detector.spans(row["text"], label=row.get("label", ""), role=row.get("role", ""))
    return {"id": row["id"], "spans": [list(span) for span in spans]}


def _employees(path: str | None) -> Iterator[Employee]:
    if path is None:
        return
    for person in json.loads(Path(path).read_text(encoding="utf-8")):
        yield Employee(
            given=person["given"],
            surname=person["surname"],
            login=person.get("login", ""),
            email=person.get("email", ""),
        )


def _checked_pattern(pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise CommandError(f"--employee-number is no regular expression: {error}") from error
    return pattern


def _rows(path: str) -> Iterator[dict[str, Any]]:
    with ExitStack() as files:
        lines: TextIO = sys.stdin
        if path.endswith(".gz"):
            lines = files.enter_context(gzip.open(path, "rt", encoding="utf-8"))
        elif path != "-":
            lines = files.enter_context(Path(path).open(encoding="utf-8"))
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _opened(path: str) -> TextIO:
    if path == "-":
        # Not sys.stdout itself: the caller closes what it is given.
        return open(sys.stdout.fileno(), "w", encoding="utf-8", closefd=False)
    return Path(path).open("w", encoding="utf-8")
