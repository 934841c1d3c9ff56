"""Erasure: the order first, then the keys at once, then everything else, until it is certified.

Promises: an order is written in the transaction that ends the consent, so that no crash loses
it; the keys go right after the commit, and again by a job if that was cut short; every station is
reached once and in order; nothing is called completed that was not verified.
Leaves to others: destroying keys (governance.vault), ciphertext (governance.capture.deletion),
telling who got the data (governance.releases).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

import audit.erasure
import consent.selectors
from audit import journal
from audit.actions import Action
from audit.ids import uuid7
from governance.capture import deletion, selectors
from governance.jobs import services as jobs
from governance.jobs.errors import PostponeError
from governance.jobs.services import Fence
from governance.releases import services as releases
from governance.rights import certificate, exports, requests, traces
from governance.rights.errors import RequestChangeError
from governance.rights.models import ErasureOrder, ErasureStep, RightsRequest
from governance.rights.states import ERASURE_ORDER, ErasureState
from governance.vault import shredding

if TYPE_CHECKING:
    from audit.models import Entry

ERASER = deletion.ERASER
CELL_JOB = "erase:cell"
SUBJECT_JOB = "erase:subject"
_READERS_END_SECONDS = 2

Figures = Mapping[str, int | str]


class NotYetVerifiedError(Exception):
    """Something is still there; the job comes back for it."""


def order_subject(
    *, subject: str, request: RightsRequest, reason: str, entry: "Entry", now: datetime
) -> ErasureOrder:
    """Write the order to erase a person, in the caller's transaction; nothing is read after it."""
    order = ErasureOrder.objects.create(
        id=uuid7(now),
        subject=subject,
        reason=reason,
        request=request,
        ordered_at=now,
        entry=entry,
    )
    _restrict(order, entry=entry, now=now)
    jobs.add(kind=SUBJECT_JOB, ref=str(order.id))
    # robust: the order stands, and the job does what fails here.
    transaction.on_commit(partial(destroy_keys, order), robust=True)
    return order


def order_cells(
    *,
    subject: str,
    ended: Iterable[consent.selectors.Cell],
    reason: str,
    entry: "Entry",
    now: datetime,
) -> list[ErasureOrder]:
    """Write the orders for cells whose last purpose ended, and recall what was released of them.

    A cell that another purpose still holds keeps its key: each read checks its own purpose
    (`decisions.md` 21). In the caller's transaction, after the consent ended.
    """
    cells = list(ended)
    if not cells:
        return []
    releases.recall_subject(subject=subject, cells=cells, reason=reason)
    held = {(c.application, c.category) for c in consent.selectors.valid_cells(subject=subject)}
    orders = []
    for application, category in sorted({(c.application, c.category) for c in cells} - held):
        order = ErasureOrder.objects.create(
            id=uuid7(now),
            subject=subject,
            application=application,
            category=category,
            purposes=sorted(
                c.purpose for c in cells if (c.application, c.category) == (application, category)
            ),
            reason=reason,
            ordered_at=now,
            entry=entry,
        )
        _restrict(order, entry=entry, now=now)
        jobs.add(kind=CELL_JOB, ref=str(order.id))
        transaction.on_commit(partial(destroy_keys, order), robust=True)
        orders.append(order)
    return orders


def settle(*, subject: str, cells: Iterable[tuple[str, str]]) -> None:
    """Finish open orders for these cells now: a new yes must not meet an old order later."""
    wanted = set(cells)
    for order in ErasureOrder.objects.filter(subject=subject).exclude(application=""):
        if (order.application, order.category) in wanted and not _reached(
            order, ErasureState.COMPLETED
        ):
            _erase_cell(order, finish=_nothing)


def destroy_keys(order: ErasureOrder) -> None:
    """Destroy the keys an order names; from here on nobody can read what they sealed."""
    if _reached(order, ErasureState.KEY_DESTROYED):
        return
    keys = _shred(order)
    _reach(order, ErasureState.KEY_DESTROYED, action=Action.KEY_SHREDDED, figures={"keys": keys})


def _shred(order: ErasureOrder) -> int:
    if not order.is_whole:
        return len(
            shredding.destroy_cell(
                subject=order.subject, application=order.application, category=order.category
            )
        )
    # First what opens captured data: a moment's work, however much there is.
    shredding.destroy_content(subject=order.subject)
    # Then the log's rows: they are found by a token that dies with the last key.
    audit.erasure.forget(subject=order.subject)
    return shredding.destroy_subject(subject=order.subject).keys


@jobs.handler(CELL_JOB)
def erase_cell(ref: str, fence: Fence) -> None:
    """Bring the order to its end, from whatever station it stands at."""
    order = ErasureOrder.objects.get(id=ref)
    _erase_cell(order, finish=partial(jobs.finish, fence))


@jobs.handler(SUBJECT_JOB)
def erase_subject(ref: str, fence: Fence) -> None:
    """Bring the order to its end and sign the certificate."""
    order = ErasureOrder.objects.get(id=ref)
    if _reached(order, ErasureState.COMPLETED):
        return
    destroy_keys(order)
    if not _reached(order, ErasureState.OBJECTS_PURGED):
        purged = deletion.purge_subject(subject=order.subject, actor=ERASER)
        copies = exports.end_all(subject=order.subject)
        _reach(
            order,
            ErasureState.OBJECTS_PURGED,
            action=Action.CAPTURE_DELETED,
            figures={"objects": purged.frames, "exports": copies},
        )
    _tell_recipients(order)
    if not traces.overwritten():
        raise PostponeError(_READERS_END_SECONDS)
    left = selectors.remaining(subject=order.subject)
    if left or not shredding.is_destroyed(subject=order.subject):
        raise NotYetVerifiedError
    _complete(order, finish=partial(jobs.finish, fence))


def _erase_cell(order: ErasureOrder, *, finish: Callable[[], object]) -> None:
    if _reached(order, ErasureState.COMPLETED):
        return
    destroy_keys(order)
    if not _reached(order, ErasureState.OBJECTS_PURGED):
        purged = deletion.purge_cell(
            subject=order.subject,
            application=order.application,
            category=order.category,
            actor=ERASER,
        )
        _reach(
            order,
            ErasureState.OBJECTS_PURGED,
            action=Action.CAPTURE_DELETED,
            figures={"objects": purged.frames},
        )
    _tell_recipients(order)
    _complete(order, finish=finish)


def _tell_recipients(order: ErasureOrder) -> None:
    """Recall again what a release may have taken in between order and key; once told is told."""
    if _reached(order, ErasureState.RECIPIENTS_NOTIFIED):
        return
    with transaction.atomic():
        releases.recall_subject(
            subject=order.subject,
            cells=None if order.is_whole else _cells(order),
            reason=order.reason,
        )
        _reach(order, ErasureState.RECIPIENTS_NOTIFIED, action=Action.RELEASE_RECALLED, figures={})


def _cells(order: ErasureOrder) -> list[consent.selectors.Cell]:
    return [
        consent.selectors.Cell(purpose, order.application, order.category)
        for purpose in order.purposes
    ]


def _complete(order: ErasureOrder, *, finish: Callable[[], object]) -> None:
    """Certify what was verified: entry, steps, certificate, request and job in one transaction."""
    with transaction.atomic():
        ErasureOrder.objects.select_for_update().get(pk=order.pk)
        if _reached(order, ErasureState.COMPLETED):
            return
        now = timezone.now()
        entry = journal.append(
            Action.ERASURE_COMPLETED,
            actor=ERASER,
            subject=order.subject,
            act="subject" if order.is_whole else "cell",
        )
        for state in (ErasureState.VERIFIED, ErasureState.COMPLETED):
            _add_step(order, state, entry=entry, figures={}, now=now)
        if order.is_whole:
            certificate.issue(order=order, entry=entry, now=now)
        if order.request is not None:
            requests.fulfil(request=order.request, actor=ERASER, entry=entry, now=now)
        finish()


def _nothing() -> None:
    """Finish no job: the one that waits finds the order completed."""


def _restrict(order: ErasureOrder, *, entry: "Entry", now: datetime) -> None:
    for state in (ErasureState.ORDERED, ErasureState.RESTRICTED):
        _add_step(order, state, entry=entry, figures={}, now=now)


def _reached(order: ErasureOrder, state: ErasureState) -> bool:
    return order.steps.filter(state=state.value).exists()


def _reach(order: ErasureOrder, state: ErasureState, *, action: Action, figures: Figures) -> None:
    """Note a station with its own entry, once, after the one before it."""
    with transaction.atomic():
        ErasureOrder.objects.select_for_update().get(pk=order.pk)
        if _reached(order, state):
            return
        before = ERASURE_ORDER[ERASURE_ORDER.index(state) - 1]
        if not _reached(order, before):
            raise RequestChangeError(f"{state} comes after {before}.")
        entry = journal.append(
            action,
            actor=ERASER,
            subject=order.subject,
            act="subject" if order.is_whole else "cell",
            private={"order": str(order.id), "state": state.value},
        )
        _add_step(order, state, entry=entry, figures=figures, now=timezone.now())


def _add_step(
    order: ErasureOrder,
    state: ErasureState,
    *,
    entry: "Entry",
    figures: Figures,
    now: datetime,
) -> None:
    ErasureStep.objects.create(
        id=uuid7(now), order=order, state=state.value, at=now, figures=dict(figures), entry=entry
    )
