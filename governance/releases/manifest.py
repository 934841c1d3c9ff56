"""The signed description of a release and the signed list of what was called back from it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import rfc8785
from django.conf import settings

from audit import ports, signing
from audit.signing import Envelope
from governance.capture import recipes
from governance.redaction import engine

MANIFEST: Final = "application/vnd.remit.release-manifest.v1+json"
RECALLS: Final = "application/vnd.remit.recall-list.v1+json"
MEDIA_TYPE: Final = "application/jsonl"
_COMMITMENT: Final = b"remit consent commitment v1\0"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the manifest says of one contributor's file; digest and length are of the plaintext."""

    name: str
    media_type: str
    length: int
    sha256: str
    episodes: int
    steps: int
    consent_commitments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What the manifest says of the release as a whole."""

    release_id: UUID
    purpose: str
    created_at: datetime
    applications: Sequence[str]
    categories: Sequence[str]
    files: Sequence[FileFacts]
    policies: Sequence[str]
    recall: Mapping[str, Any]


def consent_commitment(*, release_id: UUID, subject: str, consent_event: str) -> str:
    """Return what proves to the contributor, and to nobody else, which consent a file rests on.

    HMAC-SHA-256 under the person's own tag key, which they may take home.
    """
    key = ports.keys().tag_key(owner=subject)
    message = _COMMITMENT + release_id.bytes + b"\0" + consent_event.encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def sign_manifest(facts: ReleaseFacts) -> tuple[Envelope, str]:
    """Return the signed manifest and the SHA-256 of its body."""
    body = rfc8785.dumps(_document(facts))
    return (
        signing.dsse_sign(key="release", payload_type=MANIFEST, body=body),
        hashlib.sha256(body).hexdigest(),
    )


def sign_recalls(*, release_id: UUID, number: int, at: datetime, files: Sequence[str]) -> Envelope:
    """Return the signed list of every file called back so far. It gives no reasons.

    `at` is when it is told, never when somebody acted.
    """
    body = rfc8785.dumps(
        {
            "schema": "recall-list/1",
            "release_id": str(release_id),
            "number": number,
            "issued_at": _time(at),
            "files": sorted(files),
            "demand": "Delete these files and everything derived from them; attest in 7 days.",
        }
    )
    return signing.dsse_sign(key="release", payload_type=RECALLS, body=body)


def recall_list(envelope: Envelope) -> tuple[datetime, int]:
    """Return of a signed list when it is told, and how many files it names."""
    body = json.loads(base64.b64decode(envelope["payload"]))
    return datetime.fromisoformat(body["issued_at"]), len(body["files"])


def _document(facts: ReleaseFacts) -> dict[str, Any]:
    files: list[dict[str, Any]] = [
        asdict(one) | {"consent_commitments": list(one.consent_commitments)} for one in facts.files
    ]
    return {
        "schema": "release-manifest/1",
        "release_id": str(facts.release_id),
        "purpose": facts.purpose,
        "created_at": _time(facts.created_at),
        "applications": list(facts.applications),
        "categories": list(facts.categories),
        "contributors": len(files),
        "files": files,
        "redaction": {
            "version": engine.VERSION,
            "patterns_sha256": recipes.recipe(),
            "text": "Names and numbers of people are masked before anything is stored.",
            "recall": dict(facts.recall),
        },
        "governance": _governance(facts),
    }


def _governance(facts: ReleaseFacts) -> dict[str, Any]:
    """Return what AI Act Art. 10(2) asks of training data, as far as the service knows it (R84)."""
    steps = sum(one.steps for one in facts.files)
    episodes = sum(one.episodes for one in facts.files)
    return {
        "controller": settings.REMIT_ORGANISATION,
        "origin": "Recorded by an agent on the contributors' own work devices while they worked.",
        "collection": "Opt-in per purpose, application and data category; off by default.",
        "original_purpose": facts.purpose,
        "policies": list(facts.policies),
        "preparation": [
            "events refused that consent or policy did not cover when they happened or now",
            "typed text rebuilt and masked, then searched again",
            "typing times cut to 1 s, rhythm to 20 ms",
            "one random pseudonym per contributor and release",
        ],
        "assumptions": "A step shows what a person did, not that it was the best way to do it.",
        "quantity": {"contributors": len(facts.files), "episodes": episodes, "steps": steps},
        "suitability": "Operating the named applications. No evaluation of people, in any form.",
        "bias_examination": (
            "Contributors are volunteers; who they are is not known here, so groups cannot be"
            " compared."
        ),
        "gaps": "Steps marked gap_before follow something that is missing; why is not disclosed.",
        "coordinates": "pixels of the recorded screen",
        "images": (
            "An episode's images stand in it by name, base64 of PNG or JPEG; a step names the one"
            " it was taken before. All that was not read and found harmless is painted over."
        ),
        "masked_text": "A masked run is written once as its type, for example <EMAIL>.",
    }


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
