"""Redact a file without a database, in the formats that the scorer of the development sets reads.

    manage.py redact --kind text --directory people.json text.jsonl spans.jsonl
    manage.py redact --kind keystrokes --directory people.json streams.jsonl.gz masked.jsonl.gz
    manage.py redact --kind screens --directory people.json screens/ boxes.json

A `.gz` file is read and written as such; `-` is standard input or output. The output holds one JSON
object a line, in the order of the input. Screens are a folder of pictures, or a JSON file beside
them that lists `{"file", "prev", "text": [{"text", "x", "y", "w", "h"}]}`: what the accessibility
tree said, which only adds to what is painted. Their output is one JSON object, by file the boxes
that are painted; `--pictures` names a folder for the painted pictures.
"""

import gzip
import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from django.core.management.base import BaseCommand, CommandError

from governance.redaction import ner
from governance.redaction.directory import Directory, Employee
from governance.redaction.engine import Detector
from governance.redaction.errors import ModelError
from governance.redaction.screens import availability
from governance.redaction.streams import redact_stream

PROFILES: Final = ("fast", "full")
SCREENS: Final = "screens"
Row = dict[str, Any]


class Command(BaseCommand):
    help = "Redact texts or keystroke streams from a file, in the scorer's formats."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--kind", choices=[*sorted(KINDS), SCREENS], required=True)
        parser.add_argument("--directory", help="JSON list of given, surname, login, email")
        parser.add_argument("--employee-id", help="regular expression of employee numbers")
        parser.add_argument("--profile", choices=PROFILES, default=PROFILES[0])
        parser.add_argument("--pictures", help="folder for painted pictures (screens only)")
        parser.add_argument("input", metavar="IN", help="JSON lines, .gz or -; pictures")
        parser.add_argument("output", metavar="OUT", help="JSON lines, .gz or -")

    def handle(self, *_: object, **options: Any) -> None:  # noqa: ANN401  as Django passes them
        detector = Detector(
            Directory(_employees(options["directory"])),
            employee_number=_checked_pattern(options["employee_id"]),
            model=_model() if options["profile"] == "full" else None,
        )
        try:
            if options["kind"] == SCREENS:
                _screens(options, detector)
            else:
                KINDS[options["kind"]](options["input"], options["output"], detector)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error


def _model() -> ner.Model:
    try:
        return ner.Model(ner.folder())
    except ModelError as error:
        raise CommandError(f"--profile full: {error} Use --profile fast.") from error


def _line_by_line(
    redact: Callable[[Row, Detector], Row], source: str, target: str, detector: Detector
) -> None:
    """Redact each row of a file of JSON lines by itself."""
    with _opened(target) as output:
        for row in _rows(source):
            output.write(json.dumps(redact(row, detector), ensure_ascii=False) + "\n")


def _spans(row: Row, detector: Detector) -> Row:
    spans = detector.spans(row["text"], label=row.get("label", ""), role=row.get("role", ""))
    return {"id": row["id"], "spans": [list(span) for span in spans]}


# What each kind does with the names of an input and an output.
KINDS: Final[dict[str, Callable[[str, str, Detector], None]]] = {
    "text": partial(_line_by_line, _spans),
    "keystrokes": partial(_line_by_line, redact_stream),
}


def _screens(options: dict[str, Any], detector: Detector) -> None:
    """Redact pictures of screens; refuse in one line where nothing here could read them."""
    if not availability.is_available():
        raise CommandError(availability.MISSING)
    from governance.redaction.screens import folder  # noqa: PLC0415 - needs the extra `ocr`.

    try:
        boxes = folder.redact(options["input"], detector, pictures=options["pictures"])
    except folder.FolderError as error:
        raise CommandError(str(error)) from error
    with _opened(options["output"]) as output:
        json.dump(boxes, output)


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
        raise CommandError(f"--employee-id is no regular expression: {error}") from error
    return pattern


def _rows(path: str) -> Iterator[Row]:
    with ExitStack() as files:
        lines = sys.stdin if path == "-" else files.enter_context(_file(path, "rt"))
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise CommandError(f"{path}, line {number}: not JSON") from error
            yield row


def _opened(path: str) -> TextIO:
    if path == "-":
        # Not sys.stdout itself: the caller closes what it is given.
        return open(sys.stdout.fileno(), "w", encoding="utf-8", closefd=False)
    return _file(path, "wt")


def _file(path: str, mode: Literal["rt", "wt"]) -> TextIO:
    if path.endswith(".gz"):
        return gzip.open(path, mode, encoding="utf-8")
    return Path(path).open(mode, encoding="utf-8")
