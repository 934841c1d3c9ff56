"""Asking for consent: the privacy office alone, seldom, never where a no would be hard.

Promises: a campaign carries no incentive and is refused inside a window for everybody; a person is
left out in a window or exemption of their own, in the first thirty days, when the sender leads
them, and for twelve months after any answer or request (R10, R20, R22). Nobody learns who was left
out, or how many.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from consent import answered
from governance.accounts import selectors as accounts
from governance.accounts.roles import Role
from governance.policies import selectors as policies
from governance.rights.errors import (
    AskingLimitError,
    AskingWindowError,
    CampaignOverError,
    CampaignSenderError,
    CellNotOfferedError,
    IncentiveError,
    RequestNotFoundError,
)
from governance.rights.models import Asked, AskingLimit, Campaign, CampaignEnd
from governance.rights.states import ExemptionReason, Limit

SILENCE: Final = timedelta(days=365)
LAPSES: Final = timedelta(days=30)
FIRST_DAYS: Final = timedelta(days=30)
NONE: Final = "none"
_FOR_EVERYBODY: Final = frozenset({Limit.REVIEW_CYCLE, Limit.REDUNDANCIES})
_LONGEST: Final = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Window:
    """What is to be recorded: a time in which everybody, or one person, is left alone."""

    kind: Limit
    starts_on: date
    ends_on: date
    subject: str = ""
    reason: str = ""


def limit(*, window: Window, actor: Actor) -> AskingLimit:
    """Record a window, an exemption or the day somebody began. AskingLimitError: it says nothing.

    One entry; whom it is about stands in the person's own part of it.
    """
    if not timedelta() <= window.ends_on - window.starts_on <= _LONGEST:
        raise AskingLimitError("A window ends after it starts, and within two years.")
    if (window.kind in _FOR_EVERYBODY) is bool(window.subject):
        raise AskingLimitError("This kind of window is about everybody, or about one person.")
    if window.kind is Limit.EXEMPTION and window.reason not in set(ExemptionReason):
        raise AskingLimitError("An exemption has one of the classes of reasons.")
    if window.subject and accounts.person_by_subject(window.subject) is None:
        raise AskingLimitError("There is no such person.")
    with transaction.atomic():
        entry = journal.append(
            Action.ASKING_LIMITED,
            actor=actor,
            subject=window.subject or None,
            private={"kind": window.kind.value, "reason": window.reason},
        )
        return AskingLimit.objects.create(
            id=uuid7(),
            kind=window.kind.value,
            subject=window.subject,
            reason=window.reason,
            starts_on=window.starts_on,
            ends_on=window.ends_on,
            entry=entry,
        )


@transaction.atomic
def send(*, purpose: str, incentive: str, actor: Actor, now: datetime | None = None) -> Campaign:
    """Ask everybody who may be asked for one purpose.

    CampaignSenderError, IncentiveError, AskingWindowError, CellNotOfferedError.
    """
    moment = now or timezone.now()
    if actor.role != Role.PRIVACY_OFFICER.value:
        raise CampaignSenderError("The privacy office asks, and nobody else.")
    if incentive != NONE:
        raise IncentiveError("A request for consent carries no incentive.")
    if purpose not in {cell.purpose for cell in policies.offered_cells(moment)}:
        raise CellNotOfferedError("No policy in force asks for this purpose.")
    windows = _windows(moment.date())
    if shut := sorted(each.kind for each in windows if not each.subject):
        raise AskingWindowError(f"Nobody is asked now: {shut[0]}.")
    entry = journal.append(Action.CAMPAIGN_SENT, actor=actor, purpose=purpose)
    campaign = Campaign.objects.create(
        id=uuid7(moment),
        purpose=purpose,
        incentive=incentive,
        sender=actor.key,
        sent_at=moment,
        lapses_at=moment + LAPSES,
        entry=entry,
    )
    Asked.objects.bulk_create(
        Asked(id=uuid7(moment), campaign=campaign, subject=subject, is_deferral=False, at=moment)
        for subject in _who_may_be_asked(campaign, windows, moment)
    )
    return campaign


@transaction.atomic
def end(*, campaign_id: UUID, actor: Actor, now: datetime | None = None) -> CampaignEnd:
    """Ask nobody any more; whom it reached stays asked, and is left alone for as long.

    RequestNotFoundError, CampaignOverError.
    """
    moment = now or timezone.now()
    campaign = Campaign.objects.select_for_update().filter(id=campaign_id).first()
    if campaign is None:
        raise RequestNotFoundError
    if moment >= campaign.lapses_at or CampaignEnd.objects.filter(campaign=campaign).exists():
        raise CampaignOverError("This request for consent is over already.")
    entry = journal.append(Action.CAMPAIGN_ENDED, actor=actor, purpose=campaign.purpose)
    return CampaignEnd.objects.create(campaign=campaign, at=moment, entry=entry)


def shut_by(now: datetime | None = None) -> list[AskingLimit]:
    """Return the windows for everybody that are open now: while there is one, nobody is asked."""
    return [each for each in _windows((now or timezone.now()).date()) if not each.subject]


def _windows(day: date) -> list[AskingLimit]:
    return list(AskingLimit.objects.filter(starts_on__lte=day, ends_on__gte=day))


def _who_may_be_asked(
    campaign: Campaign, windows: Iterable[AskingLimit], now: datetime
) -> Iterable[str]:
    """Yield people in the order of their keys, which tells nothing."""
    left_alone = _left_alone(windows)
    led = accounts.all_reports(manager=campaign.sender)
    asked = set(
        Asked.objects.filter(campaign__purpose=campaign.purpose, at__gt=now - SILENCE).values_list(
            "subject", flat=True
        )
    )
    replied = answered.answered_since(purpose=campaign.purpose, since=now - SILENCE)
    settled = accounts.settled_before(
        now - FIRST_DAYS, began=_began(before=(now - FIRST_DAYS).date())
    )
    for subject in accounts.active_subjects():
        if subject in settled and subject not in left_alone | led | asked | replied:
            yield subject


def _left_alone(windows: Iterable[AskingLimit]) -> set[str]:
    """Return whom windows are about; "" stands for everybody."""
    return {each.subject for each in windows if each.kind != Limit.EMPLOYMENT_BEGAN}


def _began(*, before: date) -> set[str]:
    rows = AskingLimit.objects.filter(kind=Limit.EMPLOYMENT_BEGAN.value, starts_on__lte=before)
    return set(rows.values_list("subject", flat=True))


def open_request(*, subject: str, now: datetime | None = None) -> Campaign | None:
    """Return the campaign that asks a person at this moment, or None: no page may ask then.

    A window that opened since the campaign was sent silences it while it lasts.
    """
    moment = now or timezone.now()
    settled = answered.answered_purposes(subject=subject, since=moment - SILENCE)
    rows = _running(subject=subject, now=moment)
    deferred = {row.campaign_id for row in rows if row.is_deferral}
    for row in rows:
        if row.is_deferral or row.campaign_id in deferred:
            continue
        if row.campaign.purpose not in settled:
            return row.campaign
    return None


def _running(*, subject: str, now: datetime) -> list[Asked]:
    """Return what a person was asked by campaigns that ask now, and put off, newest first."""
    if {"", subject} & _left_alone(_windows(now.date())):
        return []
    rows = Asked.objects.filter(
        subject=subject, campaign__lapses_at__gt=now, campaign__end__isnull=True
    )
    return list(rows.select_related("campaign").order_by("-at"))


def requested_at(*, subject: str, purpose: str, now: datetime) -> datetime | None:
    """Return when a person was asked for a purpose by who still asks, whatever they said since."""
    rows = _running(subject=subject, now=now)
    found = [row.at for row in rows if row.campaign.purpose == purpose and not row.is_deferral]
    return found[0] if found else None


def put_off(campaign: Campaign, *, subject: str, now: datetime) -> None:
    """Note that a person said "later"; it is a request that was made, and none follows for long."""
    Asked.objects.get_or_create(
        campaign=campaign,
        subject=subject,
        is_deferral=True,
        defaults={"id": uuid7(now), "at": now},
    )


def campaigns() -> list[Campaign]:
    """Return every campaign, newest first; none says whom it reached."""
    return list(Campaign.objects.select_related("entry", "end").order_by("-sent_at"))


def campaign_of(campaign_id: UUID) -> Campaign | None:
    """Return one campaign, or None."""
    return Campaign.objects.select_related("entry", "end").filter(id=campaign_id).first()


def windows() -> list[AskingLimit]:
    """Return the windows that are about everybody, newest first."""
    return list(AskingLimit.objects.filter(subject="").order_by("-starts_on"))
