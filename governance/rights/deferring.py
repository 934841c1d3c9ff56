"""Saying "not now" to a request for consent, in one act that looks like any decision in the log."""

import hashlib
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

import consent.selectors
from audit.actors import Actor
from consent.selectors import Cell
from consent.services import DecisionAct
from consent.status import ConsentStatus
from governance.policies import selectors as policies
from governance.rights import campaigns
from governance.rights.choosing import Answer, choose

# Names the form: the request on the first page, with its two buttons.
_FORM: Final = hashlib.sha256(b"request/1").hexdigest()


@transaction.atomic
def defer(
    *, subject: str, actor: Actor, language: str, now: datetime | None = None
) -> DecisionAct | None:
    """Say "not now" to whoever asks, for all of the purpose that was never answered.

    What was answered before stays as it is. None when nobody asks, or nothing is left open.
    """
    moment = now or timezone.now()
    campaign = campaigns.open_request(subject=subject, now=moment)
    if campaign is None:
        return None
    campaigns.put_off(campaign, subject=subject, now=moment)
    known = consent.selectors.states(subject=subject, at=moment)
    offered = {
        Cell(cell.purpose, cell.application, cell.category)
        for cell in policies.offered_cells(moment)
        if cell.purpose == campaign.purpose
    }
    languages = consent.selectors.notice_languages(purpose=campaign.purpose)
    left = sorted(offered - known.keys())
    if not left or not languages:
        return None
    return choose(
        person_subject=subject,
        choices=[Answer(*cell, ConsentStatus.DEFERRED) for cell in left],
        actor=actor,
        # A notice that is missing in the page's language keeps nobody from saying "not now".
        language=language if language in languages else languages[0],
        form_digest=_FORM,
        now=moment,
    )
