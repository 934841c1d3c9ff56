"""`manage.py restore_check`: after restoring a database, before serving anyone."""

from argparse import ArgumentParser

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from governance.management import restoring
from governance.vault.errors import LedgerBrokenError


class Command(BaseCommand):
    help = "Destroy again what a restored database or key store brought back."
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; say what came back"
        )

    def handle(self, *_args: object, **options: object) -> None:
        for fault in restoring.hopeless():
            raise CommandError(f"Nothing can be served: {fault}.")
        try:
            restored = restoring.found()
        except LedgerBrokenError as error:
            raise CommandError(str(error)) from error
        for line in restored.words():
            self.stdout.write(line)
        if restored and options["check"]:
            raise CommandError("Something was restored. Run `manage.py restore_check`.")
        if restored:
            self.stdout.write(f"{restoring.mend(restored)} keys were destroyed again")
        if restoring.is_behind_the_key_store():
            self.stdout.write("entries are missing from the log: run `manage.py log_recover`")
        self.stdout.write("Nothing that was erased can be read. Remit may be started.")
