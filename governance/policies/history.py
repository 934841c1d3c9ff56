"""The versions of a capture policy and their steps, as officers and the works council read them.

No answer here names a person: authors and approvers stand as keys that only officers' pages turn
into names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.policies import content as policy_content
from governance.policies.models import Approval, CapturePolicyVersion
from governance.policies.states import PolicyState


@dataclass(frozen=True, slots=True)
class Step:
    """One step: which state, by whom (subject key), when, its entry and that entry's header."""

    state: PolicyState
    actor: str
    at: datetime
    entry: UUID
    header: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the second person said."""

    approver: str
    is_approved: bool
    reason: str
    at: datetime
    entry: UUID


@dataclass(frozen=True, slots=True)
class Version:
    """One version with its whole life."""

    application: str
    number: int
    state: PolicyState
    author: str
    drafted_at: datetime
    content: Mapping[str, object]
    content_digest: str
    scope_digest: str
    steps: tuple[Step, ...]
    answer: Answer | None

    @property
    def reference(self) -> str:
        """The name everybody uses: `freight-desk@1`."""
        return f"{self.application}@{self.number}"


def versions(application: str | None = None) -> list[Version]:
    """Return versions by application, the newest of each first."""
    rows = CapturePolicyVersion.objects.order_by("policy_id", "-number")
    if application is not None:
        rows = rows.filter(policy_id=application)
    rows = rows.prefetch_related("transitions__entry", "approvals__entry")
    return [_version(row) for row in rows]


def version(application: str, number: int) -> Version | None:
    """Return one version, or None."""
    rows = CapturePolicyVersion.objects.filter(policy_id=application, number=number)
    row = rows.prefetch_related("transitions__entry", "approvals__entry").first()
    return _version(row) if row else None


def _version(row: CapturePolicyVersion) -> Version:
    steps = tuple(
        Step(PolicyState(step.state), step.actor, step.at, step.entry.uuid, step.entry.header)
        for step in sorted(row.transitions.all(), key=lambda step: step.number)
    )
    return Version(
        application=row.policy_id,
        number=row.number,
        state=steps[-1].state,
        author=row.author,
        drafted_at=row.drafted_at,
        content=policy_content.plain(bytes(row.content)),
        content_digest=row.content_digest,
        scope_digest=row.scope_digest,
        steps=steps,
        answer=next((_answer(approval) for approval in row.approvals.all()), None),
    )


def _answer(row: Approval) -> Answer:
    return Answer(row.approver, row.is_approved, row.reason, row.at, row.entry.uuid)
