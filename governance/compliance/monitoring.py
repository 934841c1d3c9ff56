"""Where people work, and what the law of that place wants them told before anything is recorded.

Promises: whoever's place is unknown, or outside a policy's, is not captured; where a notice is
owed, nothing is captured before it was acknowledged, nor after the acknowledgement ran out; an
acknowledgement is a record of its own and consents to nothing (R103, R104).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Final

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

import consent.services
from audit import journal, sql
from audit.actions import Action
from audit.actors import Actor
from audit.leaf import canonical
from governance.compliance import jurisdictions, spans
from governance.compliance.errors import MonitoringError, Unmet
from governance.compliance.models import (
    Acknowledgement,
    MonitoringNotice,
    MonitoringPosting,
    WorkPlace,
)

# Asked with every batch, hence a plain statement.
_PLACE: Final = """
    SELECT place, at FROM compliance_work_place WHERE subject = %s ORDER BY number DESC LIMIT 1
"""
Place = tuple[str, datetime]
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_REPEATS: Final = {"yearly": "P1Y", "daily": "P1D"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody works since when, and from when to when they are told what is owed there.

    `place` is "" while nobody knows; `told` is None while an acknowledgement is owed.
    """

    place: str
    since: datetime
    told: tuple[datetime, datetime | None] | None


@transaction.atomic
def record_place(
    *, subject: str, place: str, actor: Actor, now: datetime | None = None
) -> WorkPlace:
    """Write down where somebody works from now on. MonitoringError for what is no place."""
    try:
        msgspec.convert(place, jurisdictions.Place)
    except msgspec.ValidationError as error:
        raise MonitoringError("A place is a code of ISO 3166, such as DE or US-CA.") from error
    consent.services.stir(subject=subject)
    entry = journal.append(
        Action.PLACE_RECORDED, actor=actor, subject=subject, private={"place": place}
    )
    return WorkPlace.objects.create(
        subject=subject,
        number=WorkPlace.objects.filter(subject=subject).count() + 1,
        place=place,
        at=now or timezone.now(),
        entry=entry,
    )


@transaction.atomic
def publish_notice(
    *, code: str, texts: Mapping[str, str], actor: Actor, now: datetime | None = None
) -> MonitoringNotice:
    """Publish what a place wants people told, in every language they are asked in.

    Who acknowledged an earlier text acknowledges this one anew. MonitoringError.
    """
    now = now or timezone.now()
    profile = jurisdictions.profile(code, now.date())
    if profile is None or profile.monitoring_notice == "none":
        raise MonitoringError("No law that is known here asks for a notice in this place.")
    wanted = set(dict(settings.LANGUAGES)) | set(profile.languages)
    if missing := sorted(wanted - {key for key, text in texts.items() if text.strip()}):
        raise MonitoringError("The notice lacks its text in " + ", ".join(missing) + ".")
    digest = sha256(canonical(dict(texts))).hexdigest()
    entry = journal.append(
        Action.MONITORING_PUBLISHED, actor=actor, private={"place": code, "digest": digest}
    )
    return MonitoringNotice.objects.create(
        code=code,
        number=MonitoringNotice.objects.filter(code=code).count() + 1,
        texts=dict(texts),
        digest=digest,
        published_at=now,
        entry=entry,
    )


@transaction.atomic
def record_posting(
    *, code: str, where: str, actor: Actor, now: datetime | None = None
) -> MonitoringPosting:
    """Write down where the notice in force hangs. MonitoringError without a notice."""
    notice = _required(code)
    entry = journal.append(
        Action.MONITORING_POSTED, actor=actor, private={"notice": str(notice), "where": where}
    )
    return MonitoringPosting.objects.create(
        notice=notice, where=where, at=now or timezone.now(), entry=entry
    )


@transaction.atomic
def acknowledge(*, subject: str, actor: Actor, now: datetime | None = None) -> Acknowledgement:
    """Record that a person read the notice owed to them; only they themselves can.

    MonitoringError when none is owed.
    """
    now = now or timezone.now()
    consent.services.stir(subject=subject)
    notice = notice_for(subject, on=now.date())
    if notice is None or actor.key != subject:
        raise MonitoringError("No notice waits to be acknowledged.")
    entry = journal.append(
        Action.MONITORING_ACKNOWLEDGED,
        actor=actor,
        subject=subject,
        private={"notice": str(notice), "digest": notice.digest},
    )
    return Acknowledgement.objects.create(notice=notice, subject=subject, at=now, entry=entry)


def recorded_place(subject: str) -> Place | None:
    """Return what is written down of where somebody works, and since when; None for nothing."""
    found = sql.row(_PLACE, [subject])
    return (found[0], sql.moment(found[1])) if found else None


def place_of(subject: str) -> Place:
    """Return where somebody works, and since when that is written down; "" while unknown."""
    return _place(recorded_place(subject))


def _place(recorded: Place | None) -> Place:
    return recorded or (settings.REMIT_WORK_PLACE, _EVER)


def notice_for(subject: str, *, on: date) -> MonitoringNotice | None:
    """Return the notice that is owed to somebody where they work, or None."""
    place, _ = place_of(subject)
    profile = jurisdictions.profile_of(place, on) if place else None
    if profile is None or profile.monitoring_notice == "none":
        return None
    return newest(profile.code)


def standing(*, subject: str, now: datetime) -> Standing:
    """Return what decides about a person: their place, and whether they are told what is owed."""
    return standing_at(recorded_place(subject), subject=subject, now=now)


def standing_at(recorded: Place | None, *, subject: str, now: datetime) -> Standing:
    """Return what decides about a person of whose place this is recorded."""
    place, since = _place(recorded)
    profile = jurisdictions.profile_of(place, now.date()) if place else None
    if profile is None or profile.monitoring_notice == "none":
        return Standing(place if profile else "", since, told=(since, None))
    notice = newest(profile.code)
    said = (
        Acknowledgement.objects.filter(subject=subject, notice=notice).order_by("id").last()
        if notice
        else None
    )
    if said is None:
        return Standing(place, since, told=None)
    return Standing(place, since, told=(max(since, said.at), _end(said.at, profile.notice_repeat)))


def unmet(code: str, *, posting: bool) -> list[Unmet]:
    """Return what is missing of a place's notice before anybody may be captured there."""
    notice = newest(code)
    if notice is None:
        return [Unmet("not-published", code)]
    if posting and not notice.postings.exists():
        return [Unmet("not-posted", code)]
    return []


def newest(code: str) -> MonitoringNotice | None:
    """Return the notice in force for a profile, or None."""
    return MonitoringNotice.objects.filter(code=code).order_by("-number").first()


def notices() -> list[MonitoringNotice]:
    """Return every notice, the newest of each place first."""
    rows = MonitoringNotice.objects.order_by("code", "-number")
    return list(rows.select_related("entry").prefetch_related("postings"))


def _required(code: str) -> MonitoringNotice:
    found = newest(code)
    if found is None:
        raise MonitoringError("No notice is published for this place.")
    return found


def _end(at: datetime, repeat: str) -> datetime | None:
    if repeat not in _REPEATS:
        return None
    return datetime.combine(spans.after(at.date(), _REPEATS[repeat]), time(0), tzinfo=UTC)


def acknowledged(*, subject: str) -> list[Acknowledgement]:
    """Return every acknowledgement of a person with its notice, the newest first."""
    rows = Acknowledgement.objects.filter(subject=subject).select_related("notice", "entry")
    return list(rows.order_by("-id"))
