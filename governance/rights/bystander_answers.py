"""What the office does with requests of people who stood on somebody else's screen (R56, R57).

Promises: the office decides without learning who asked or whom it concerns; what showed the person
is dropped whole, recalled where it was released, as when the recorded person deletes it; the answer
says the same whether anything was found, because it would tell who is recorded (GDPR 15(4)); it is
mailed, and the address is forgotten with that.
Leaves to others: finding frames by keyed marks (governance.capture.bystander_index).
"""

import json
from datetime import datetime, timedelta
from secrets import randbelow
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from governance.capture import bystander_index, deletion
from governance.capture import selectors as captured
from governance.jobs import services as jobs
from governance.jobs.clock import database_now
from governance.jobs.errors import PostponeError
from governance.policies import selectors as policies
from governance.releases import services as releases
from governance.rights import bystanders, mailing, requests
from governance.rights.errors import (
    BystanderRequestError,
    MailAwayError,
    RequestChangeError,
    RequestNotFoundError,
)
from governance.rights.models import BystanderAnswer, BystanderRequest
from governance.rights.states import Kind, RequestStatus
from governance.vault import letters
from governance.vault.errors import KeyShreddedError

JOB: Final = "bystander:answer"
LONGEST_REASON: Final = 2000
# An erasure right after the office's word would tell by the log whether anything was found.
_WITHIN_SECONDS: Final = 24 * 3600
_MAIL_RETRY_SECONDS: Final = 600
_AGAIN_SECONDS: Final = 15
_PASSES: Final = 4
REASON: Final = "bystander"


def listed(*, limit: int) -> list[bystanders.Standing]:
    """Return the requests, those without an answer first, by when they are owed."""
    rows = BystanderRequest.objects.select_related("request", "answer")
    owed = rows.order_by(F("answer__at").asc(nulls_first=True), "request__due_at")
    return [bystanders.standing_of(held) for held in owed[:limit]]


def answer(
    *, request_id: UUID, is_granted: bool, words: str, actor: Actor, now: datetime | None = None
) -> BystanderAnswer:
    """Decide a request: carry it out, or refuse it with reasons.

    RequestNotFoundError, RequestChangeError (it was decided), BystanderRequestError (no reasons).
    """
    moment = now or timezone.now()
    reasons = words.strip()
    held = bystanders.find(request_id)
    if held is None:
        raise RequestNotFoundError
    if hasattr(held, "answer"):
        raise RequestChangeError("This request was decided.")
    if len(reasons) > LONGEST_REASON or not (is_granted or reasons):
        raise BystanderRequestError("A refusal gives its reasons, in up to 2,000 characters.")
    try:
        return _decide(held, refusal="" if is_granted else reasons, actor=actor, now=moment)
    except IntegrityError as error:
        raise RequestChangeError("This request was decided.") from error


@transaction.atomic
def _decide(
    held: BystanderRequest, *, refusal: str, actor: Actor, now: datetime
) -> BystanderAnswer:
    is_granted = not refusal
    entry = journal.append(
        Action.RIGHTS_FULFILLED,
        actor=actor,
        subject=held.request.subject,
        verdict=Verdict.ALLOW if is_granted else Verdict.DENY,
        act="decide",
        private={"kind": held.request.kind},
    )
    made = BystanderAnswer.objects.create(
        request=held, is_granted=is_granted, words=refusal, at=now, entry=entry
    )
    status = RequestStatus.ACCEPTED if is_granted else RequestStatus.REJECTED
    requests.advance(request=held.request, status=status, entry=entry, now=now)
    is_erasure = is_granted and held.request.kind == Kind.ERASURE
    later = timedelta(seconds=randbelow(_WITHIN_SECONDS)) if is_erasure else timedelta()
    jobs.add(kind=JOB, ref=str(held.request_id), run_at=database_now() + later)
    return made


@jobs.handler(JOB)
def carry_out(ref: str, fence: jobs.Fence) -> None:
    """Do what was decided, mail it, forget the address; started again, it goes on."""
    held = bystanders.find(UUID(ref))
    if held is None:
        raise RequestNotFoundError
    try:
        letter = json.loads(letters.read(ref=ref, sealed=bytes(held.sealed)))
    except KeyShreddedError:
        letter = None
    if letter is not None:
        _carry_out(held, letter["a"], letter["l"])
        letters.destroy(ref=ref)
    with transaction.atomic():
        if held.answer.is_granted:
            requests.fulfil(request=held.request, actor=bystanders.CHANNEL)
        jobs.finish(fence)


def _carry_out(held: BystanderRequest, address: str, language: str) -> None:
    if held.answer.is_granted and held.request.kind == Kind.ERASURE:
        _erase(held, address)
    with override(language):
        try:
            mailing.send(
                to=address,
                subject=_("Your request to %(organisation)s")
                % {"organisation": settings.REMIT_ORGANISATION},
                text=_words(held),
            )
        except MailAwayError as error:
            raise PostponeError(_MAIL_RETRY_SECONDS) from error


def _erase(held: BystanderRequest, address: str) -> None:
    """Drop every frame that showed the address, whole, and recall what was released of it.

    Meanwhile others may seal the same frames anew, under other ids: looked for until none is left.
    What had come before the office decided is waited for until it is stored or refused.
    """
    if captured.is_any_queued(since_before=held.answer.at):
        raise PostponeError(_AGAIN_SECONDS)
    for _again in range(_PASSES):
        found = _found(held, address)
        if not found:
            return
        for subject, frames in found.items():
            with transaction.atomic():
                releases.recall_frames(subject=subject, frames=frames, reason=REASON)
            deletion.delete_frames(
                subject=subject, frames=frames, actor=deletion.ERASER, reason=REASON
            )
    raise PostponeError(_AGAIN_SECONDS)


def _found(held: BystanderRequest, address: str) -> dict[str, list[UUID]]:
    return bystander_index.find(
        request=held.request_id, identifier=address, actor=bystanders.CHANNEL
    )


def _words(held: BystanderRequest) -> str:
    """Return the answer to a decided request, in the language that is active."""
    if not held.answer.is_granted:
        return _("Your request was refused, for these reasons:\n\n%(reasons)s\n\n%(rights)s") % {
            "reasons": held.answer.words,
            "rights": _rights(),
        }
    match Kind(held.request.kind):
        case Kind.ERASURE:
            said = _(
                "Every recording that showed your address, if there was one, was destroyed whole: "
                "its key is gone, and who had been given it was told to destroy it too."
            )
        case Kind.OBJECTION:
            said = _(
                "From now on, what shows your address is dropped when it arrives, before anything "
                "of it is stored. Only a keyed mark of the address is kept for that."
            )
        case _:
            said = _access()
    return f"{said}\n\n{_rights()}"


def _access() -> str:
    """Say what may be said: all of it follows from what is in force, nothing from the store."""
    active = policies.active_policies()
    named = {row.key: row.name for row in policies.applications()}
    return _(
        "What identifies you is removed from a recording before it is stored, so there is nothing "
        "of you that anybody could read, and no copy to give. Of a mail address a keyed mark is "
        "kept as long as the recording is. Recorded may be: %(applications)s. Whether a certain "
        "recording showed you is not told, because it would tell who is recorded (GDPR 15(4)). You "
        "can have everything that did destroyed, and be kept out from now on."
    ) % {"applications": ", ".join(sorted(named[key] for key in active)) or "-"}


def _rights() -> str:
    return _(
        "If you do not agree, you can complain to a supervisory authority and go to court. Your "
        "address is not kept beyond this mail."
    )
