"""Asking witnesses to cosign: the client of C2SP tlog-witness.

Promises: every witness is asked in parallel and has two seconds in all; what it answers counts only
when its signature verifies under the key of the policy. A witness that saw another history stops
the log (WitnessConflictError), and both heads are kept as evidence; one that is silent only goes
missing from the quorum. Where a witness may live is `audit.addresses`' business.
"""

import base64
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

from audit import checkpoint, files
from audit.addresses import Answer, Caller
from audit.errors import NoteError, WitnessConflictError, WitnessError
from audit.verifier.checkpoint import parse_tree
from audit.verifier.encoding import decimal
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import Key
from audit.verifier.note import Tree
from audit.verifier.policy import Policy

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 2.0
_LONGEST_ANSWER: Final = 16 * 1024
_SIZE_TYPE: Final = "text/x.tlog.size"

Proof = Callable[[int], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A verified cosignature line of one witness."""

    witness: str
    key: Key
    line: str


@dataclass
class Witnesses:
    """Remembers, for one run, how far each witness is; a wrong guess costs one 409.

    Evidence goes where the log stood when the run began: an answer may come after its end.
    """

    sizes: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    caller: Caller = field(default_factory=lambda: Caller(TIMEOUT_SECONDS, _LONGEST_ANSWER))
    evidence: Path = field(default_factory=lambda: checkpoint.directory() / "conflicts")

    def ask(self, note: str, *, policy: Policy, proof_from: Proof) -> list[Cosigned]:
        """Return the verified lines of all witnesses that answered in time."""
        if not policy.urls:
            return []
        with ThreadPoolExecutor(max_workers=len(policy.urls)) as pool:
            answers = [
                pool.submit(self._one, name, url, policy.witnesses[name], note, proof_from)
                for name, url in policy.urls.items()
            ]
        found: list[Cosigned] = []
        for name, answer in zip(policy.urls, answers, strict=True):
            try:
                found.append(answer.result())
                self.problems.pop(name, None)
            except WitnessError as error:
                # Missing or confused: the quorum decides whether that matters.
                self._complain(name, str(error))
        return found

    def _one(self, name: str, url: str, key: Key, note: str, proof_from: Proof) -> Cosigned:
        try:
            answer = self._asked(name, url, note, proof_from)
        except WitnessConflictError as error:
            self._keep_evidence(name, note, self._published(url, note))
            logger.critical("A witness saw another history; its head and ours are kept.")
            raise WitnessConflictError(f"{error}; see {self.evidence}") from error
        if answer.status != HTTPStatus.OK:
            raise WitnessError(f"The witness {name} answered {answer.status}.")
        line = _verified_line(answer.body, key, note)
        self.sizes[name] = _head(note).size
        return Cosigned(name, key, line)

    def _asked(self, name: str, url: str, note: str, proof_from: Proof) -> Answer:
        """Return the answer to a submission, the second when a 409 told how far the witness is."""
        old, size = self.sizes.get(name, 0), _head(note).size
        answer = self._submit(url, note, old, proof_from)
        if answer.status == HTTPStatus.CONFLICT:
            old = _known_size(answer, name, told=old, size=size)
            answer = self._submit(url, note, old, proof_from)
        if answer.status == HTTPStatus.CONFLICT:
            _known_size(answer, name, told=old, size=size)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise WitnessConflictError(f"the witness {name} saw another history")
        return answer

    def _submit(self, url: str, note: str, old: int, proof_from: Proof) -> Answer:
        lines = [f"old {old}"]
        lines += [base64.b64encode(part).decode("ascii") for part in proof_from(old)]
        content = "\n".join(lines) + "\n\n" + note
        return self.caller.post(_join(url, "add-checkpoint"), content.encode("utf-8"))

    def published(self, policy: Policy, *, origin: str) -> dict[str, bytes]:
        """Return the heads of the log that witnesses say they saw last; nothing is verified.

        A witness that is silent or knows none is not among them.
        """
        if not policy.urls:
            return {}
        with ThreadPoolExecutor(max_workers=len(policy.urls)) as pool:
            asked = [pool.submit(self._seen, url, origin) for url in policy.urls.values()]
        heads = zip(policy.urls, (one.result() for one in asked), strict=True)
        return {name: head for name, head in heads if head is not None}

    def _seen(self, url: str, origin: str) -> bytes | None:
        try:
            answer = self.caller.get(_join(url, _published_path(origin)))
        except WitnessError:
            return None
        return answer.body if answer.status == HTTPStatus.OK else None

    def _published(self, url: str, note: str) -> bytes:
        try:
            return self.caller.get(_join(url, _published_path(_head(note).origin))).body
        except WitnessError:
            return b""

    def _keep_evidence(self, name: str, ours: str, theirs: bytes) -> None:
        """Keep both heads. Two heads signed by one key that contradict each other prove a fork."""
        files.make_directory(self.evidence, mode=0o700)
        stem = f"{_head(ours).size:012d}-{sha256(name.encode('utf-8')).hexdigest()[:16]}"
        files.replace(self.evidence / f"{stem}-ours", ours.encode("utf-8"))
        if theirs:
            files.replace(self.evidence / f"{stem}-theirs", theirs)

    def _complain(self, name: str, problem: str) -> None:
        """Say why a witness is missing, once for each reason: it is asked every second."""
        if self.problems.get(name) != problem:
            logger.warning("A witness did not cosign: %s", problem)
        self.problems[name] = problem


def _join(url: str, path: str) -> str:
    return f"{url.rstrip('/')}/{path}"


def _published_path(origin: str) -> str:
    """Return where a witness publishes what it cosigned last (tlog-witness, "monitoring")."""
    return f"{sha256(origin.encode('utf-8')).hexdigest()}/checkpoint"


def _known_size(answer: Answer, name: str, *, told: int, size: int) -> int:
    """Return the size that a witness knows, from its 409 to a submission of `size` from `told`.

    Raises WitnessConflictError where it saw more, or another root: tlog-witness v1.0.0 says so of
    equal sizes by a 409 as well, and can then name no other size than it was told.
    """
    known = None
    if answer.content_type.partition(";")[0].strip() == _SIZE_TYPE:
        try:
            text = answer.body.decode("ascii", "replace")
            known = decimal(text.removesuffix("\n"), "the size a witness knows")
        except NotVerifiedError as error:
            raise WitnessError(str(error)) from error
    if told == size and known in (None, size):
        raise WitnessConflictError(f"the witness {name} saw another root of this size")
    if known is None:
        raise WitnessError(f"The witness {name} answered 409 and named no size.")
    if known > size:
        raise WitnessConflictError(f"the witness {name} has seen the larger {known}")
    return known


def _head(note: str) -> Tree:
    return parse_tree(checkpoint.parse(note.encode("utf-8")))


def signed_head(data: bytes, keys: Sequence[Key]) -> Tree:
    """Return the head that a note states. Raises NoteError unless the log itself signed it."""
    note = checkpoint.parse(data)
    try:
        head = parse_tree(note)
    except NotVerifiedError as error:
        raise NoteError(str(error)) from error
    if head.origin != keys[0].name or not checkpoint.signers(note, keys, head):
        raise NoteError("The head is not signed by the log.")
    return head


def _verified_line(answer: bytes, key: Key, note: str) -> str:
    """Return the one line of the answer that is by `key` and holds."""
    text = note[: note.rindex("\n\n") + 1]
    for line in answer.decode("utf-8", "replace").splitlines():
        candidate = f"{text}\n{line}\n"
        try:
            parsed = checkpoint.parse(candidate.encode("utf-8"))
            if checkpoint.signers(parsed, [key], parse_tree(parsed)) == [key]:
                return f"{line}\n"
        except (NoteError, NotVerifiedError):
            continue
    raise WitnessError(f"The witness {key.name} answered without its signature.")
