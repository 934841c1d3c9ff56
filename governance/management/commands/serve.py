"""`manage.py serve`: the whole service on one machine, with no external server."""

import http.client
import os
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from governance.management import preparing
from governance.management.demo_people import PERSONAS
from governance.redaction.screens import availability
from governance.serve import Program, Supervisor

_READY_POLL_SECONDS: Final = 0.5
_DEMO_SWEEP_SECONDS: Final = "5"
_MANAGE: Final = str(Path(settings.BASE_DIR) / "manage.py")


class Command(BaseCommand):
    help = "Prepare the databases and keys, then run web, worker, beat, sequencer and witness."
    requires_system_checks = (Tags.security,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.REMIT_PORT)
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--threads", type=int, default=8, help="requests served at a time")
        parser.add_argument("--workers", type=int, default=2, help="jobs done at a time")

    def handle(self, *_args: object, **options: object) -> None:
        self.began = time.monotonic()
        host, port = str(options["host"]), int(str(options["port"]))
        with preparing.alone(Path(settings.REMIT_VAR)):
            _require_free(host, port)
            for step in preparing.STEPS:
                self._say(step.words)
                step.act()
            if unbound := preparing.unbound_logins():
                self._say(
                    f"The logins of {' and '.join(unbound)} own the tables: nothing in it "
                    "binds them. See docs/operations.md, Database roles."
                )
            if not settings.REMIT_SCREENS:
                self._say(availability.refused())
            connections.close_all()
            self._say("Starting web, worker, beat and sequencer")
            supervisor = Supervisor(_programs(options), say=self._say)
            supervisor.run(each_tick=_Readiness(host, port, self._announce).look)
        self._say("Stopped.")

    def _say(self, words: str) -> None:
        elapsed = time.monotonic() - self.began
        self.stdout.write(f"[{elapsed:5.1f} s] {words}")
        self.stdout.flush()

    def _announce(self) -> None:
        self._say(f"Ready: {settings.REMIT_EXTERNAL_ORIGIN}/")
        if settings.REMIT_DEMO:
            self._say('Everyone signs in with the password "demo":')
            for person in PERSONAS:
                self._say(f"  {person.username:<6} {person.part}")


class _Readiness:
    """Asks the service itself, as anybody would, and says once that it is ready."""

    def __init__(self, host: str, port: int, announce: Callable[[], None]) -> None:
        self._address = (host, port)
        self._announce = announce
        self._ask_at = 0.0
        self._is_announced = False

    def look(self) -> None:
        """Ask when it is time to; cheap otherwise."""
        if self._is_announced or time.monotonic() < self._ask_at:
            return
        self._is_announced = self._is_ready()
        self._ask_at = time.monotonic() + _READY_POLL_SECONDS
        if self._is_announced:
            self._announce()

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(*self._address, timeout=2.0)
        try:
            connection.request("GET", "/healthz/ready")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} is taken. Choose another: PORT=8001 make run"
            ) from error


def _programs(options: dict[str, object]) -> list[Program]:
    port = str(options["port"])
    environment = {
        "PORT": port,
        "DJANGO_SETTINGS_MODULE": "governance.settings",
        # A container may know no other user; whoever minds starts `serve` as one.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        # What `serve` looked at when it began; looking again reads all of the web's code.
        "CELERY_SKIP_CHECKS": "1",
        # The sequencer's login is the sequencer's alone.
        "REMIT_SEQUENCER_DATABASE_URL": "",
    }
    if settings.REMIT_DEMO and "REMIT_SWEEP_SECONDS" not in os.environ:
        environment["REMIT_SWEEP_SECONDS"] = _DEMO_SWEEP_SECONDS
    commands = {
        "witness": _manage("witness", "--port", "0", "--register"),
        "sequencer": _manage("sequencer"),
        "web": _granian(str(options["host"]), port, str(options["threads"])),
        "worker": _celery("worker", "--concurrency", str(options["workers"]), *_QUIET_WORKER),
        "beat": _celery("beat", "--pidfile="),
        "demo": _manage("demo"),
    }
    own = {
        # The story uses the real agent, which is a package of its own and may not be installed.
        "demo": {"PYTHONPATH": str(Path(settings.BASE_DIR) / "clients")},
        "sequencer": _sequencer_database(),
    }
    # The demo brings its own witness; elsewhere witnesses are other people's machines.
    names = [name for name in commands if settings.REMIT_DEMO or name not in {"witness", "demo"}]
    return [
        Program(
            name=name,
            command=commands[name],
            environment=environment | own.get(name, {}),
            once=name == "demo",
            speaks=name == "demo",
            # The last entries are published before the log closes.
            stays=name in {"sequencer", "witness"},
        )
        for name in names
    ]


def _sequencer_database() -> dict[str, str]:
    url = settings.REMIT_SEQUENCER_DATABASE_URL
    return {"DATABASE_URL": url} if url else {}


_QUIET_WORKER: Final = ("--without-gossip", "--without-mingle", "--without-heartbeat")


def _manage(*words: str) -> list[str]:
    return [sys.executable, _MANAGE, *words]


def _celery(role: str, *words: str) -> list[str]:
    # A beat inside the worker would outlive it when it is killed, so beat is a child of its own.
    return [
        *(sys.executable, "-m", "celery", "--quiet", "--app", "governance.celery", role),
        *("--loglevel", "WARNING", *words),
    ]


def _granian(host: str, port: str, threads: str) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", port),
        *("--workers", "1", "--blocking-threads", threads, "--respawn-failed-workers"),
        *("--no-ws", "--log-level", "error"),
        "governance.wsgi:application",
    ]
