"""Asking witnesses to cosign: the client of C2SP tlog-witness.

Promises: every witness is asked in parallel and has two seconds; what it answers counts only when
its signature verifies under the key of the policy. A witness that saw another history stops the
log (WitnessConflictError); one that is silent only goes missing from the quorum.
"""

import base64
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import httpx

from audit import checkpoint
from audit.errors import NoteError, WitnessConflictError, WitnessError
from audit.verifier.checkpoint import parse_tree
from audit.verifier.encoding import decimal
from audit.verifier.errors import NotVerifiedError
from audit.verifier.keys import Key
from audit.verifier.policy import Policy

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
    """Remembers, for one run, how far each witness is; a wrong guess costs one 409."""

    sizes: dict[str, int] = field(default_factory=dict)

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
        for answer in answers:
            try:
                found.append(answer.result())
            except (httpx.HTTPError, WitnessError):
                # Missing or confused: the quorum decides whether that matters.
                continue
        return found

    def _one(self, name: str, url: str, key: Key, note: str, proof_from: Proof) -> Cosigned:
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            answer = self._submit(client, url, note, self.sizes.get(name, 0), proof_from)
            if answer.status_code == httpx.codes.CONFLICT:
                known = _known_size(answer, name)
                if known > _size(note):
                    raise WitnessConflictError(f"the witness {name} has seen the larger {known}")
                answer = self._submit(client, url, note, known, proof_from)
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            raise WitnessConflictError(f"the witness {name} saw another history")
        if answer.status_code != httpx.codes.OK:
            raise WitnessError(f"The witness {name} answered {answer.status_code}.")
        line = _verified_line(answer.content, key, note)
        self.sizes[name] = _size(note)
        return Cosigned(name, key, line)

    def _submit(
        self, client: httpx.Client, url: str, note: str, old: int, proof_from: Proof
    ) -> httpx.Response:
        lines = [f"old {old}"]
        lines += [base64.b64encode(part).decode("ascii") for part in proof_from(old)]
        content = "\n".join(lines) + "\n\n" + note
        endpoint = url.rstrip("/") + "/add-checkpoint"
        with client.stream("POST", endpoint, content=content.encode("utf-8")) as answer:
            body = b""
            for part in answer.iter_raw():
                body += part
                if len(body) > _LONGEST_ANSWER:
                    raise WitnessError("The answer is too long.")
            return httpx.Response(answer.status_code, headers=answer.headers, content=body)


def _known_size(answer: httpx.Response, name: str) -> int:
    if answer.headers.get("content-type") != _SIZE_TYPE:
        # tlog-witness v1.0.0 answers so for another root of the same size.
        raise WitnessConflictError(f"the witness {name} saw another root of this size")
    try:
        return decimal(answer.text.removesuffix("\n"), "the size a witness knows")
    except NotVerifiedError as error:
        raise WitnessError(str(error)) from error


def _size(note: str) -> int:
    return parse_tree(checkpoint.parse(note.encode("utf-8"))).size


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
