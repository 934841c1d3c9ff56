"""`manage.py sequencer`: gives entries their places and publishes the signed tree."""

import signal
import threading
from argparse import ArgumentParser
from typing import Final

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connections

from audit import sequencer
from audit.errors import (
    ForkError,
    LogUnavailableError,
    NoteError,
    SequencerBusyError,
    TileError,
)
from audit.pace import Pace

HALTED: Final = 3
BUSY: Final = 4
_RETRY_SECONDS: Final = 1.0
# What somebody may set right while we keep trying.
_PASSING: Final = (
    *(OperationalError, InterfaceError, LogUnavailableError),
    *(OSError, TileError, NoteError),
)
_WAY_OUT: Final = (
    'Access stays closed. Read "When the log halts" in docs/operations.md; '
    "`manage.py log_recover` says what can be done and does it."
)


class Command(BaseCommand):
    help = "Sequence, sign, witness and publish the audit log until told to stop."
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="publish what waits, then stop; for tests"
        )

    def handle(self, *_args: object, **options: object) -> None:
        stop, wake = threading.Event(), threading.Event()

        def end(*_: object) -> None:
            stop.set()
            wake.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        once = bool(options["once"])
        try:
            while not stop.is_set():
                try:
                    self._hold(stop, wake, once=once)
                except _PASSING as error:
                    # The database went away, the disk is full, a key is missing. Entries wait in
                    # the outbox, access closes; start over, since recovery needs nothing else.
                    self.stderr.write(f"sequencer: {type(error).__name__}: {error}")
                    connections.close_all()
                    stop.wait(_RETRY_SECONDS)
                if once:
                    return
        except ForkError as error:
            raise CommandError(
                f"The log has halted: {error}. {_WAY_OUT}", returncode=HALTED
            ) from error
        except SequencerBusyError as error:
            raise CommandError(str(error), returncode=BUSY) from error

    def _hold(self, stop: threading.Event, wake: threading.Event, *, once: bool) -> None:
        with sequencer.opened(wake=wake.set) as log:
            self.stdout.write(f"sequencer: {log.keys.origin} at {log.size}")
            self.stdout.flush()
            if once:
                log.turn()
                return
            Pace(log, settings.REMIT_LOG_INTERVAL_MS / 1000, wake).run(stop.is_set)
