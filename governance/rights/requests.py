"""Requests under Art. 15 to 21: what was asked, until when it is owed, where it stands."""

import calendar
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from governance.rights.errors import RequestChangeError, RequestNotFoundError
from governance.rights.models import RequestStep, RightsRequest
from governance.rights.states import REQUEST_CHANGES, Kind, RequestStatus

if TYPE_CHECKING:
    from audit.models import Entry


def due(received_at: datetime) -> datetime:
    """Return the same day one month on, or that month's last day (GDPR Art. 12(3))."""
    year, month = divmod(received_at.year * 12 + received_at.month, 12)
    month += 1
    day = min(received_at.day, calendar.monthrange(year, month)[1])
    return received_at.replace(year=year, month=month, day=day)


@transaction.atomic
def open_request(
    *, subject: str, kind: Kind, actor: Actor, words: str = "", now: datetime | None = None
) -> RightsRequest:
    """Take a request in and confirm it at once; the clock starts with its arrival."""
    moment = now or timezone.now()
    entry = journal.append(
        Action.RIGHTS_REQUESTED, actor=actor, subject=subject, private={"kind": kind.value}
    )
    request = RightsRequest.objects.create(
        id=uuid7(moment),
        subject=subject,
        kind=kind.value,
        words=words,
        received_at=moment,
        due_at=due(moment),
        entry=entry,
    )
    for number, status in enumerate((RequestStatus.INITIATED, RequestStatus.ACKNOWLEDGED), 1):
        _step(request, number=number, status=status, at=moment, entry=entry)
    return request


@transaction.atomic
def advance(
    *,
    request: RightsRequest,
    status: RequestStatus,
    entry: "Entry",
    now: datetime | None = None,
) -> None:
    """Move a request on; a request that stands there already stays. RequestChangeError."""
    last = latest_step(request)
    current = RequestStatus(last.status)
    if current is status:
        return
    if status not in REQUEST_CHANGES[current]:
        raise RequestChangeError(f"{current} does not become {status}.")
    _step(request, number=last.number + 1, status=status, at=now or timezone.now(), entry=entry)


@transaction.atomic
def fulfil(
    *,
    request: RightsRequest,
    actor: Actor,
    entry: "Entry | None" = None,
    now: datetime | None = None,
) -> None:
    """Note that what was asked is done, whatever stood between; twice is once.

    Where `entry` says so already (an erasure, privately), there is no other.
    """
    if RequestStatus(latest_step(request).status) is RequestStatus.FULFILLED:
        return
    entry = entry or journal.append(
        Action.RIGHTS_FULFILLED,
        actor=actor,
        subject=request.subject,
        private={"kind": request.kind},
    )
    if RequestStatus(latest_step(request).status) is RequestStatus.ACKNOWLEDGED:
        advance(request=request, status=RequestStatus.ACCEPTED, entry=entry, now=now)
    advance(request=request, status=RequestStatus.FULFILLED, entry=entry, now=now)


def latest_step(request: RightsRequest) -> RequestStep:
    """Return where a request stands. Every request has a step from its first moment on."""
    step = request.steps.order_by("-number").first()
    if step is None:
        raise RequestNotFoundError
    return step


def find(*, subject: str, request_id: UUID) -> RightsRequest:
    """Return a person's own request. RequestNotFoundError for none and for another's."""
    request = RightsRequest.objects.filter(subject=subject, id=request_id).first()
    if request is None:
        raise RequestNotFoundError
    return request


def _step(
    request: RightsRequest, *, number: int, status: RequestStatus, at: datetime, entry: "Entry"
) -> None:
    RequestStep.objects.create(
        id=uuid7(at), request=request, number=number, status=status.value, at=at, entry=entry
    )
