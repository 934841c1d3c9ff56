"""`manage.py witness`: a C2SP witness with its own key and state, best run by somebody else."""

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit import checkpoint, quorum
from audit.errors import NoteError
from audit.witness import Server, Witness


class Command(BaseCommand):
    help = "Cosign the heads of the logs in a policy file, never two that contradict each other."
    requires_system_checks: list[str] = []  # noqa: RUF012 -- the base declares it so.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8090, help="0 takes any free port")
        parser.add_argument("--dir", type=Path, default=settings.REMIT_WITNESS_DIR)
        parser.add_argument("--name", default="witness.remit.example/demo")
        parser.add_argument(
            "--policy", type=Path, help="the file whose log lines it believes (default: the log's)"
        )
        parser.add_argument(
            "--after", metavar="NAME", help="the log's earlier name, which this witness cosigned"
        )
        parser.add_argument(
            "--register", action="store_true", help="write this witness into the log's policy"
        )

    def handle(self, *_args: object, **options: object) -> None:
        where, name = Path(str(options["dir"])), str(options["name"])
        source = options["policy"]
        try:
            key = checkpoint.witness_key(where, name=name)
            policy = quorum.read(Path(str(source))) if source else quorum.ensure()
            address = (str(options["host"]), int(str(options["port"])))
            after = None if options["after"] is None else str(options["after"])
            witness = Witness(where=where, key=key, logs=policy.logs, after=after)
            server = Server(address, witness)
            host, port = str(server.server_address[0]), server.server_address[1]
            if options["register"]:
                quorum.register(key.public, url=f"http://{host}:{port}/")
        except (NoteError, OSError) as error:
            raise CommandError(str(error)) from error
        for number in (signal.SIGTERM, signal.SIGINT):
            # shutdown() waits for the loop that this handler interrupts, hence the thread.
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        self.stdout.write(checkpoint.vkey(key.public))
        self.stdout.write(f"witness: http://{host}:{port}/")
        self.stdout.flush()
        server.serve_forever(poll_interval=0.2)
        server.server_close()
