"""`manage.py log_rotate`: lets the log go on under a new name with new keys."""

from argparse import ArgumentParser

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from audit import rotation
from audit.errors import RotationError, SequencerBusyError


class Command(BaseCommand):
    help = "Close the log under its old name and go on as REMIT_LOG_ORIGIN, with new keys."
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dead",
            action="store_true",
            help="the log's keys or its past are lost: go on without the old keys' word",
        )

    def handle(self, *_args: object, **options: object) -> None:
        try:
            done = rotation.rotate(is_dead=bool(options["dead"]))
        except (RotationError, SequencerBusyError) as error:
            text = str(error).rstrip(".")
            raise CommandError(f"The log was not rotated: {text}.") from error
        if not done.is_new:
            self.stdout.write(f"Nothing to do: the log is {done.new} and has its keys.")
            return
        self.stdout.write(f"{done.old} ended; entry {done.index} goes on as {done.new}.")
        self.stdout.write("Print these keys and give them to whoever checks the log:")
        for vkey in done.vkeys:
            self.stdout.write(vkey)
