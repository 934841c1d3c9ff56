"""Two worlds that differ in one person's choice, asked everything by everybody else.

What is compared is all that an answer is: status, headers, body, the lines it wrote into the
operational log, and how many statements the database was asked, which is the part of an answer's
time that the code decides. And what the choice itself left outside: its lines in that log, and
mails. Each address is asked with the id of something that is there: the entry of the choice, the
request that asked for it. What may differ stands in declassified.toml with a reason each.
"""

import logging
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connections, transaction
from django.test import Client
from pytest_django import Settings

from audit import health, sequencer
from audit.actions import Action
from audit.models import Entry
from governance import authorizer
from governance.accounts import directory
from governance.accounts.roles import Role
from governance.jobs import services as jobs
from governance.releases import services as releases
from governance.rights import campaigns
from governance.web.logs import JsonFormatter
from tests import make
from tests.house.test_doors import COLUMNS, DOORS, TABLE, Door
from tests.standing import ALIASES, StandingHouse

DECLASSIFIED = tomllib.loads(Path(__file__).with_name("declassified.toml").read_text())
# The personnel directory is no person: it asks its own doors, with its token.
DIRECTORY = "directory"
EVERYBODY = ("petra", "tariq", "ines", "lea", "wanda", "adam", "jonas", DIRECTORY, None)
SECRET = "carla"
CELLS = [(make.TRAIN, make.DESK, "pointer"), (make.TRAIN, make.DESK, "click")]
# Values for the parts of addresses; whatever is somebody's own is asked for with a stranger's id.
PARTS = {
    "application": make.DESK,
    "purpose": make.TRAIN,
    "number": "1",
    "category": "pointer",
    "language": "en",
    "key": f"{make.DESK}-v1",
    "name": "checkpoint",
    "slug": "not-found",
    "type": "not-found",
    "day": "2026-11-21",
}
STRANGER = "0199a1f0-1d3c-7c11-8a01-3f2b7f0c0001"
# Whoever is turned away at a door sees nothing behind it; one of them looks at the refusals.
TURNED_AWAY = {"302", "401", "403", "405"}
REFUSED = "petra"
ROUTES = [door for door in DOORS if door.method == "GET"]
# What a choice leaves outside of every answer.
AROUND = ("anyone", "around")


@dataclass(frozen=True, slots=True)
class Seen:
    """All that somebody saw of one answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    queries: int
    lines: tuple[str, ...]


Answers = dict[tuple[str, str], Seen]
Viewers = Sequence[str | None]
World = Callable[..., Answers]


def address(door: Door, there: Mapping[str, object] | None = None) -> str:
    """Return a door's address with something in each of its parts: what is there, by the door."""

    def fill(match: re.Match[str]) -> str:
        kind, _, name = match[1].rpartition(":")
        otherwise = STRANGER if kind == "uuid" else PARTS.get(name, "1")
        return str((there or {}).get(door.address.split("<")[0], otherwise))

    return re.sub(r"<([^>]+)>", fill, door.address)


def role_of(name: str | None) -> Role | None:
    return None if name is None else make.STAFF[name] or Role.EMPLOYEE


def is_worth_asking(door: Door, name: str | None) -> bool:
    """Say whether somebody may see more at a door than those who look at every door."""
    if name == DIRECTORY:
        return door.action == "directory.provision"
    if name in {REFUSED, None}:
        return True
    if door.action == "public":
        return False
    return TABLE[door.key].split()[COLUMNS.index(role_of(name))] not in TURNED_AWAY


@dataclass
class _Ledger(logging.Handler):
    """Counts statements and keeps log lines, one answer at a time."""

    queries: int = 0
    lines: list[str] = field(default_factory=list)
    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(re.sub(r'"time":"[^"]*",', "", self.format(record)))

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        self.queries += 1
        return execute(sql, *rest)

    def taken(self) -> tuple[int, tuple[str, ...]]:
        taken = self.queries, tuple(self.lines)
        self.queries = 0
        self.lines.clear()
        return taken


@contextmanager
def _watching() -> Iterator[_Ledger]:
    ledger, root = _Ledger(), logging.getLogger()
    level, handlers = root.level, root.handlers
    # Thousands of refusals are asked for: nobody else need hear of them.
    root.handlers = [ledger]
    root.setLevel(logging.INFO)
    try:
        with ExitStack() as stack:
            for alias in ALIASES:
                stack.enter_context(connections[alias].execute_wrapper(ledger))
            yield ledger
    finally:
        root.setLevel(level)
        root.handlers = handlers


_stood: dict[int, dict[tuple[str, str], tuple[int, bool]]] = {}


@pytest.fixture
def world(
    db: None,
    _standing_house: StandingHouse,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """Open a world on the standing house, let one thing happen in it, ask, and undo it."""
    count = iter(range(1000))
    # Alike for all worlds on one house, whichever test asks: one test may look at another's world.
    numbers = _stood.setdefault(_standing_house.built, _sequences())
    # One head and one sign of life serve the whole walk, however slow the machine.
    monkeypatch.setattr(health, "_HEARTBEAT_STALE", timedelta(hours=1))
    monkeypatch.setattr(health, "_REUSE_SECONDS", 3600.0)

    def ask(
        happens: Callable[[make.House], object],
        viewers: Viewers = EVERYBODY,
        *,
        whole: bool = False,
        paths: Collection[str] | None = None,
    ) -> Answers:
        folder = tmp_path / str(next(count))
        folder.mkdir()
        _standing_house.furnish(folder, settings)
        settings.REMIT_LOG_CHECKPOINT_STALE_SECONDS = settings.REMIT_LOG_OUTBOX_STALE_SECONDS = 3600
        points = {alias: transaction.savepoint(using=alias) for alias in ALIASES}
        try:
            _count_on(numbers)
            nordhafen = _standing_house.people()
            make.decide(nordhafen, "mira", CELLS)
            there = _laid_out(nordhafen)
            around = _happen(happens, nordhafen)
            with sequencer.opened() as log:
                log.turn()
            health.forget()
            newest = Entry.objects.filter(event=Action.CONSENT_DECIDED).latest("id").uuid
            there |= dict.fromkeys(("/api/v1/audit/entries/", "/office/log/"), newest)
            asked = _ask_everything(viewers, there, whole=whole, paths=paths)
            return asked | {AROUND: around}
        finally:
            for alias, point in points.items():
                transaction.savepoint_rollback(point, using=alias)
            health.forget()

    return ask


def _laid_out(nordhafen: make.House) -> dict[str, object]:
    """Let people be asked and data be wanted; return what is there then, by door."""
    make.ask(nordhafen, SECRET, "tariq", "lea", "jonas")
    campaign = campaigns.campaigns()[0]
    wish = releases.Wish(make.TRAIN, [make.DESK], ["pointer"], "To train the desk agent.")
    wanted = releases.request_access(wish=wish, actor=nordhafen.jonas)
    requests = ("/api/v1/access-requests/", "/office/requests/")
    there: dict[str, object] = dict.fromkeys(requests, wanted.id)
    secret = nordhafen.people[SECRET].pk
    return there | {"/office/asking/": campaign.id, "/api/v1/scim/v2/Users/": secret}


def _happen(happens: Callable[[make.House], object], nordhafen: make.House) -> Seen:
    """Let it happen, with all that follows; return what is seen of it from outside."""
    sent = len(mail.outbox)
    with _watching() as ledger:
        happens(nordhafen)
        jobs.run_due()
        _, lines = ledger.taken()
    mails = "\n".join(str(one.message()) for one in mail.outbox[sent:])
    return Seen(200, (), mails, 0, lines)


def _sequences() -> dict[tuple[str, str], tuple[int, bool]]:
    """Return where each sequence stands: PostgreSQL's do not go back with a transaction."""
    found = {}
    for alias in ALIASES:
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        with connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(relname) FROM pg_class WHERE relkind = 'S'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"SELECT last_value, is_called FROM {name}")
                found[alias, name] = cursor.fetchone()
    return found


def _count_on(numbers: dict[tuple[str, str], tuple[int, bool]]) -> None:
    """Let the numbers of rows go on alike in each world."""
    for (alias, name), (last, is_called) in numbers.items():
        connection = connections[alias]
        with authorizer.lifted(connection), connection.cursor() as cursor:
            cursor.execute("SELECT setval(%s, %s, %s)", [name, last, is_called])


def _ask_everything(
    viewers: Viewers,
    there: Mapping[str, object],
    *,
    whole: bool,
    paths: Collection[str] | None,
) -> Answers:
    answers: Answers = {}
    doors = {address(door): door for door in ROUTES}
    if paths is not None:
        doors = {path: doors[path] for path in paths}
    # What a process reads once is read before anybody counts.
    Client().get("/healthz/ready")
    with _watching() as ledger:
        for name in viewers:
            client = Client(raise_request_exception=False)
            if name == DIRECTORY:
                token = directory.issue_token(name="hr")
                client = Client(headers={"authorization": f"Bearer {token}"})
            elif name:
                signed = client.post(
                    "/api/v1/session",
                    {"username": name, "password": "demo", "role": str(role_of(name))},
                    content_type="application/json",
                )
                assert signed.status_code < 300, signed.content
            for path, door in sorted(doors.items()):
                if (whole and name != DIRECTORY) or is_worth_asking(door, name):
                    ledger.taken()
                    asked = client.get(address(door, there))
                    answers[name or "anyone", path] = _seen(asked, ledger)
    return answers


def _seen(answer: Any, ledger: _Ledger) -> Seen:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    headers = tuple(sorted((k, v) for k, v in answer.headers.items() if k != "Content-Length"))
    return Seen(answer.status_code, headers, body.decode("utf-8", "replace"), *ledger.taken())


def alike(text: str, path: str, *, silent: bool) -> str:
    """Return an answer without what may differ."""
    for rule in DECLASSIFIED["everywhere"]:
        text = re.sub(rule["pattern"], "*", text)
    for rule in DECLASSIFIED["when_silent"] if silent else ():
        if path in rule["paths"]:
            text = re.sub(rule["pattern"], "#", text)
    return text


def differences(one: Answers, other: Answers, *, silent: bool = False) -> dict[str, str]:
    """Return what somebody could tell the worlds apart by: who, where, and in what; and both."""
    assert one.keys() == other.keys()
    found: dict[str, str] = {}
    for (who, path), seen in one.items():
        here, there = (_parts(each, path, silent=silent) for each in (seen, other[who, path]))
        found |= {
            f"{who} {path} {part}": _apart(text, there[part])
            for part, text in here.items()
            if text != there[part]
        }
    return found


def _parts(seen: Seen, path: str, *, silent: bool) -> dict[str, str]:
    return {
        "status": str(seen.status),
        "headers": alike(str(seen.headers), path, silent=silent),
        "body": alike(seen.body, path, silent=silent),
        "time": str(seen.queries),
        "log": alike(str(seen.lines), path, silent=silent),
    }


def _apart(here: str, there: str) -> str:
    """Return where two texts part, and a little of each."""
    pairs = enumerate(zip(here, there, strict=False))
    parts_at = next((at for at, (one, other) in pairs if one != other), min(len(here), len(there)))
    start = max(parts_at - 60, 0)
    return " <> ".join(repr(text[start : start + 160]) for text in (here, there))
