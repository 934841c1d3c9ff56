"""`manage.py log_keygen`: makes the log's keys, once, and prints what to print on paper."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from audit import checkpoint, quorum
from audit.errors import NoteError
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import parse_vkey


class Command(BaseCommand):
    help = "Make the log's keys if there are none; print the verifier keys."
    requires_system_checks: list[str] = []  # noqa: RUF012 -- the base declares it so.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--witness", nargs=2, metavar=("VKEY", "URL"), help="register a witness as well"
        )

    def handle(self, *_args: object, **options: object) -> None:
        try:
            quorum.ensure()
            if isinstance(chosen := options["witness"], list):
                quorum.register(parse_vkey(chosen[0]), url=chosen[1])
            for vkey in checkpoint.log_keys().vkeys:
                self.stdout.write(vkey)
        except (NoteError, NotVerifiedError) as error:
            raise CommandError(str(error)) from error
