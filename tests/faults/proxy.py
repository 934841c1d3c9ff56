"""Stands between the service and its PostgreSQL and cuts the line right at a COMMIT."""

import contextlib
import socket
import threading
from typing import Self

from tests.infrastructure.servers import free_port


class Proxy:
    """Forwards connections; `cuts` counts down, and at each COMMIT while it lasts it cuts one.

    `after`: the server still gets the COMMIT and nobody hears its answer; otherwise it is lost.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self.port = free_port()
        self.cuts = 0
        self.after = False
        self.cut = 0
        self._listener = socket.create_server(("127.0.0.1", self.port))

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target) as server:
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server, watched=True)
            back.join()

    def _pump(self, source: socket.socket, sink: socket.socket, *, watched: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if watched and self.cuts and b"COMMIT" in data:
                    self.cuts -= 1
                    self.cut += 1
                    if self.after:
                        # The answer must not come through: the way back ends first.
                        source.shutdown(socket.SHUT_RDWR)
                        sink.sendall(data)
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
