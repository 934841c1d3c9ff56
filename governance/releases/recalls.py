"""Calls back what was released of a person: rows and signed list now, keys with the commit.

Promises: from the commit on no file of the person in reach of the recall can be fetched; its key
is destroyed right after, and by a job should the process die in between; consumers see a signed
list without reasons. A file goes whole: a trajectory with holes cut into it would tell where.
The list is told with all others of its day (R18, R85): neither its time nor its length says who
acted, nor when.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit import daily, journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from consent.selectors import Cell
from governance.capture import rereading
from governance.capture import selectors as captures
from governance.jobs import services as jobs
from governance.releases import manifest
from governance.releases.building import KIND, file_name, object_ref
from governance.releases.models import DatasetRelease, ReleaseFile, ReleaseRecall
from governance.releases.states import ReleaseState
from governance.releases.steps import release_state, release_step
from governance.vault import orphans, shredding, storage

RECALLER: Final = Actor.system("recall")
DESTROY_JOB: Final = "release:destroy"


def recall_subject(*, subject: str, cells: Sequence[Cell] | None, reason: str) -> int:
    """Recall what releases hold of a person: of these cells, or (None) everything.

    In the caller's transaction; returns how many files. Repeating it changes nothing.
    """
    files = ReleaseFile.objects.filter(subject=subject, recall=None)
    if cells is not None:
        reached = Q(pk__in=())
        for cell in cells:
            reached |= Q(
                release__purpose=cell.purpose,
                items__application=cell.application,
                items__category=cell.category,
            )
        files = files.filter(reached)
    _stop_builds(subject, purposes=None if cells is None else {cell.purpose for cell in cells})
    return _recall(files.distinct(), reason=reason)


def recall_frames(*, subject: str, frames: Sequence[UUID], reason: str) -> int:
    """Recall the files that hold these frames of a person, under this id or an earlier one."""
    reached = Q(items__frame_id__in=list(frames))
    for batch_id, application, category in captures.origins(frames):
        reached |= Q(
            items__batch_id=batch_id, items__application=application, items__category=category
        )
    files = ReleaseFile.objects.filter(reached, subject=subject, recall=None)
    _stop_builds(subject, purposes=None)
    return _recall(files.distinct(), reason=reason)


@rereading.on_change
def recall_changed(subject: str, frames: Sequence[UUID]) -> int:
    """Recall the files that hold what redaction had missed; in the caller's transaction."""
    return recall_frames(subject=subject, frames=frames, reason="redacted-again")


@jobs.handler(DESTROY_JOB)
def destroy(ref: str, fence: jobs.Fence) -> None:
    """Destroy key and bytes of the recalled file with id `ref`."""
    _destroy_file(UUID(ref))
    with transaction.atomic():
        jobs.finish(fence)


def _recall(files: Iterable[ReleaseFile], *, reason: str) -> int:
    now = timezone.now()
    recalled = 0
    for file in files:
        release = DatasetRelease.objects.select_for_update().get(pk=file.release_id)
        if ReleaseRecall.objects.filter(file=file).exists():
            continue
        _recall_file(release, file, reason=reason, now=now)
        recalled += 1
    return recalled


def _recall_file(release: DatasetRelease, file: ReleaseFile, *, reason: str, now: datetime) -> None:
    entry = journal.append(
        Action.RELEASE_RECALLED,
        actor=RECALLER,
        subject=file.subject,
        purpose=release.purpose,
        act="recall",
        private={"release": str(release.id), "reason": reason},
    )
    names = list(release.recalls.values_list("file__name", flat=True))
    number = len(names) + 1
    ReleaseRecall.objects.create(
        id=uuid7(now),
        release=release,
        file=file,
        number=number,
        reason=reason,
        at=now,
        envelope=manifest.sign_recalls(
            release_id=release.id, number=number, at=daily.end_of(now), files=[*names, file.name]
        ),
        entry=entry,
    )
    whole = number == release.files.count()
    state = ReleaseState.RECALLED if whole else ReleaseState.AFFECTED
    if release_state(release) is not state:
        release_step(release, state, at=now, entry=entry)
    jobs.add(kind=DESTROY_JOB, ref=str(file.id))
    transaction.on_commit(partial(_destroy_file, file.id), robust=True)


def _destroy_file(file_id: UUID) -> None:
    file = ReleaseFile.objects.select_related("release").get(pk=file_id)
    shredding.destroy_object(kind=KIND, ref=object_ref(file.release, file.name))
    storage.delete(file.object_key)


def _stop_builds(subject: str, *, purposes: Collection[str] | None) -> None:
    """Destroy the key that releases under construction may hold for this person.

    Such a build then goes on without them: sealing again under a destroyed key is refused.
    """
    for release in DatasetRelease.objects.filter(manifest=None):
        concerned = purposes is None or release.purpose in purposes
        if concerned and release_state(release) is ReleaseState.BUILDING:
            ref = object_ref(release, file_name(release, subject))
            transaction.on_commit(
                partial(shredding.destroy_object, kind=KIND, ref=ref), robust=True
            )


@orphans.claim("releases")
def needed(keys: Collection[str]) -> set[str]:
    """Return which of these objects are files that were not called back."""
    files = ReleaseFile.objects.filter(object_key__in=keys, recall=None)
    return set(files.values_list("object_key", flat=True))
