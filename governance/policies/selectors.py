"""Questions about purposes, applications, policies and retention, at a stated moment or now."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from audit import sql
from governance.policies import activation
from governance.policies import content as policy_content
from governance.policies.categories import Category
from governance.policies.content import Content
from governance.policies.errors import RetentionMissingError
from governance.policies.models import (
    Application,
    CellScope,
    PolicyTransition,
    PurposeVersion,
    RetentionSchedule,
    Stop,
    StopLift,
)
from governance.policies.transitions import in_force

# Asked with every batch that is stored, hence a plain statement.
_RETENTION: Final = """
    SELECT s.number, r.days FROM policies_retention_schedule s
    LEFT JOIN policies_retention_rule r ON r.schedule_id = s.id AND r.category = %s
    WHERE s.application_id = %s ORDER BY s.number DESC LIMIT 1
"""
_GENERATION: Final = "SELECT epoch FROM policies_generation WHERE id = 1"
_LIFTED_BY: Final = 2
_EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PurposeWords:
    """A registered purpose in its newest words; `version` reads `train-agents@1`."""

    key: str
    version: str
    name: str
    description: str
    broader: str
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Retention:
    """How long one category of one application is kept; `schedule` reads `freight-desk@1`."""

    days: int
    schedule: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """One retention schedule with all its periods."""

    application: str
    number: int
    set_at: datetime
    days: Mapping[Category, int]


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """The policy in force for one application at one moment; `version` reads `freight-desk@1`.

    `cells` holds (purpose, category) pairs.
    """

    application: str
    version: str
    number: int
    digest: str
    content: Content
    scope_digest: str
    scopes: Mapping[tuple[str, str], str]
    activated_at: datetime

    @property
    def cells(self) -> frozenset[tuple[str, str]]:
        return frozenset(self.scopes)

    def scope_digest_of(self, category: str, purpose: str) -> str | None:
        """Return the digest a consent for this cell must carry, or None: it is not allowed."""
        return self.scopes.get((purpose, category))

    @property
    def kind(self) -> str:
        return self.content.kind

    @property
    def matchers(self) -> list[dict[str, str]]:
        return [{"kind": m.kind, "pattern": m.pattern, "id": m.id} for m in self.content.matchers]

    @property
    def patterns(self) -> dict[str, list[dict[str, str]]]:
        return {
            "titles": [{"id": p.id, "pattern": p.pattern} for p in self.content.titles],
            "urls": [{"id": p.id, "pattern": p.pattern} for p in self.content.urls],
        }

    @property
    def fields(self) -> list[dict[str, str]]:
        return [{"id": f.id, "selector": f.selector} for f in self.content.fields]

    @property
    def masks(self) -> list[dict[str, str]]:
        return [{"id": f.id, "selector": f.selector} for f in self.content.masks]

    @property
    def labels(self) -> list[str]:
        return list(self.content.labels)

    def rules_of(self, category: str) -> dict[str, policy_content.RuleValue]:
        """Return what else the policy says about a category."""
        return dict(self.content.rules.get(Category(category), {}))


@dataclass(frozen=True, slots=True)
class OfferedCell:
    """One tick box a person may say yes or no to."""

    purpose: str
    application: str
    category: str
    scope_digest: str
    policy_version: str
    retention_days: int


def generation() -> int:
    """Return the policy epoch: it rises with every change an agent's policy depends on."""
    found = sql.row(_GENERATION)
    return int(found[0]) if found else 0


def purposes() -> list[PurposeWords]:
    """Return every registered purpose in its newest words, in order of registration."""
    newest = {
        version.purpose_id: version
        for version in PurposeVersion.objects.select_related("purpose").order_by("number")
    }
    found = [
        PurposeWords(
            key=version.purpose.key,
            version=str(version),
            name=version.name,
            description=version.description,
            broader=version.purpose.broader,
            registered_at=version.purpose.registered_at,
        )
        for version in newest.values()
    ]
    return sorted(found, key=lambda purpose: (purpose.registered_at, purpose.key))


def purpose(key: str) -> PurposeWords | None:
    """Return a registered purpose, or None."""
    return next((found for found in purposes() if found.key == key), None)


def applications() -> list[Application]:
    """Return every registered application by name, captured or not."""
    return list(Application.objects.order_by("name", "key"))


def application(key: str) -> Application | None:
    """Return a registered application, or None."""
    return Application.objects.filter(pk=key).first()


@dataclass(frozen=True, slots=True)
class _Known:
    """What is in force since the newest change of all, and how that change is told apart."""

    change: tuple[object, ...]
    since: datetime
    policies: Mapping[str, ActivePolicy]


_newest: dict[str, _Known] = {}

# The stamp is never drawn twice; the two ids move when a change goes on after drawing it.
_CHANGE: Final = """
    SELECT stamp, (SELECT max(id) FROM policies_transition),
           (SELECT max(id) FROM policies_cell_scope),
           (SELECT max(id) FROM policies_stop), (SELECT max(id) FROM policies_stop_lift)
    FROM policies_generation WHERE id = 1
"""


def active_policies(at: datetime | None = None) -> Mapping[str, ActivePolicy]:
    """Return, by application, every policy that is in force at a moment; not to be changed.

    Asked with every batch: what holds since the newest change is kept in memory until a query
    shows another change. Questions about the past are computed from the rows.
    """
    moment = at or timezone.now()
    change = sql.row(_CHANGE)
    known = _newest.get(connection.alias)
    if known is None or known.change != change:
        known = _know(change)
        _newest[connection.alias] = known
    return known.policies if moment >= known.since else _in_force_at(moment)


def _know(change: tuple[object, ...]) -> _Known:
    """Compute what holds once all that is written has come into force."""
    ends = [
        PolicyTransition.objects.aggregate(at=Max("at"))["at"],
        CellScope.objects.aggregate(at=Max("at"))["at"],
        Stop.objects.aggregate(at=Max("at"))["at"],
        StopLift.objects.aggregate(at=Max("at"))["at"],
    ]
    since = max((end for end in ends if end is not None), default=_EVER)
    return _Known(change, since, MappingProxyType(_in_force_at(since)))


def _in_force_at(moment: datetime) -> dict[str, ActivePolicy]:
    steps: dict[str, list[PolicyTransition]] = defaultdict(list)
    rows = PolicyTransition.objects.filter(at__lte=moment).select_related("version")
    for row in rows.order_by("id"):
        steps[row.version.policy_id].append(row)
    holding = {key: in_force(of_one) for key, of_one in steps.items()}
    scopes = _scopes_at(moment)
    lifted_at, is_stopped = _stops_at(moment)
    if is_stopped:
        return {}
    return {
        key: _active(transition, scopes, lifted_at)
        for key, transition in holding.items()
        if transition is not None
    }


def active_version(application: str, at: datetime | None = None) -> ActivePolicy | None:
    """Return the policy in force for an application, or None: nothing of it may be captured."""
    return active_policies(at).get(application)


def _scopes_at(moment: datetime) -> dict[tuple[str, str, str], str]:
    rows = CellScope.objects.filter(at__lte=moment).order_by("number")
    return {
        (application, purpose, category): digest
        for application, purpose, category, digest in rows.values_list(
            "application_id", "purpose", "category", "digest"
        )
    }


def _stops_at(moment: datetime) -> tuple[datetime, bool]:
    """Return when the last stop before a moment ended, and whether one holds at it.

    What was recorded while all was stopped stays refused when the stop is over.
    """
    lifts: dict[int, list[datetime]] = {}
    rows = StopLift.objects.filter(at__lte=moment).order_by("id")
    for stop_id, at in rows.values_list("stop_id", "at"):
        lifts.setdefault(stop_id, []).append(at)
    stops = Stop.objects.filter(at__lte=moment).values_list("id", flat=True)
    ends = [lifts.get(stop, [])[_LIFTED_BY - 1 : _LIFTED_BY] for stop in stops]
    return max((end for some in ends for end in some), default=_EVER), not all(ends)


def _active(
    transition: PolicyTransition,
    scopes: Mapping[tuple[str, str, str], str],
    lifted_at: datetime,
) -> ActivePolicy:
    version = transition.version
    content = policy_content.from_bytes(bytes(version.content))
    return ActivePolicy(
        application=content.application,
        version=str(version),
        number=version.number,
        digest=version.content_digest,
        scope_digest=version.scope_digest,
        content=content,
        scopes={
            (purpose, category.value): scopes[content.application, purpose, category.value]
            for purpose in content.purposes
            for category in content.categories
        },
        activated_at=max(transition.at, lifted_at),
    )


def offered_cells(at: datetime | None = None) -> list[OfferedCell]:
    """Return every cell people may be asked about, by purpose, application and category order."""
    order = list(Category)
    kept = activation.all_retention_days()
    cells = [
        OfferedCell(
            purpose=purpose,
            application=policy.application,
            category=category,
            scope_digest=digest,
            policy_version=policy.version,
            retention_days=days[Category(category)],
        )
        for policy in active_policies(at).values()
        for days in [kept.get(policy.application, {})]
        for (purpose, category), digest in policy.scopes.items()
    ]
    return sorted(
        cells,
        key=lambda cell: (cell.purpose, cell.application, order.index(Category(cell.category))),
    )


def schedules(application: str | None = None) -> list[Schedule]:
    """Return retention schedules, newest first; with an application, only its own."""
    rows = RetentionSchedule.objects.order_by("application_id", "-number")
    if application is not None:
        rows = rows.filter(application_id=application)
    return [
        Schedule(
            application=row.application_id,
            number=row.number,
            set_at=row.set_at,
            days={Category(rule.category): rule.days for rule in row.rules.all()},
        )
        for row in rows.prefetch_related("rules")
    ]


def retention(application: str, category: str) -> Retention:
    """Return how long a category of an application is kept. RetentionMissingError."""
    found = sql.row(_RETENTION, [category, application])
    if found is None or found[1] is None:
        raise RetentionMissingError(categories=[category])
    number, days = found
    return Retention(days=days, schedule=f"{application}@{number}")
