"""The monthly figure about each purpose: the same for everybody, by the rule of `consent`."""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action
from audit.actors import Actor
from audit.ids import uuid7
from consent import answered
from consent.participation import Published, publish
from governance.accounts import selectors as accounts
from governance.policies import selectors as policies
from governance.rights.models import Participation

_PUBLISHER = Actor.system("participation")


def publish_month(*, now: datetime | None = None) -> int:
    """Publish what this month still lacks; return for how many purposes."""
    moment = now or timezone.now()
    month = moment.date().replace(day=1)
    made = 0
    for purpose in sorted({cell.purpose for cell in policies.offered_cells(moment)}):
        if not Participation.objects.filter(purpose=purpose, month=month).exists():
            _publish(purpose, month=month, now=moment)
            made += 1
    return made


@transaction.atomic
def _publish(purpose: str, *, month: date, now: datetime) -> None:
    before = Participation.objects.filter(purpose=purpose).order_by("-month").first()
    stands = Published(before.band or None, before.agreed) if before else None
    population = _population(before, month)
    agreed = answered.agreeing(purpose=purpose, at=now) & set(population)
    acted = set()
    if before is not None:
        acted = answered.answered_since(purpose=purpose, since=before.since)
    following = publish(
        stands,
        agreed=len(agreed),
        people=len(population),
        acted=len(acted & set(population)),
    )
    entry = journal.append(Action.PARTICIPATION_PUBLISHED, actor=_PUBLISHER, purpose=purpose)
    Participation.objects.create(
        id=uuid7(now),
        purpose=purpose,
        month=month,
        band=following.band or "",
        agreed=following.agreed,
        since=before.since if before is not None and following is stands else now,
        population=population,
        entry=entry,
    )


def _population(before: Participation | None, month: date) -> list[str]:
    """Return whom the figure is about: the same people until the next quarter begins."""
    if before is not None and _quarter(before.month) == _quarter(month):
        return list(before.population)
    return accounts.active_subjects()


def _quarter(month: date) -> tuple[int, int]:
    return month.year, (month.month - 1) // 3


def published() -> list[Participation]:
    """Return the newest figure of each purpose, in the order of the purposes."""
    newest = {row.purpose: row for row in Participation.objects.order_by("month")}
    return [newest[purpose] for purpose in sorted(newest)]


def months() -> list[Participation]:
    """Return every published figure, the newest month first; the same for everybody."""
    return list(Participation.objects.select_related("entry").order_by("-month", "purpose"))
