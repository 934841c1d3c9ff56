"""What a person may know about their own choices, requests and erasures."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import consent.selectors
from consent.selectors import Cell, CellState
from consent.status import ConsentStatus
from governance.policies import selectors as policies
from governance.rights import requests
from governance.rights.models import ErasureOrder, RightsRequest
from governance.rights.states import ErasureState, RequestStatus


@dataclass(frozen=True, slots=True)
class OfferedChoice:
    """One cell as the person sees it: what is asked, what was answered, what the answer needs.

    `notice_version` is the notice to be read now (None: there is none in this language, so it
    cannot be allowed); `is_outdated` says that a yes was given for another scope and no longer
    counts.
    """

    purpose: str
    application: str
    category: str
    status: ConsentStatus
    is_valid: bool
    is_outdated: bool
    valid_until: datetime | None
    decided_at: datetime | None
    notice_version: str | None
    policy_version: str | None
    retention_days: int | None


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request and where it stands."""

    id: UUID
    kind: str
    words: str
    status: RequestStatus
    received_at: datetime
    due_at: datetime
    erasure: ErasureState | None
    has_certificate: bool


@dataclass(frozen=True, slots=True)
class ErasureView:
    """An order with every station it reached, in order."""

    id: UUID
    subject: str
    application: str
    category: str
    reason: str
    ordered_at: datetime
    state: ErasureState
    reached: list[tuple[ErasureState, datetime]]
    has_certificate: bool


def offered_choices(*, subject: str, language: str) -> list[OfferedChoice]:
    """Return every cell on offer with the person's answer, then answers no longer asked for."""
    known = consent.selectors.states(subject=subject)
    notices: dict[str, str | None] = {}
    found = []
    for cell in policies.offered_cells():
        if cell.purpose not in notices:
            notice = consent.selectors.current_notice(purpose=cell.purpose, language=language)
            notices[cell.purpose] = notice.reference if notice else None
        key = Cell(cell.purpose, cell.application, cell.category)
        found.append(_choice(key, known.pop(key, None), cell, notices[cell.purpose]))
    return found + [_choice(key, state, None, None) for key, state in sorted(known.items())]


def _choice(
    cell: Cell,
    state: CellState | None,
    offered: policies.OfferedCell | None,
    notice: str | None,
) -> OfferedChoice:
    is_given = state is not None and state.is_valid
    same_scope = (
        state is not None and offered is not None and state.scope_digest == offered.scope_digest
    )
    return OfferedChoice(
        *cell,
        status=state.status if state else ConsentStatus.UNKNOWN,
        is_valid=is_given and same_scope,
        is_outdated=is_given and not same_scope,
        valid_until=state.valid_until if state else None,
        decided_at=state.decided_at if state else None,
        notice_version=notice,
        policy_version=offered.policy_version if offered else None,
        retention_days=offered.retention_days if offered else None,
    )


def own_requests(*, subject: str) -> list[RequestView]:
    """Return what the person asked for, newest first."""
    rows = RightsRequest.objects.filter(subject=subject).order_by("-received_at", "-id")
    return [_request(row) for row in rows]


def own_request(*, subject: str, request_id: UUID) -> RequestView:
    """Return one request. RequestNotFoundError."""
    return _request(requests.find(subject=subject, request_id=request_id))


def _request(row: RightsRequest) -> RequestView:
    order = ErasureOrder.objects.filter(request=row).first()
    return RequestView(
        id=row.id,
        kind=row.kind,
        words=row.words,
        status=RequestStatus(requests.latest_step(row).status),
        received_at=row.received_at,
        due_at=row.due_at,
        erasure=erasure_state(order) if order else None,
        has_certificate=order is not None and hasattr(order, "certificate"),
    )


def erasure_state(order: ErasureOrder) -> ErasureState:
    """Return the last station an order reached."""
    reached = {ErasureState(state) for state in order.steps.values_list("state", flat=True)}
    return [state for state in ErasureState if state in reached][-1]


def erasures(*, subject: str) -> list[ErasureView]:
    """Return the person's erasures, newest first."""
    rows = ErasureOrder.objects.filter(subject=subject).order_by("-ordered_at", "-id")
    return [_erasure(row) for row in rows]


def _erasure(row: ErasureOrder) -> ErasureView:
    at = {ErasureState(step.state): step.at for step in row.steps.all()}
    return ErasureView(
        id=row.id,
        subject=row.subject,
        application=row.application,
        category=row.category,
        reason=row.reason,
        ordered_at=row.ordered_at,
        state=erasure_state(row),
        reached=[(state, at[state]) for state in ErasureState if state in at],
        has_certificate=hasattr(row, "certificate"),
    )


def whole_erasure(*, subject: str) -> ErasureView | None:
    """Return the order to erase the person, when there is one."""
    return next((view for view in erasures(subject=subject) if not view.application), None)
