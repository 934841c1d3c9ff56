"""`manage.py log_recover`: brings a restored database up to what was signed."""

from argparse import ArgumentParser

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from audit import recovery
from audit.errors import RecoveryError, SequencerBusyError
from audit.recovery import Recovered


class Command(BaseCommand):
    help = "Put back the entries that a restored database lost, from the published log."
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tiles",
            metavar="PLACE",
            help="a directory or address with a copy of the published log, if ours is older",
        )

    def handle(self, *_args: object, **options: object) -> None:
        tiles = options["tiles"]
        try:
            done = recovery.recover(tiles=None if tiles is None else str(tiles))
        except (RecoveryError, SequencerBusyError) as error:
            text = str(error).rstrip(".")
            raise CommandError(f"Nothing was changed: {text}.") from error
        for line in _report(done):
            self.stdout.write(line)


def _report(done: Recovered) -> list[str]:
    twice = f"Waited for a second place, and no longer does: {done.waited_twice} of the entries."
    return [*([twice] if done.waited_twice else []), *_put_back(done)]


def _put_back(done: Recovered) -> list[str]:
    if done.is_signer_advanced:
        return ["The database is whole; the signer's memory was older and was brought forward."]
    if done.end == done.start:
        return ["Nothing is missing: the database holds every entry that was signed."]
    lines = [
        f"Entries {done.start} to {done.end - 1} have their places again.",
        f"The database had lost {done.lost} of them:",
        *(f"  {count} {event}" for event, count in sorted(done.events.items())),
    ]
    if done.lost:
        lines.append(
            "What these acts changed, and what they disclosed, is not in the database any more."
        )
    return [*lines, "Start the sequencer; then run `manage.py log_check`."]
