"""The service as its real processes, a load on it, and faults between them.

Web, worker, beat and sequencer run as `serve` starts them, each as a process group of its own, so
that one can be killed, stopped or started twice. Batches are sealed beforehand and sent as an agent
sends them: again and again until somebody says 202. What was said stands in the history.
"""

import contextlib
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.management.commands import serve
from remit_agent import signing
from tests.faults.aside import FailedError
from tests.faults.history import History
from tests.faults.kept import Kept
from tests.infrastructure import http
from tests.infrastructure.forks import Forks
from tests.infrastructure.processes import ROOT, Installation, NotReadyError, Running

BATCHES = "/api/v1/agent/capture-batches"
SEALED = "application/vnd.remit.sealed-batch.v1"
ROLES = ("sequencer", "web", "worker", "beat")
ACCEPTED = 202
# What its programs and the steps aside consist of.
_READ = ("governance.wsgi", "governance.celery", "tests.faults.aside_steps")
PATIENT = {
    "DJANGO_SETTINGS_MODULE": "governance.settings",
    "PYTHONPATH": "clients:.",
    "REMIT_CLOCK_SKEW_SECONDS": "86400",
    "REMIT_POLICY_TTL_SECONDS": "86400",
    "REMIT_LOG_DELAY_SECONDS": "0",
    "REMIT_LOG_INTERVAL_MS": "200",
    "REMIT_LOG_CHECKPOINT_STALE_SECONDS": "86400",
    "REMIT_LOG_OUTBOX_STALE_SECONDS": "86400",
    "REMIT_MIN_CONTRIBUTORS": "2",
    "REMIT_MIN_RECALL_PERCENT": "60",
    "REMIT_PASSWORD_LOGIN": "1",
    "REMIT_SWEEP_SECONDS": "2",
    "REMIT_JOB_LEASE_SECONDS": "4",
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch ready to be sent, and the device that sends it."""

    batch: str
    device: str
    key: bytes
    wire: bytes
    digest: str

    @classmethod
    def read(cls, line: str) -> Self:
        """Read what the process that seals batches prints of one."""
        one = json.loads(line)
        key, wire = bytes.fromhex(one["key"]), bytes.fromhex(one["wire"])
        return cls(one["batch"], one["device"], key, wire, one["digest"])


@dataclass
class Service:
    """An installation, its processes by name, and what its clients saw."""

    installed: Installation
    folder: Path
    running: dict[str, Running] = field(default_factory=dict)
    _forks: dict[frozenset[tuple[str, str]], Forks] = field(default_factory=dict)
    _settings: dict[str, str] = field(default_factory=dict)
    _line: "psycopg.Connection[tuple[Any, ...]] | None" = None

    @property
    def history(self) -> History:
        """What clients did and were told."""
        return History(self.folder / "history.jsonl")

    # Processes.

    def prepare(self, people: Sequence[str] = ("mira", "tariq", "carla")) -> None:
        """Lay the tables, make the keys, seat the people."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.installed.var.mkdir(parents=True, exist_ok=True)
        self.aside("lay")
        # The web reads which files its pages have, and those are there only now.
        self._end_forks()
        self.aside("seat", *people)

    def keep(self) -> None:
        """Keep this moment, while no process runs."""
        self._kept().keep()
        self._settings = dict(self.installed.settings)

    def bring_back(self) -> None:
        """Make it that moment again; no process runs."""
        self._kept().bring_back()
        self.installed.settings = dict(self._settings)
        self.installed.started.clear()

    def _kept(self) -> Kept:
        place = self.folder.with_name("kept")
        return Kept(self.installed, (self.installed.var, self.folder), place)

    def start(
        self,
        role: str,
        *more: str,
        name: str = "",
        under: Sequence[str] = (),
        **environment: str,
    ) -> Running:
        """Start a role as `serve` does, with more words or under another command.

        With nothing added it is a fork of a process that has read its code: that is most of a
        start, and a run has hundreds.
        """
        commands = {
            "sequencer": serve._manage("sequencer"),
            "web": serve._granian("127.0.0.1", str(self.installed.port), "8"),
            "worker": [
                *serve._celery("worker", "--concurrency", "2", *serve._QUIET_WORKER),
                *("--include", "tests.faults.probes,tests.faults.struck"),
            ],
            "beat": serve._celery("beat", "--pidfile="),
        }
        command = [*under, *commands[role], *more]
        forks = None if under or environment else self._forks_in(environment)
        made = self.installed.run(command, name=name or role, forks=forks, **environment)
        self.running[name or role] = made
        return made

    def ensure(self, *roles: str) -> None:
        """Start what does not run, and wait until the web answers for all of it."""
        missing = [
            role
            for role in roles or ROLES
            if role not in self.running or not self.running[role].is_alive
        ]
        beat_of_the_log = self._beat_of_the_log() if "sequencer" in missing else None
        for role in missing:
            self.start(role)
        if "web" in (roles or ROLES):
            path = "/healthz/live" if roles else "/healthz/ready"
            self.installed.wait_ready(path=path, timeout_seconds=300)
        if beat_of_the_log is not None and not roles:
            # What the last one left is fresh enough to be ready by; the next must be there.
            self.wait(
                lambda: self._beat_of_the_log() != beat_of_the_log,
                what="the sequencer",
                seconds=120,
            )

    def _beat_of_the_log(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT heartbeat_at FROM audit_treestate")

    def kill(self, *names: str) -> None:
        """End processes and their children as the OOM killer does."""
        for name in names or list(self.running):
            self.running.pop(name).kill()

    def stop(self, *names: str) -> None:
        """Ask processes to end, and wait."""
        for name in names or list(self.running)[::-1]:
            self.running.pop(name).stop()

    def aside(self, *words: str, **environment: str) -> str:
        """Do something as another process of this installation; return what it printed.

        On a machine that stands still the log closes for a while; then it is asked again, as
        whoever is answered 503 asks again.
        """
        deadline = time.monotonic() + 60
        while True:
            try:
                return self._do(*words, **environment)
            except FailedError as error:
                if "LogUnavailableError" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(1)

    def _do(self, *words: str, **environment: str) -> str:
        printed = self.folder.with_name("printed")
        command = [sys.executable, "-m", "tests.faults.aside", str(self.folder), *words]
        status = self._forks_in(environment).start(command, printed).wait()
        text = printed.read_text()
        if status:
            raise FailedError(f"{words} ended with {status}\n{text[-3000:]}")
        return text

    def _forks_in(self, environment: dict[str, str]) -> Forks:
        """Return what forks processes of this installation in an environment."""
        whole = self.installed.environment | environment
        key = frozenset(whole.items())
        if key not in self._forks:
            self._forks[key] = Forks(_READ, whole, ROOT)
        return self._forks[key]

    def _end_forks(self) -> None:
        for forks in self._forks.values():
            forks.end()
        self._forks.clear()

    def work(self, kind: str, *refs: str) -> None:
        """Add jobs that nobody rings for: the sweep must find them."""
        silent = {"REDIS_URL": "", "REMIT_BROKER_DIR": str(self.folder / "broker")}
        self.aside("work", kind, *refs, **silent)

    # Clients.

    def batches(self, count: int, *, of: str = "mira", form: str = "") -> list[Sealed]:
        """Seal batches of a person, each in a session of its own."""
        lines = self.aside("seal", of, str(count), form).splitlines()
        return [Sealed.read(line) for line in lines if line.startswith('{"batch"')]

    def send(self, sealed: Sealed, *, patience: float = 30, skew: int = 0) -> httpx.Response | None:
        """Send a batch once, as an agent does; None when no answer came."""
        headers = {"Content-Type": SEALED, "Idempotency-Key": f'"{sealed.batch}"'}
        key = Ed25519PrivateKey.from_private_bytes(sealed.key)
        headers |= signing.sign_request(
            target=signing.Target(method="POST", uri=self.installed.origin + BATCHES),
            headers=headers,
            body=sealed.wire,
            signer=signing.DeviceSigner(sealed.device, key),
            now_s=int(time.time()) + skew,
        )
        facts: dict[str, Any] = {"batch": sealed.batch, "digest": sealed.digest}
        try:
            answer = http.post(
                self.installed.origin + BATCHES,
                content=sealed.wire,
                headers=headers,
                timeout=patience,
            )
        except httpx.TransportError:
            self.history.add("upload", "unknown", **facts)
            return None
        facts["status"] = answer.status_code
        if answer.status_code == ACCEPTED:
            self.history.add("upload", "acked", entry=answer.json()["entry"], **facts)
        else:
            self.history.add("upload", "refused", **facts)
        return answer

    def deliver(self, sealed: Sequence[Sealed], *, seconds: float = 60) -> None:
        """Send each until it is acknowledged; time counts for all."""
        deadline = time.monotonic() + seconds
        for one in sealed:
            answer = self.send(one)
            while answer is None or answer.status_code != ACCEPTED:
                assert time.monotonic() < deadline, answer and answer.text
                assert answer is None or answer.status_code >= 500, answer.text
                time.sleep(0.1)
                answer = self.send(one)

    @contextlib.contextmanager
    def load(self, sealed: Sequence[Sealed], *, seconds: float = 90) -> Iterator[None]:
        """Deliver from three clients while the block runs; the block ends when all are done."""
        errors: list[BaseException] = []

        def deliver(part: Sequence[Sealed]) -> None:
            try:
                self.deliver(part, seconds=seconds)
            except BaseException as error:  # noqa: BLE001 - Told by the thread that waits.
                errors.append(error)

        threads = [threading.Thread(target=deliver, args=(sealed[n::3],)) for n in range(3)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join()
        if errors:
            raise errors[0]

    def see_the_head(self) -> None:
        """Note the head of the log that a client sees."""
        text = http.get(f"{self.installed.origin}/log/checkpoint", timeout=10).text.split("\n")
        import base64

        self.history.add("checkpoint", size=int(text[1]), root=base64.b64decode(text[2]).hex())

    # Judgement.

    @property
    def file(self) -> Path:
        """The SQLite file of the data."""
        url = self.installed.settings.get("DATABASE_URL", "")
        own = self.installed.var / "remit.sqlite3"
        return Path(url.removeprefix("sqlite:///")) if url else own

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the installation's database."""
        if self.is_postgres:
            return self._asked(query)
        with contextlib.closing(sqlite3.connect(self.file, timeout=30)) as file:
            return file.execute(query).fetchall()

    def _asked(self, query: str) -> list[tuple[Any, ...]]:
        """Ask PostgreSQL by a connection that is kept while it lasts: a new one costs far more."""
        if self._line is not None:
            with contextlib.suppress(psycopg.OperationalError):
                return self._line.execute(query.encode()).fetchall()
            self._line.close()
        url = self.installed.settings["DATABASE_URL"]
        self._line = psycopg.connect(url, autocommit=True)
        return self._line.execute(query.encode()).fetchall()

    @property
    def is_postgres(self) -> bool:
        """Whether its data lies in PostgreSQL."""
        return self.installed.settings.get("DATABASE_URL", "").startswith("postgres")

    def execute(self, statement: str) -> None:
        """Change a row of the installation's database, as time or a fault would."""
        if self.is_postgres:
            url = self.installed.settings["DATABASE_URL"]
            with psycopg.connect(url, autocommit=True) as database:
                database.execute(statement.encode())
            return
        with contextlib.closing(sqlite3.connect(self.file, timeout=30)) as file, file:
            file.execute(statement)

    def hurry(self, *, leases: bool = True) -> None:
        """Let every pause and lease of a job be over; not the leases while somebody works on."""
        self.execute("UPDATE jobs_job SET run_at = created_at WHERE state = 'ready'")
        if leases:
            self.execute("UPDATE jobs_job SET leased_until = created_at WHERE state = 'leased'")

    def states(self, kind: str) -> dict[str, int]:
        """Return how many jobs of a kind stand where."""
        query = f"SELECT state, count(*) FROM jobs_job WHERE kind = '{kind}' GROUP BY state"
        return dict(self.rows(query))

    def effects(self) -> int:
        """Return how many probes did their work (tests.faults.probes)."""
        probes = "SELECT count(*) FROM audit_entry WHERE event = 'key:rotated' AND act = 'probe'"
        return int(self.rows(probes)[0][0])

    def wait(self, is_so: Callable[[], bool], *, what: str, seconds: float = 30) -> float:
        """Wait; return how many seconds it took."""
        began = time.monotonic()
        while not is_so():
            if time.monotonic() - began > seconds:
                logs = "\n".join(one.tail() for one in self.running.values())
                raise NotReadyError(f"waiting for {what}\n{logs}")
            time.sleep(0.2)
        return time.monotonic() - began

    def settle(self, *, seconds: float = 60, in_haste: bool = False) -> float:
        """Wait until the workers left no job open; return how long it took.

        In haste no job waits for its next attempt, as it does after a failure for up to a minute.
        """
        open_jobs = "SELECT count(*) FROM jobs_job WHERE state IN ('ready', 'leased')"

        def is_settled() -> bool:
            if in_haste:
                self.hurry(leases=False)
            return not self.rows(open_jobs)[0][0]

        return self.wait(is_settled, what="jobs", seconds=seconds)

    def judge(self, **environment: str) -> None:
        """Fail with every invariant that does not hold."""
        log = self.running.get("sequencer")
        sequenced = ["by it"] if log is not None and log.is_alive else []
        with self._standing_still():
            said = self.aside("judge", *sequenced, **environment)
        found = [line for line in said.splitlines() if line.startswith("I")]
        assert "judged" in said, said[-3000:]
        assert not found, "\n".join(found)

    @contextlib.contextmanager
    def _standing_still(self) -> Iterator[None]:
        """Let nobody begin anything while the block runs: what changes meanwhile is the judge's."""
        # Who beats stops before who works; who sequences goes on.
        names = sorted(self.running.keys() - {"web", "sequencer"})
        idle = [self.running[name] for name in names]

        def stand() -> bool:
            for one in filter(attrgetter("is_alive"), idle):
                pause(one)
                time.sleep(0.2)
            # Whoever stands in a transaction would keep the judge out: they end it first.
            for _ in range(5):
                if not self._is_held():
                    return True
                time.sleep(0.2)
            go_on()
            return False

        def go_on() -> None:
            for one in filter(attrgetter("is_alive"), idle[::-1]):
                resume(one)

        self.wait(stand, what="a moment without a transaction")
        try:
            yield
        finally:
            go_on()

    def _is_held(self) -> bool:
        """Whether somebody is in the middle of a transaction that writes."""
        if self.is_postgres:
            held = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
            return bool(self.rows(held)[0][0])
        vault = Path(self.installed.settings.get("REMIT_VAULT_DIR", self.installed.var / "vault"))
        return any(_is_locked(path) for path in (self.file, vault / "keys.sqlite3"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for running in self.installed.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGCONT)
        for name in list(self.running):
            self.kill(name)
        self.installed.stop()
        self._end_forks()
        if self._line is not None:
            self._line.close()


def _is_locked(path: Path) -> bool:
    """Whether somebody holds the lock of a SQLite file for longer than a moment."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=0.2)) as file:
        try:
            file.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return True
            raise
    return False


def pause(running: Running) -> None:
    """Stop a process group where it stands (SIGSTOP)."""
    os.killpg(running.process.pid, signal.SIGSTOP)


def resume(running: Running) -> None:
    """Let it go on."""
    os.killpg(running.process.pid, signal.SIGCONT)
