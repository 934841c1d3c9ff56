"""Builds a release: opens what may be used now, writes trajectories, publishes what still may.

Promises: every record passes the gate; consent is asked for again, under the contributors' locks,
in the transaction that publishes; fewer contributors than the minimum and nothing is published;
plaintext exists in memory only. Run again after a crash it makes the same files under the same
keys. A withdrawal in between destroys those keys, and the build goes on without that person.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

import consent.selectors
from audit import health, journal
from audit.actions import Action
from audit.actors import Actor
from audit.errors import LogUnavailableError
from audit.ids import uuid7
from governance.accounts import selectors as accounts
from governance.capture import gate
from governance.capture import selectors as captures
from governance.capture.errors import AccessDeniedError, RecordGoneError
from governance.capture.gate import FrameInfo
from governance.decisions import Reason
from governance.jobs import services as jobs
from governance.jobs.errors import PostponeError
from governance.policies import purposes
from governance.releases import agentnet, manifest, proof
from governance.releases.models import (
    DatasetRelease,
    ReleaseFile,
    ReleaseItem,
    ReleaseManifest,
)
from governance.releases.requests import BUILD_JOB
from governance.releases.states import ReleaseState
from governance.releases.steps import release_state, release_step
from governance.vault import sealing, shredding, storage
from governance.vault.errors import KeyShreddedError

if TYPE_CHECKING:
    from audit.models import Entry

BUILDER: Final = Actor.system("release-builder")
KIND: Final = "release"
LOG_RETRY_SECONDS: Final = 5
_PAGE: Final = 100
_PSEUDONYM_HEX: Final = 16


@dataclass(frozen=True, slots=True)
class _Made:
    """One contributor's sealed file, waiting to be published."""

    subject: str
    name: str
    frames: Sequence[FrameInfo]
    object_key: str
    facts: manifest.FileFacts


def pseudonym(release: DatasetRelease, subject: str) -> str:
    """Return the contributor's name in this release: random by its salt, unlinkable elsewhere."""
    digest = hmac.new(bytes(release.salt), subject.encode(), hashlib.sha256)
    return digest.hexdigest()[:_PSEUDONYM_HEX]


def file_name(release: DatasetRelease, subject: str) -> str:
    return f"traj-{pseudonym(release, subject)}.jsonl"


def object_ref(release: DatasetRelease, name: str) -> str:
    """Return what the vault calls a release's file."""
    return f"{release.id}/{name}"


def give_up(ref: str) -> None:
    """Say that the release could not be built."""
    _withhold(DatasetRelease.objects.get(id=UUID(ref)), "failed", now=timezone.now())


@jobs.handler(BUILD_JOB, quarantined=give_up)
def build(ref: str, fence: jobs.Fence) -> None:
    """Bring the ordered release with id `ref` to its end: published, or withheld."""
    release = DatasetRelease.objects.select_related("request").get(id=UUID(ref))
    if release_state(release) is not ReleaseState.BUILDING:
        return
    if purposes.is_prohibited(release.purpose):
        raise gate.refuse(
            actor=BUILDER,
            purpose=release.purpose,
            reason=Reason.PURPOSE_PROHIBITED,
            act="build",
        )
    try:
        health.require_open()
        made = _make_all(release, fence)
    except LogUnavailableError as error:
        raise PostponeError(LOG_RETRY_SECONDS) from error
    _publish(release, made, fence)


def _candidates(release: DatasetRelease) -> dict[str, list[FrameInfo]]:
    """Return by subject what may be used now; people the requester manages are left out (R24)."""
    frames = captures.candidates(
        purpose=release.purpose,
        applications=release.request.applications,
        categories=release.request.categories,
    )
    reports = accounts.all_reports(manager=release.requester)
    by_subject: dict[str, list[FrameInfo]] = {}
    for frame in frames:
        if frame.subject not in reports:
            by_subject.setdefault(frame.subject, []).append(frame)
    return by_subject


def _make_all(release: DatasetRelease, fence: jobs.Fence) -> list[_Made]:
    candidates = _candidates(release)
    if len(candidates) < settings.REMIT_MIN_CONTRIBUTORS:
        return []  # Too few to hide among: nobody's data is opened for nothing.
    made: list[_Made] = []
    for subject in sorted(candidates):
        fence.renew()
        try:
            one = _make(release, subject, candidates[subject])
        except (AccessDeniedError, RecordGoneError, KeyShreddedError):
            continue  # Withdrawn, deleted or erased since: this person is not in it.
        if one is not None:
            made.append(one)
    return made


def _make(release: DatasetRelease, subject: str, frames: Sequence[FrameInfo]) -> _Made | None:
    name = file_name(release, subject)
    episodes = list(_episodes(release, subject, frames))
    if not episodes:
        return None
    plaintext = b"".join(
        json.dumps(one, ensure_ascii=False, sort_keys=True).encode() + b"\n" for one in episodes
    )
    sealed = sealing.seal_object(
        kind=KIND, ref=object_ref(release, name), subject=subject, plaintext=plaintext
    )
    events = sorted({frame.consent_events[release.purpose] for frame in frames})
    commitments = tuple(
        manifest.consent_commitment(release_id=release.id, subject=subject, consent_event=event)
        for event in events
    )
    facts = manifest.FileFacts(
        name=name,
        media_type=manifest.MEDIA_TYPE,
        length=len(plaintext),
        sha256=hashlib.sha256(plaintext).hexdigest(),
        episodes=len(episodes),
        steps=sum(len(one["traj"]) for one in episodes),
        consent_commitments=commitments,
    )
    return _Made(subject, name, frames, storage.put(sealed).key, facts)


def _episodes(
    release: DatasetRelease, subject: str, frames: Sequence[FrameInfo]
) -> Iterable[dict[str, Any]]:
    """Yield one trajectory per application of one contributor."""
    by_application = sorted(frames, key=lambda frame: (frame.application, frame.id))
    for application, group in groupby(by_application, key=lambda frame: frame.application):
        records: list[tuple[str, list[dict[str, object]]]] = []
        ids = [frame.id for frame in group]
        for start in range(0, len(ids), _PAGE):
            with gate.open_records(
                actor=BUILDER, purpose=release.purpose, frames=ids[start : start + _PAGE]
            ) as opened:
                records += [(str(one.frame.batch_id), one.events) for one in opened]
        found = agentnet.episode(
            task_id=f"{pseudonym(release, subject)}-{application}",
            instruction=f"Work in {application} as the contributor did.",
            events=agentnet.ordered_by_session(records),
        )
        if found is not None:
            yield found


def _publish(release: DatasetRelease, made: Sequence[_Made], fence: jobs.Fence) -> None:
    """Ask for consent again under the locks, and write the release, in one transaction."""
    now = timezone.now()
    with transaction.atomic():
        for one in sorted(made, key=lambda each: each.subject):
            consent.selectors.lock(subject=one.subject, exclusive=False)
        fence.assert_held()
        usable = {frame.id for frames in _candidates(release).values() for frame in frames}
        kept = [one for one in made if _is_whole(release, one, usable)]
        found = proof.of(frame for one in kept for frame in one.frames)
        published = len(kept) >= settings.REMIT_MIN_CONTRIBUTORS and found.suffices
        if published:
            _write(release, kept, found, now=now)
        elif found.suffices:
            _withhold(release, "too_few_contributors", now=now)
        else:
            _withhold(release, "redaction_unproven", now=now, state=ReleaseState.UNPROVEN)
        jobs.finish(fence)
    for one in made:
        if not published or one not in kept:
            shredding.destroy_object(kind=KIND, ref=object_ref(release, one.name))
            storage.delete(one.object_key)


def _is_whole(release: DatasetRelease, one: _Made, usable: set[UUID]) -> bool:
    """Tell whether all of a file may still be used and its key was not destroyed meanwhile."""
    alive = not shredding.object_is_destroyed(kind=KIND, ref=object_ref(release, one.name))
    return alive and all(frame.id in usable for frame in one.frames)


def _write(
    release: DatasetRelease, kept: Sequence[_Made], found: proof.Proof, *, now: datetime
) -> None:
    entry = journal.append(
        Action.RELEASE_PUBLISHED,
        actor=BUILDER,
        purpose=release.purpose,
        act="publish",
        private={"release": str(release.id)},
    )
    frames = [frame for one in kept for frame in one.frames]
    envelope, digest = manifest.sign_manifest(
        manifest.ReleaseFacts(
            release_id=release.id,
            purpose=release.purpose,
            created_at=now,
            applications=sorted({frame.application for frame in frames}),
            categories=sorted({frame.category for frame in frames}),
            files=sorted((one.facts for one in kept), key=lambda facts: facts.name),
            policies=sorted({frame.policy_version for frame in frames}),
            recall=found.document(),
        )
    )
    ReleaseManifest.objects.create(release=release, envelope=envelope, digest=digest, entry=entry)
    for one in kept:
        _write_file(release, one, entry=entry, now=now)
    release_step(release, ReleaseState.PUBLISHED, at=now, entry=entry)


def _write_file(release: DatasetRelease, one: _Made, *, entry: "Entry", now: datetime) -> None:
    file = ReleaseFile.objects.create(
        id=uuid7(now),
        release=release,
        name=one.name,
        subject=one.subject,
        object_key=one.object_key,
        length=one.facts.length,
        sha256=one.facts.sha256,
        episodes=one.facts.episodes,
        steps=one.facts.steps,
        retain_until=min(frame.retain_until for frame in one.frames),
        entry=entry,
    )
    ReleaseItem.objects.bulk_create(
        ReleaseItem(
            file=file,
            frame_id=frame.id,
            batch_id=frame.batch_id,
            application=frame.application,
            category=frame.category,
            policy_version=frame.policy_version,
            consent_event=frame.consent_events[release.purpose],
            entry=entry,
        )
        for frame in one.frames
    )


def _withhold(
    release: DatasetRelease,
    reason: str,
    *,
    now: datetime,
    state: ReleaseState = ReleaseState.WITHHELD,
) -> None:
    entry = journal.append(
        Action.ACCESS_REJECTED,
        actor=BUILDER,
        purpose=release.purpose,
        act="build",
        private={"release": str(release.id), "reason": reason},
    )
    release_step(release, state, at=now, entry=entry)
