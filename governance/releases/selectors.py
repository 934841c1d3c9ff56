"""Questions about requests and releases. None of them names a contributor to anyone else."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.actors import Actor
from audit.signing import Envelope
from governance.accounts.roles import Role
from governance.releases.errors import (
    RedactionUnprovenError,
    ReleaseNotFoundError,
    ReleaseNotReadyError,
    RequestNotFoundError,
)
from governance.releases.manifest import recall_list
from governance.releases.models import AccessRequest, DatasetRelease, ReleaseFile, ReleaseRecall
from governance.releases.requests import state_of
from governance.releases.states import ReleaseState, RequestState
from governance.releases.steps import release_state

_OFFICES = frozenset({Role.PRIVACY_OFFICER, Role.POLICY_APPROVER, Role.AUDITOR})


class ApprovalView(NamedTuple):
    """One yes: in which office and when; not by whom."""

    role: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as a page or the API shows it."""

    id: UUID
    requester: str
    purpose: str
    applications: tuple[str, ...]
    categories: tuple[str, ...]
    reason: str
    state: RequestState
    note: str
    requested_at: datetime
    expires_at: datetime
    approvals: tuple[ApprovalView, ...]
    release_id: UUID | None


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release as a page or the API shows it. The number of contributors is only bounded below.

    State and number of recalled files are those that the recall lists tell by now.
    """

    id: UUID
    request_id: UUID
    requester: str
    purpose: str
    applications: tuple[str, ...]
    categories: tuple[str, ...]
    state: ReleaseState
    ordered_at: datetime
    published_at: datetime | None
    contributors_at_least: int
    recalls: int
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class HeldFile:
    """What one release holds of one person, as that person sees it."""

    release_id: UUID
    purpose: str
    name: str
    published_at: datetime
    cells: tuple[tuple[str, str], ...]
    recalled_at: datetime | None


def requests(*, reader: Actor) -> list[RequestView]:
    """Return the requests this reader may see, newest first."""
    return [_request_view(asked) for asked in _requests(reader).order_by("-id")]


def request(*, request_id: UUID, reader: Actor) -> RequestView:
    """Return one request. RequestNotFoundError when there is none, or not for this reader."""
    asked = _requests(reader).filter(id=request_id).first()
    if asked is None:
        raise RequestNotFoundError
    return _request_view(asked)


def releases(*, reader: Actor) -> list[ReleaseView]:
    """Return the releases this reader may see, newest first."""
    return [_release_view(one) for one in _releases(reader).order_by("-id")]


def release(*, release_id: UUID, reader: Actor) -> ReleaseView:
    """Return one release. ReleaseNotFoundError when there is none, or not for this reader."""
    return _release_view(find_release(release_id=release_id, reader=reader))


def find_release(*, release_id: UUID, reader: Actor) -> DatasetRelease:
    """Return the row behind `release`. ReleaseNotFoundError."""
    found = _releases(reader).filter(id=release_id).first()
    if found is None:
        raise ReleaseNotFoundError
    return found


def manifest(*, release_id: UUID, reader: Actor) -> Envelope:
    """Return the signed manifest.

    ReleaseNotFoundError, ReleaseNotReadyError, RedactionUnprovenError.
    """
    found = find_release(release_id=release_id, reader=reader)
    state = release_state(found)
    if state is ReleaseState.UNPROVEN:
        raise RedactionUnprovenError
    if state in (ReleaseState.BUILDING, ReleaseState.WITHHELD):
        raise ReleaseNotReadyError(state.value)
    envelope: Envelope = found.manifest.envelope
    return envelope


def recalls(*, release_id: UUID, reader: Actor) -> list[Envelope]:
    """Return the signed recall lists that are told by now, newest first.

    The first one names every file that was called back before its time; one is told at most once
    in REMIT_RECALL_SECONDS.
    """
    return _told(find_release(release_id=release_id, reader=reader))


def approved_purposes(reader: str) -> set[str]:
    """Return the purposes of requests of this person that two others approved and that are open.

    Wired into the gate: without one, no data requester reads anything.
    """
    open_requests = AccessRequest.objects.filter(requester=reader, expires_at__gt=timezone.now())
    return {asked.purpose for asked in open_requests if state_of(asked) is RequestState.APPROVED}


def held_of(*, subject: str) -> list[HeldFile]:
    """Return what releases hold, or held, of one person; for that person alone."""
    files = ReleaseFile.objects.filter(subject=subject).select_related("release", "entry")
    return [_held(file) for file in files.order_by("-id")]


def _held(file: ReleaseFile) -> HeldFile:
    cells = set(file.items.values_list("application", "category"))
    recall = ReleaseRecall.objects.filter(file=file).first()
    return HeldFile(
        release_id=file.release_id,
        purpose=file.release.purpose,
        name=file.name,
        published_at=file.entry.occurred_at,
        cells=tuple(sorted(cells)),
        recalled_at=recall.at if recall else None,
    )


def _requests(reader: Actor) -> QuerySet[AccessRequest]:
    if reader.role in _OFFICES:
        return AccessRequest.objects.all()
    own = Q(requester=reader.key) if reader.role == Role.DATA_REQUESTER else Q(pk__in=())
    return AccessRequest.objects.filter(own)


def _releases(reader: Actor) -> QuerySet[DatasetRelease]:
    if reader.role in _OFFICES:
        return DatasetRelease.objects.all()
    own = Q(requester=reader.key) if reader.role == Role.DATA_REQUESTER else Q(pk__in=())
    return DatasetRelease.objects.filter(own)


def _request_view(asked: AccessRequest) -> RequestView:
    latest = asked.steps.order_by("-number")[0]
    release = DatasetRelease.objects.filter(request=asked).first()
    return RequestView(
        id=asked.id,
        requester=asked.requester,
        purpose=asked.purpose,
        applications=tuple(asked.applications),
        categories=tuple(asked.categories),
        reason=asked.reason,
        state=RequestState(latest.state),
        note=latest.note,
        requested_at=asked.requested_at,
        expires_at=asked.expires_at,
        approvals=tuple(
            ApprovalView(one.role, one.at) for one in asked.approvals.order_by("at", "id")
        ),
        release_id=release.id if release else None,
    )


def _told(found: DatasetRelease) -> list[Envelope]:
    """Return the lists told by now; of those of one time the last: the others show single acts."""
    rows = ReleaseRecall.objects.filter(release=found).order_by("-number")
    told: list[Envelope] = []
    latest = timezone.now()
    for envelope in rows.values_list("envelope", flat=True):
        at, _ = recall_list(envelope)
        if at <= latest:
            told.append(envelope)
            latest = at - at.resolution
    return told


def _told_state(found: DatasetRelease, *, recalled: int) -> ReleaseState:
    """Return where a release stands as far as it is told: by the lists, not by the last act."""
    state = release_state(found)
    if state not in (ReleaseState.AFFECTED, ReleaseState.RECALLED):
        return state
    if not recalled:
        return ReleaseState.PUBLISHED
    whole = recalled == found.files.count()
    return ReleaseState.RECALLED if whole else ReleaseState.AFFECTED


def _release_view(found: DatasetRelease) -> ReleaseView:
    published = found.steps.filter(state=ReleaseState.PUBLISHED.value).first()
    told = _told(found)
    recalled = recall_list(told[0])[1] if told else 0
    return ReleaseView(
        id=found.id,
        request_id=found.request_id,
        requester=found.requester,
        purpose=found.purpose,
        applications=tuple(found.request.applications),
        categories=tuple(found.request.categories),
        state=_told_state(found, recalled=recalled),
        ordered_at=found.ordered_at,
        published_at=published.at if published else None,
        contributors_at_least=settings.REMIT_MIN_CONTRIBUTORS if published else 0,
        recalls=recalled,
        manifest_sha256=found.manifest.digest if published else "",
    )
