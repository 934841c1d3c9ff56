"""`remit-agent browse`: what the extension talks to, started by the browser (native messaging).

Promises: a page learns that it may be recorded, and how it must be masked, only from the signed
policy; what it sends is judged here again as if its masking had failed; a pause, an ended policy or
a withdrawal stops every page. Private windows have no extension. Leaves to others: the page
(`extension/`), rrweb's events (`adapters.rrweb`), what a policy allows (`filter`).
"""

import queue
import struct
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Literal
from urllib.parse import urlsplit

import msgspec

from remit_agent import selectors
from remit_agent.adapters.rrweb import Reader
from remit_agent.live import Live
from remit_agent.observed import Observation, Surface
from remit_agent.policy import Application
from remit_agent.session import Agent
from remit_agent.spool import Spool
from remit_agent.uplink import Uplink

MAX_MESSAGE: Final = 8 << 20
_TICK_S: Final = 0.1
_LAST_WAIT_S: Final = 5.0


class Message(msgspec.Struct, frozen=True):
    """What the extension says of a page."""

    kind: Literal["page", "event", "gone"]
    page: int
    url: str = ""
    event: dict[str, Any] = {}


@dataclass(slots=True)
class Host:
    """One browser under way."""

    agent: Agent
    live: Live
    uplink: Uplink
    output: BinaryIO
    heard: "queue.Queue[Message | None]"
    pages: dict[int, Reader] = field(default_factory=dict)
    _told: str = ""

    def run(self) -> None:
        """Obey the browser until it hangs up."""
        self.uplink.start()
        is_open = True
        try:
            while is_open:
                try:
                    message = self.heard.get(timeout=_TICK_S)
                    is_open = message is not None
                except queue.Empty:
                    message = None
                if message is not None:
                    self._obey(message)
                self._step()
        finally:
            self.live.finish(now_ns=self._now())
            self.uplink.stop(wait_s=_LAST_WAIT_S)

    def _now(self) -> int:
        return self.agent.service.clock.now_ns() - self.live.start_ns

    def _obey(self, message: Message) -> None:
        match message.kind:
            case "page":
                self._answer(message.page, message.url)
            case "gone":
                if reader := self.pages.pop(message.page, None):
                    reader.end_typing()
                    self.live.step(self._seen(reader), now_ns=self._now())
            case "event" if message.page in self.pages:
                reader = self.pages[message.page]
                if reader.try_take(message.event):
                    self.live.step(self._seen(reader), now_ns=self._now())
                else:
                    # What cannot be read cannot be judged: nothing more of this page.
                    del self.pages[message.page]
                    self._say({"kind": "stop", "page": message.page})

    def _answer(self, page: int, url: str) -> None:
        own = self._application(url)
        rules = None if own is None else rules_of(own)
        if rules is not None:
            self.pages[page] = Reader(start_ms=self.live.start_ns // 1_000_000)
        self._say({"kind": "rules", "page": page, "rules": rules})

    def _application(self, url: str) -> Application | None:
        parts = urlsplit(url)
        surface = Surface("origin", f"{parts.scheme}://{parts.netloc}", url)
        policy = self.agent.in_force()
        self.live.step((), now_ns=self._now())
        mapped = self.live.filter.mapping.find(surface) if policy else None
        return policy.application(mapped.application) if policy and mapped else None

    def _seen(self, reader: Reader) -> Iterator[Observation]:
        seen, reader.seen = reader.seen, []
        yield from sorted(seen, key=lambda each: each.t_ns)

    def _step(self) -> None:
        self.live.step((), now_ns=self._now())
        state = self.agent.state()
        if state == self._told:
            return
        self._told = state
        self._say({"kind": "state", "state": state})
        # Whatever was allowed a page before must be asked for again.
        self.pages.clear()
        self._say({"kind": "stop"})
        if state == "capturing":
            self._say({"kind": "again"})
        self.uplink.wake()

    def _say(self, message: dict[str, Any]) -> None:
        octets = msgspec.json.encode(message)
        self.output.write(struct.pack("=I", len(octets)) + octets)
        self.output.flush()


def rules_of(own: Application) -> dict[str, list[str]] | None:
    """Return how a page of this application must be masked; None when it may not be recorded."""
    if not own.open_categories:
        return None
    typed = "keystroke-text" in own.open_categories
    named = [each.selector.lstrip("#") for each in own.fields if typed]
    masked = [each.selector for each in own.masks]
    if not all(selectors.is_known(each) for each in masked):
        # A mask that this agent cannot read may mean anything on the page.
        named = []
    return {
        "labels": own.labels,
        "fields": named,
        "masks": [each.lstrip("#") for each in masked if each.startswith("#")],
    }


def serve(agent: Agent, *, source: BinaryIO = sys.stdin.buffer, output: BinaryIO | None = None) -> (
    Live
):  # fmt: skip
    """Talk to a browser until it hangs up; return what became of it."""
    heard: queue.Queue[Message | None] = queue.Queue(10_000)
    spool = Spool(agent.home.spool)
    live = Live(agent, agent.service.clock.now_ns(), spool=spool)
    uplink = Uplink(agent, agent.state)
    live.sealed = uplink.wake
    threading.Thread(target=_listen, args=(source, heard), daemon=True).start()
    Host(agent, live, uplink, output or sys.stdout.buffer, heard).run()
    return live


def _listen(source: BinaryIO, heard: "queue.Queue[Message | None]") -> None:
    for octets in _messages(source):
        try:
            heard.put(msgspec.json.decode(octets, type=Message))
        except msgspec.MsgspecError:
            continue
    heard.put(None)


def _messages(source: BinaryIO) -> Iterator[bytes]:
    while len(head := source.read(4)) == 4:  # noqa: PLR2004 - the length of a length.
        (length,) = struct.unpack("=I", head)
        if length > MAX_MESSAGE:
            return
        octets = source.read(length)
        if len(octets) < length:
            return
        yield octets
