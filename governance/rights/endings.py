"""Ending consents that their people did not end: revoked, or declared never to have been.

Promises: one officer proposes, another decides, and neither leads anybody whom it reaches (R24);
everybody it reaches, consenting or not, leaves the same trace, and nobody is told who had agreed,
or how many; what ended is erased and recalled as after a withdrawal.
Leaves to others: the words in which a person is told (governance.portal.endings).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

import consent.selectors
from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.ids import uuid7
from consent.status import ConsentStatus
from governance.accounts import selectors as accounts
from governance.accounts.roles import Role
from governance.jobs import services as jobs
from governance.jobs.clock import database_now
from governance.policies import selectors as policies
from governance.policies.categories import Category
from governance.rights import voiding
from governance.rights.errors import (
    EndingConflictError,
    EndingError,
    EndingSecondPersonError,
    RequestChangeError,
    RequestNotFoundError,
)
from governance.rights.models import ConsentEnding, EndingDecision, EndingReach
from governance.rights.states import EndingReason
from governance.rights.voiding import Which

JOB: Final = "consent:end"
LONGEST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What shall end and why; empty: in every application, of every kind, of everybody."""

    reason: EndingReason
    words: str
    purpose: str
    application: str = ""
    category: str = ""
    username: str = ""


@transaction.atomic
def propose(*, proposal: Proposal, actor: Actor, now: datetime | None = None) -> ConsentEnding:
    """Propose to end consents; nothing ends before a second officer says so.

    EndingError, EndingConflictError.
    """
    words = proposal.words.strip()
    if not words or len(words) > LONGEST:
        raise EndingError("Say in up to 500 characters what stands behind it.")
    _check_named(proposal)
    subject = ""
    if proposal.username:
        person = accounts.person_by_username(proposal.username)
        if person is None:
            raise EndingError("There is no such person.")
        subject = person.subject_key
    _check_free(actor, subject=subject)
    moment = now or timezone.now()
    entry = journal.append(
        Action.ENDING_PROPOSED,
        actor=actor,
        purpose=proposal.purpose,
        private={"reason": proposal.reason.value, "application": proposal.application},
    )
    return ConsentEnding.objects.create(
        id=uuid7(moment),
        reason=proposal.reason.value,
        words=words,
        purpose=proposal.purpose,
        application=proposal.application,
        category=proposal.category,
        subject=subject,
        author=actor.key,
        at=moment,
        entry=entry,
    )


def _check_named(proposal: Proposal) -> None:
    if policies.purpose(proposal.purpose) is None:
        raise EndingError("There is no such purpose.")
    known = {application.key for application in policies.applications()}
    if proposal.application and proposal.application not in known:
        raise EndingError("There is no such application.")
    if proposal.category and proposal.category not in set(Category):
        raise EndingError("There is no such kind of data.")


def _check_free(actor: Actor, *, subject: str) -> None:
    led = accounts.all_reports(manager=actor.key)
    if subject in led or (led and not subject):
        raise EndingConflictError("Whoever leads somebody does not end that person's consent.")


@transaction.atomic
def decide(
    *, ending_id: UUID, is_approved: bool, actor: Actor, now: datetime | None = None
) -> EndingDecision:
    """Order or return what another officer proposed; ordered, it reaches people at once.

    RequestNotFoundError, EndingSecondPersonError, EndingConflictError, RequestChangeError.
    """
    held = find(ending_id)
    if held is None:
        raise RequestNotFoundError
    if actor.key == held.author:
        raise EndingSecondPersonError("Who proposed it does not decide on it.")
    _check_free(actor, subject=held.subject)
    moment = now or timezone.now()
    entry = journal.append(
        Action.ENDING_DECIDED,
        actor=actor,
        verdict=Verdict.ALLOW if is_approved else Verdict.DENY,
        purpose=held.purpose,
        private={"reason": held.reason, "ending": str(held.id)},
    )
    try:
        with transaction.atomic():
            made = EndingDecision.objects.create(
                ending=held,
                is_approved=is_approved,
                author=held.author,
                actor=actor.key,
                role=actor.role,
                at=moment,
                entry=entry,
            )
    except IntegrityError as error:
        raise RequestChangeError("It was decided on already.") from error
    if is_approved:
        jobs.add(kind=JOB, ref=str(held.id))
    return made


@jobs.handler(JOB)
def carry_out(ref: str, fence: jobs.Fence) -> None:
    """Reach everybody it is about, one by one; started again, it goes on."""
    held = ConsentEnding.objects.select_related("decision").get(id=UUID(ref))
    now = database_now()
    done = set(EndingReach.objects.filter(ending=held).values_list("subject", flat=True))
    for subject in [held.subject] if held.subject else sorted(accounts.active_subjects()):
        if subject not in done:
            _reach(held, subject, now=now)
    with transaction.atomic():
        jobs.finish(fence)


@transaction.atomic
def _reach(held: ConsentEnding, subject: str, *, now: datetime) -> None:
    consent.selectors.lock(subject=subject, exclusive=True)
    if EndingReach.objects.filter(ending=held, subject=subject).exists():
        return
    actor = Actor(held.decision.actor, held.decision.role)
    if subject == actor.key:
        # Nobody ends their own consent from an office: the other of the two does.
        actor = Actor(held.author, Role.PRIVACY_OFFICER.value)
    is_void = EndingReason(held.reason).is_void
    entry = voiding.end(
        subject=subject,
        which=Which(held.purpose, held.application, held.category),
        status=ConsentStatus.INVALIDATED if is_void else ConsentStatus.REVOKED,
        actor=actor,
        now=now,
    )
    EndingReach.objects.create(id=uuid7(now), ending=held, subject=subject, entry=entry)


def find(ending_id: UUID) -> ConsentEnding | None:
    """Return one, or None."""
    return ConsentEnding.objects.select_related("decision").filter(id=ending_id).first()


def endings() -> list[ConsentEnding]:
    """Return all that was proposed, what waits first, then the newest."""
    rows = ConsentEnding.objects.select_related("entry", "decision__entry").order_by("-at")
    return sorted(rows, key=lambda row: hasattr(row, "decision"))


def reasons(*, subject: str) -> dict[UUID, EndingReason]:
    """Return, by entry, why an office ended consents of a person."""
    rows = EndingReach.objects.filter(subject=subject)
    return {
        entry: EndingReason(reason)
        for entry, reason in rows.values_list("entry__uuid", "ending__reason")
    }
