"""`manage.py sequencer`: gives entries their places and publishes the signed tree."""

import signal
import threading
import time
from argparse import ArgumentParser
from typing import Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connections

from audit import sequencer
from audit.errors import ForkError, SequencerBusyError

HALTED: Final = 3
BUSY: Final = 4
_RETRY_SECONDS: Final = 1.0


class Command(BaseCommand):
    help = "Sequence, sign, witness and publish the audit log until told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="publish what waits, then stop; for tests"
        )

    def handle(self, *_args: object, **options: object) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        once = bool(options["once"])
        try:
            while not stop.is_set():
                try:
                    self._hold(stop, once=once)
                except (OperationalError, InterfaceError) as error:
                    # The database went away. Start over: recovery begins from what it says.
                    self.stderr.write(f"sequencer: the database does not answer: {error}")
                    connections.close_all()
                    stop.wait(_RETRY_SECONDS)
                if once:
                    return
        except ForkError as error:
            raise CommandError(f"The log has halted: {error}.", returncode=HALTED) from error
        except SequencerBusyError as error:
            raise CommandError(str(error), returncode=BUSY) from error

    def _hold(self, stop: threading.Event, *, once: bool) -> None:
        interval = settings.REMIT_LOG_INTERVAL_MS / 1000
        with sequencer.opened() as log:
            self.stdout.write(f"sequencer: {log.keys.origin} at {log.size}")
            while not stop.is_set():
                started = time.monotonic()
                log.turn()
                if once:
                    return
                stop.wait(max(0.0, interval - (time.monotonic() - started)))
