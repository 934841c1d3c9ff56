"""A witness: cosigns the heads of logs it knows, never two that contradict each other.

Promises, of C2SP tlog-witness: a signature only after a consistency proof from the head it signed
before, and that head is durable before the answer leaves. It shares nothing with the log but the
log's public key; run it where the operator of the log has no hand.
"""

import base64
import logging
import threading
import time
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from audit import checkpoint, files, tree
from audit.checkpoint import WitnessKey
from audit.errors import NoteError
from audit.verifier.checkpoint import parse_tree
from audit.verifier.encoding import decimal, hash_bytes
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import Key
from audit.verifier.note import Note, Tree

logger = logging.getLogger(__name__)

LONGEST_REQUEST: Final = 16 * 1024
MOST_PROOF_LINES: Final = 63
PLAIN: Final = "text/plain; charset=utf-8"
SIZE: Final = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: HTTPStatus
    body: str = ""
    content_type: str = PLAIN


@dataclass(frozen=True, slots=True)
class _Request:
    old: int
    proof: list[bytes]
    note: Note
    head: Tree


class Witness:
    """The state of one witness under one directory; `logs` are the keys it will believe.

    `after` is a log's earlier name: what was cosigned under it is the beginning of any log that is
    new to this witness, so that a log which took another name must prove its whole past.
    """

    def __init__(
        self, *, where: Path, key: WitnessKey, logs: list[Key], after: str | None = None
    ) -> None:
        self.where = where
        self.after = after
        self.key = key
        self.logs = logs
        # One at a time, whatever processes share the memory: the check of the old size and the new
        # head belong together.
        self._lock = threading.Lock()

    def add_checkpoint(self, data: bytes) -> Answer:
        """Answer an add-checkpoint request with the status codes of the specification."""
        try:
            request = _parse(data)
        except (NotVerifiedError, NoteError, ValueError):
            return Answer(HTTPStatus.BAD_REQUEST, "malformed\n")
        keys = self._keys(request.head.origin)
        if not keys:
            return Answer(HTTPStatus.NOT_FOUND, "unknown log\n")
        try:
            is_signed = bool(checkpoint.signers(request.note, keys, request.head))
        except NoteError:
            is_signed = False
        if not is_signed:
            return Answer(HTTPStatus.FORBIDDEN, "not signed by the log\n")
        if request.old > request.head.size:
            return Answer(HTTPStatus.BAD_REQUEST, "the old size exceeds the checkpoint\n")
        try:
            with self._lock, files.locked(self.where / ".lock"):
                return self._judge(request)
        except OSError:
            # A full disk, say. What is not remembered is not signed.
            logger.exception("The witness cannot keep its memory.")
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "no memory\n")

    def _judge(self, request: _Request) -> Answer:
        last = self.last(request.head.origin)
        if request.old != last.size:
            return Answer(HTTPStatus.CONFLICT, f"{last.size}\n", SIZE)
        if not tree.is_consistent(
            old=last.size,
            old_root=last.root,
            size=request.head.size,
            new_root=request.head.root,
            proof=request.proof,
        ):
            # Signed by the log and contradicting its past: evidence of a fork.
            self._keep_evidence(request)
            return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "not consistent\n")
        line = checkpoint.cosign(request.note.text, key=self.key, seconds=int(time.time()))
        self._remember(request, line)
        return Answer(HTTPStatus.OK, line)

    def last(self, origin: str) -> Tree:
        """Return the last head cosigned; an empty tree when there is none."""
        path = self._path(origin)
        if path.exists():
            return parse_tree(checkpoint.parse(path.read_bytes()))
        if self.after in (None, origin):
            return Tree(origin, 0, tree.EMPTY_ROOT)
        before = self.last(self.after)
        return Tree(origin, before.size, before.root)

    def published(self, digest: str) -> Answer:
        """Answer `GET /<hex sha256(origin)>/checkpoint`: what this witness signed last."""
        for key in self.logs:
            path = self._path(key.name)
            if path.parent.name == digest and path.exists():
                return Answer(HTTPStatus.OK, path.read_text(encoding="utf-8"))
        return Answer(HTTPStatus.NOT_FOUND, "nothing cosigned\n")

    def _remember(self, request: _Request, line: str) -> None:
        path = self._path(request.head.origin)
        files.make_directory(path.parent)
        files.replace(path, (self._log_lines(request) + line).encode("utf-8"))

    def _keep_evidence(self, request: _Request) -> None:
        text = self._log_lines(request).encode("utf-8")
        name = f"refused-{request.head.size}-{sha256(text).hexdigest()[:16]}"
        path = self._path(request.head.origin).with_name(name)
        files.make_directory(path.parent)
        files.replace(path, text)
        logger.error("A checkpoint of %d contradicts what was cosigned.", request.head.size)

    def _log_lines(self, request: _Request) -> str:
        """Return the note with the lines alone that were verified: those of its own log's keys."""
        known = {(key.name, key.key_id) for key in self._keys(request.head.origin)}
        lines = [
            f"\u2014 {each.name} {base64.b64encode(each.key_id + each.payload).decode('ascii')}\n"
            for each in request.note.signatures
            if (each.name, each.key_id) in known
        ]
        return request.note.text + "\n" + "".join(lines)

    def _keys(self, origin: str) -> list[Key]:
        return [key for key in self.logs if key.name == origin]

    def _path(self, origin: str) -> Path:
        return self.where / sha256(origin.encode("utf-8")).hexdigest() / "checkpoint"


def _parse(data: bytes) -> _Request:
    head, gap, note_bytes = data.partition(b"\n\n")
    lines = head.decode("ascii").split("\n")
    if not gap or not lines[0].startswith("old "):
        raise NoteError("This is no add-checkpoint request.")
    if len(lines) - 1 > MOST_PROOF_LINES:
        raise NoteError("The proof is too long.")
    note = checkpoint.parse(note_bytes)
    return _Request(
        old=decimal(lines[0].removeprefix("old "), "the old size"),
        proof=[hash_bytes(line, "a proof line") for line in lines[1:]],
        note=note,
        head=parse_tree(note),
    )


class _Handler(BaseHTTPRequestHandler):
    server: "Server"
    timeout = 10
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        if self.path != "/add-checkpoint":
            return self._send(Answer(HTTPStatus.NOT_FOUND))
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            return self._refuse(HTTPStatus.LENGTH_REQUIRED)
        # By its digits first: leading zeros would hide a number that no memory holds.
        if len(length) > len(str(LONGEST_REQUEST)) or int(length) > LONGEST_REQUEST:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self._send(self.server.witness.add_checkpoint(self.rfile.read(int(length))))

    def do_GET(self) -> None:
        match self.path.split("/"):
            case ["", digest, "checkpoint"]:
                self._send(self.server.witness.published(digest))
            case ["", "vkey"]:
                self._send(Answer(HTTPStatus.OK, checkpoint.vkey(self.server.witness.key.public)))
            case _:
                self._send(Answer(HTTPStatus.NOT_FOUND))

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer without having read the body, so the connection cannot go on."""
        self.close_connection = True
        self._send(Answer(status))

    def _send(self, answer: Answer) -> None:
        body = answer.body.encode("utf-8")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name.
        logger.debug(format, *args)


class Server(ThreadingHTTPServer):
    """The HTTP face of a witness."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        super().__init__(address, _Handler)
        self.witness = witness
