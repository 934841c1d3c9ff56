"""Questions about impact assessments, works agreements and lawful bases.

No answer here names a person: authors and deciders stand as keys that only officers' pages turn
into names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from governance.compliance import assessment
from governance.compliance.agreements import CONFIRMED, ENDED
from governance.compliance.models import (
    AssessmentVersion,
    Consultation,
    LawfulBasis,
    WorksAgreement,
)
from governance.compliance.states import STANDING, AssessmentState


@dataclass(frozen=True, slots=True)
class Step:
    """One step: which state, by whom (subject key), when, why, its entry and that one's header."""

    state: AssessmentState
    actor: str
    at: datetime
    reason: str
    entry: UUID
    header: str


@dataclass(frozen=True, slots=True)
class Consulted:
    """What an authority answered."""

    authority: str
    reference: str
    answer: str
    answered_on: date
    entry: UUID


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an assessment with its whole life."""

    key: str
    number: int
    state: AssessmentState
    author: str
    drafted_at: datetime
    content: assessment.Content
    content_digest: str
    steps: tuple[Step, ...]
    consultations: tuple[Consulted, ...]

    @property
    def reference(self) -> str:
        """The name everybody uses: `cua-training@1`."""
        return f"{self.key}@{self.number}"

    @property
    def missing(self) -> list[str]:
        """The parts that it does not say yet."""
        return assessment.missing(self.content)

    def stands(self, on: date) -> bool:
        """Return whether it was approved, and its review is not overdue."""
        due = self.content.review_on
        return self.state in STANDING and (due is None or on <= due)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A works agreement and where it stands."""

    id: UUID
    application: str
    kind: str
    reference: str
    parties: list[dict[str, str]]
    places: list[str]
    valid_from: date
    valid_until: date | None
    scope_digest: str
    document_digest: str
    recorder: str
    at: datetime
    entry: UUID
    confirmed_at: datetime | None
    ended_at: datetime | None
    end_reason: str

    def stands(self, on: date) -> bool:
        """Return whether it was confirmed, has begun and has not ended."""
        return (
            self.confirmed_at is not None
            and self.ended_at is None
            and self.valid_from <= on
            and (self.valid_until is None or on < self.valid_until)
        )


def assessments(key: str | None = None) -> list[Version]:
    """Return versions of impact assessments by key, the newest of each first."""
    rows = AssessmentVersion.objects.order_by("assessment_id", "-number")
    if key is not None:
        rows = rows.filter(assessment_id=key)
    return [_version(row) for row in rows.prefetch_related("steps__entry", "consultations__entry")]


def assessment_version(key: str, number: int) -> Version | None:
    """Return one version, or None."""
    return next((found for found in assessments(key) if found.number == number), None)


def covering(*, application: str, scope_digest: str, on: date) -> list[Version]:
    """Return the assessments that stand and looked at exactly this scope: each of them counts."""
    return [
        found
        for found in assessments()
        if found.content.kind != "legitimate-interests"
        and found.stands(on)
        and found.content.covers_scope(application=application, scope_digest=scope_digest)
    ]


def weighs_interests(reference: str, *, purpose: str) -> bool:
    """Return whether an approved assessment of this name weighed the interests in a purpose."""
    return any(
        found.reference == reference
        and found.state in STANDING
        and found.content.kind == "legitimate-interests"
        and purpose in found.content.purposes
        for found in assessments()
    )


def bases() -> Mapping[str, LawfulBasis]:
    """Return the basis that holds for each purpose that has one."""
    return {row.purpose: row for row in LawfulBasis.objects.order_by("number")}


def agreements(application: str | None = None) -> list[Agreement]:
    """Return works agreements, the newest first."""
    rows = WorksAgreement.objects.order_by("-id")
    if application is not None:
        rows = rows.filter(application=application)
    return [_agreement(row) for row in rows.select_related("entry").prefetch_related("steps")]


def agreement(agreement_id: UUID) -> Agreement | None:
    """Return one works agreement, or None."""
    row = WorksAgreement.objects.select_related("entry").filter(pk=agreement_id).first()
    return _agreement(row) if row else None


def _version(row: AssessmentVersion) -> Version:
    steps = tuple(
        Step(
            AssessmentState(step.state),
            step.actor,
            step.at,
            step.reason,
            step.entry.uuid,
            step.entry.header,
        )
        for step in sorted(row.steps.all(), key=lambda step: step.number)
    )
    return Version(
        key=row.assessment_id,
        number=row.number,
        state=steps[-1].state,
        author=row.author,
        drafted_at=row.drafted_at,
        content=assessment.from_bytes(bytes(row.content)),
        content_digest=row.content_digest,
        steps=steps,
        consultations=tuple(_consulted(found) for found in row.consultations.all()),
    )


def _consulted(row: Consultation) -> Consulted:
    return Consulted(row.authority, row.reference, row.answer, row.answered_on, row.entry.uuid)


def _agreement(row: WorksAgreement) -> Agreement:
    steps = {step.state: step for step in row.steps.all()}
    confirmed, ended = steps.get(CONFIRMED), steps.get(ENDED)
    return Agreement(
        id=row.id,
        application=row.application,
        kind=row.kind,
        reference=row.reference,
        parties=row.parties,
        places=row.places,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        scope_digest=row.scope_digest,
        document_digest=row.document_digest,
        recorder=row.recorder,
        at=row.at,
        entry=row.entry.uuid,
        confirmed_at=confirmed.at if confirmed else None,
        ended_at=ended.at if ended else None,
        end_reason=ended.reason if ended else "",
    )
