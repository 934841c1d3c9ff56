"""Reports of pressure: anybody may write one unnamed; a confirmed one makes consents void (R25).

Nobody learns who had agreed: for each person below the one who pressed, consenting or not, the
log gets one shy entry of the same shape, and the representatives are answered without a count.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from consent.status import ConsentStatus
from governance.accounts import selectors as accounts
from governance.accounts.errors import TooManyAttemptsError
from governance.policies import selectors as policies
from governance.rights import channel, voiding
from governance.rights.errors import PressureReportError, RequestNotFoundError
from governance.rights.models import PressureFinding, PressureReport
from governance.rights.voiding import Which

LONGEST: Final = 4000
_ANYBODY: Final = Actor.system("pressure-channel")
_A_DAY_SECONDS: Final = 86_400


def report(*, words: str, address: str = "", now: datetime | None = None) -> PressureReport:
    """Take a report in from whoever writes it; nothing about them is asked or kept.

    PressureReportError: it says nothing, or more than can be read. TooManyAttemptsError: this place
    has sent enough for today, or the day is full; nothing is written then.
    """
    said = words.strip()
    if not said or len(said) > LONGEST:
        raise PressureReportError("Say what happened, in up to 4,000 characters.")
    day = (now or timezone.now()).date()
    with transaction.atomic():
        if is_full(day) or not channel.has_room(address, day=day):
            raise TooManyAttemptsError(retry_after=_A_DAY_SECONDS)
        entry = journal.append(Action.PRESSURE_REPORTED, actor=_ANYBODY)
        # No UUIDv7: it would tell the millisecond.
        return PressureReport.objects.create(id=uuid4(), words=said, reported_on=day, entry=entry)


def is_full(day: date) -> bool:
    """Say whether a day has taken as many reports as a day may: ask people in other ways, too."""
    return PressureReport.objects.filter(reported_on=day).count() >= channel.MOST_A_DAY


def full_days() -> list[date]:
    """Return the days that were full, newest first: something may not have come through."""
    counted = PressureReport.objects.values("reported_on").annotate(number=Count("id"))
    full = counted.filter(number__gte=channel.MOST_A_DAY).order_by("-reported_on")
    return list(full.values_list("reported_on", flat=True))


def reports() -> list[PressureReport]:
    """Return every report, the open ones first."""
    rows = PressureReport.objects.select_related("finding__entry").order_by("-reported_on", "id")
    return sorted(rows, key=lambda row: hasattr(row, "finding"))


def waiting() -> int:
    """Return how many reports nobody has answered to."""
    return PressureReport.objects.filter(finding=None).count()


@transaction.atomic
def settle(
    *,
    report_id: UUID,
    is_confirmed: bool,
    actor: Actor,
    purpose: str = "",
    below: str = "",
    now: datetime | None = None,
) -> PressureFinding:
    """Record what the representatives found; confirmed, consents below somebody never were.

    `below` is the user name of whoever pressed. RequestNotFoundError, PressureReportError.
    """
    moment = now or timezone.now()
    held = PressureReport.objects.filter(id=report_id, finding=None).first()
    if held is None:
        raise RequestNotFoundError
    pressed = accounts.person_by_username(below) if below else None
    if is_confirmed and (pressed is None or policies.purpose(purpose) is None):
        raise PressureReportError("A confirmed report names a purpose and who pressed.")
    entry = journal.append(
        Action.PRESSURE_SETTLED,
        actor=actor,
        verdict=Verdict.ALLOW if is_confirmed else Verdict.DENY,
        purpose=purpose or None,
    )
    if is_confirmed and pressed is not None:
        for subject in sorted(accounts.all_reports(manager=pressed.subject_key)):
            voiding.end(
                subject=subject,
                which=Which(purpose),
                status=ConsentStatus.INVALIDATED,
                actor=actor,
                now=moment,
            )
    return PressureFinding.objects.create(
        report=held,
        is_confirmed=is_confirmed,
        purpose=purpose if is_confirmed else "",
        below=pressed.subject_key if is_confirmed and pressed else "",
        at=moment,
        entry=entry,
    )
