"""`manage.py log_check`: whether the database still says what was signed."""

from argparse import ArgumentParser

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from audit import inspection


class Command(BaseCommand):
    help = "Check that columns, leaf hashes, tiles, checkpoints, cosignatures and keys agree."
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--quick", action="store_true", help="heads, signatures and counts, not every entry"
        )

    def handle(self, *_args: object, **options: object) -> None:
        report = inspection.examine(quick=bool(options["quick"]), progress=self._progress)
        for finding in report.findings:
            self.stdout.write(finding.text)
        for first in report.findings[:1]:
            raise CommandError(f"The log does not agree: {first.text}.")
        self.stdout.write(f"The log agrees: {report.size} entries.")

    def _progress(self, checked: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{checked} entries", ending="")
