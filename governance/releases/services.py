"""What may be done with requests and releases; the rest of the house calls these."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

import audit.selectors
import consent.selectors
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from governance.capture import gate
from governance.decisions import Reason
from governance.releases import selectors
from governance.releases.building import KIND, object_ref
from governance.releases.errors import (
    RedactionUnprovenError,
    ReleaseNotFoundError,
    ReleaseNotReadyError,
    ReleaseRecalledError,
)
from governance.releases.manifest import MEDIA_TYPE
from governance.releases.models import DatasetRelease, ReleaseFile, ReleaseRecall
from governance.releases.recalls import recall_frames, recall_subject
from governance.releases.requests import (
    Wish,
    approve,
    refuse_prohibited,
    reject,
    request_access,
)
from governance.releases.states import ReleaseState
from governance.releases.steps import release_state
from governance.vault import storage
from governance.vault.errors import KeyShreddedError, UnsealError

_RECENT: Final = 10

__all__ = [
    "OpenFile",
    "Wish",
    "approve",
    "open_file",
    "recall_frames",
    "recall_subject",
    "reject",
    "request_access",
]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A release's file on its way out."""

    name: str
    media_type: str
    sha256: str
    plaintext: bytes
    entry_header: str


@contextmanager
def open_file(
    *,
    release_id: UUID,
    name: str,
    purpose: str,
    actor: Actor,
    request_id: UUID | None = None,
) -> Iterator[OpenFile]:
    """Yield one contributor's file for a stated purpose; the access is an entry first.

    PurposeProhibitedError, ReleaseNotFoundError, ReleaseNotReadyError, ReleaseRecalledError, and
    whatever the gate refuses: no approved request, consent gone, past its date, a conflict of
    interest.
    """
    refuse_prohibited(purpose=purpose, actor=actor, act="download-release")
    release = selectors.find_release(release_id=release_id, reader=actor)
    file = _fetchable(release, name, purpose=purpose, actor=actor)
    asked = request_id or uuid7()
    try:
        sealed = storage.get(file.object_key)
    except UnsealError as error:
        raise ReleaseRecalledError("The file is gone.") from error
    try:
        with gate.open_object(
            actor=actor,
            purpose=purpose,
            kind=KIND,
            ref=object_ref(release, file.name),
            subject=file.subject,
            sealed=sealed,
            is_live=True,
            retain_until=file.retain_until,
            consented=purpose == release.purpose and _is_consented(file, purpose),
            private={"release": str(release.id)},
            request_id=asked,
        ) as plaintext:
            header = _entry_header(file.subject, asked)
            yield OpenFile(file.name, MEDIA_TYPE, file.sha256, plaintext, header)
    except KeyShreddedError as error:
        raise ReleaseRecalledError("The file is gone.") from error


def _fetchable(release: DatasetRelease, name: str, *, purpose: str, actor: Actor) -> ReleaseFile:
    """Return the file's row, or say why there is nothing to fetch; a recall is a refusal."""
    state = release_state(release)
    file = ReleaseFile.objects.filter(release=release, name=name).first()
    if file is None:
        if state.was_published:
            raise ReleaseNotFoundError
        if state is ReleaseState.UNPROVEN:
            raise RedactionUnprovenError
        raise ReleaseNotReadyError(state.value)
    if ReleaseRecall.objects.filter(file=file).exists():
        gate.refuse(
            actor=actor,
            purpose=purpose,
            reason=Reason.RECALLED,
            subject=file.subject,
            act="download-release",
        )
        raise ReleaseRecalledError("The file was recalled.")
    return file


def _entry_header(subject: str, request_id: UUID) -> str:
    """Return which entry records this read, as the gate noted the request in it."""
    found = audit.selectors.entries_about(
        subject=subject, events=[Action.ACCESS_ALLOWED], limit=_RECENT
    )
    for entry in found:
        if entry.details.get("request") == str(request_id):
            return f"{entry.uuid}; leaf={base64.b64encode(entry.leaf_hash).decode('ascii')}"
    return ""


def _is_consented(file: ReleaseFile, purpose: str) -> bool:
    """Tell whether the contributor's consent holds now for everything in the file."""
    now = timezone.now()
    cells = set(file.items.values_list("application", "category"))
    return all(
        consent.selectors.valid_at(
            subject=file.subject,
            purpose=purpose,
            application=application,
            category=category,
            at=now,
        )
        for application, category in cells
    )
