"""`manage.py log_check`: whether the database still says what was signed."""

from django.core.management.base import BaseCommand, CommandError

from audit import inspection


class Command(BaseCommand):
    help = "Check that columns, leaf hashes, tiles, checkpoints and cosignatures agree."

    def handle(self, *_args: object, **_options: object) -> None:
        try:
            count = inspection.inspect(progress=self._progress)
        except inspection.InspectionError as error:
            raise CommandError(f"The log does not agree: {error}.") from error
        self.stdout.write(f"The log agrees: {count} entries.")

    def _progress(self, checked: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{checked} entries", ending="")
