"""The service in memory over real HTTP, for an agent that is a process of its own."""

import contextlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from remit_conformance.service import AgentServer, FakeClock


class RealClock(FakeClock):
    """The machine's own time."""

    def __init__(self) -> None:
        """Keep nothing: the time is asked for."""

    @property
    def ns(self) -> int:  # type: ignore[override]  # A clock that cannot be set.
        return time.time_ns()

    def now(self) -> datetime:
        return datetime.now(UTC)


@contextlib.contextmanager
def serving(
    applications: list[dict[str, Any]], *, clock: FakeClock | None = None
) -> Iterator[AgentServer]:
    """Serve on a free port of loopback; `origin` of what is given says where."""
    service = AgentServer(clock or RealClock(), applications=applications)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = httpx.Request(
                self.command, service.origin + self.path, headers=dict(self.headers.items()),
                content=body,
            )  # fmt: skip
            with lock:
                answer = service.answer(request)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(answer.content)

        do_GET = do_POST = _answer  # noqa: N815 - names of the standard library.

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.origin = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield service
        server.shutdown()
        thread.join()
