"""What changes about impact assessments: draft, submit, decide, consult, ask for a review.

Promises: entry first, then the row, in one transaction; nobody decides on what they wrote, and only
on the bytes they read; nothing incomplete is approved; a high risk that remains goes to the
authority first (`guards` holds policies to that).
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone

from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from audit.leaf import PolicyRef
from governance.compliance import assessment
from governance.compliance.errors import (
    AssessmentChangedError,
    AssessmentContentError,
    AssessmentIncompleteError,
    AssessmentStateError,
    SecondPersonError,
    UnknownAssessmentError,
)
from governance.compliance.models import (
    Assessment,
    AssessmentDecision,
    AssessmentStep,
    AssessmentVersion,
    Consultation,
)
from governance.compliance.states import FOLLOWS, STANDING, AssessmentState

if TYPE_CHECKING:
    from audit.models import Entry

DECISIONS: Final = {
    "approve": AssessmentState.APPROVED,
    "approve-with-conditions": AssessmentState.CONDITIONAL,
    "reject": AssessmentState.REJECTED,
    "refer-to-authority": AssessmentState.REFERRED,
}
_NEEDS_WORDS: Final = frozenset(DECISIONS) - {"approve"}
_COMPLETE: Final = frozenset(
    {AssessmentState.APPROVED, AssessmentState.CONDITIONAL, AssessmentState.REFERRED}
)


@transaction.atomic
def draft(
    *, key: str, content: Mapping[str, object], actor: Actor, now: datetime | None = None
) -> AssessmentVersion:
    """Write the next version of an assessment; it counts for nothing until it is approved.

    AssessmentContentError.
    """
    now = now or timezone.now()
    parsed = assessment.parse(content)
    entry = journal.append(
        Action.ASSESSMENT_DRAFTED,
        actor=actor,
        private={"assessment": key, "digest": parsed.digest()},
    )
    known, _ = Assessment.objects.get_or_create(
        key=key, defaults={"kind": parsed.kind, "entry": entry}
    )
    if known.kind != parsed.kind:
        raise AssessmentContentError(f"{key} is a {known.kind}.", pointer="/kind")
    _lock(key)
    version = AssessmentVersion.objects.create(
        assessment=known,
        number=known.versions.count() + 1,
        content=parsed.canonical(),
        content_digest=parsed.digest(),
        author=actor.key,
        drafted_at=now,
        entry=entry,
    )
    _step(version, AssessmentState.DRAFT, actor=actor, at=now, entry=entry)
    return version


@transaction.atomic
def submit(
    *, key: str, number: int, actor: Actor, now: datetime | None = None
) -> AssessmentVersion:
    """Hand a draft to a second person. AssessmentStateError, UnknownAssessmentError."""
    version = _locked(key, number)
    _require(version, AssessmentState.IN_REVIEW)
    entry = journal.append(Action.ASSESSMENT_SUBMITTED, actor=actor, policy=reference(version))
    _step(version, AssessmentState.IN_REVIEW, actor=actor, at=now or timezone.now(), entry=entry)
    return version


@transaction.atomic
def decide(  # noqa: PLR0913 - keyword-only: what is decided, on which bytes, by whom and why.
    *,
    key: str,
    number: int,
    decision: str,
    content_digest: str,
    actor: Actor,
    reason: str = "",
    now: datetime | None = None,
) -> AssessmentVersion:
    """Decide on exactly the bytes of `content_digest`, as somebody else than their author.

    `decision` is one of `DECISIONS`; all but a plain approval say why. SecondPersonError,
    AssessmentChangedError, AssessmentIncompleteError, AssessmentStateError, AssessmentContentError.
    """
    now = now or timezone.now()
    version = _locked(key, number)
    state = DECISIONS[decision]
    _require(version, state)
    if actor.key == version.author:
        raise SecondPersonError("Who wrote an assessment does not decide on it.")
    if content_digest != version.content_digest:
        raise AssessmentChangedError("The digest is not that of this version; read it again.")
    if decision in _NEEDS_WORDS and not reason.strip():
        raise AssessmentContentError("This decision says why.", pointer="/reason")
    content = assessment.from_bytes(bytes(version.content))
    if state in _COMPLETE and (parts := assessment.missing(content)):
        raise AssessmentIncompleteError(parts=parts)
    entry = journal.append(
        Action.ASSESSMENT_DECIDED,
        actor=actor,
        verdict=Verdict.DENY if state is AssessmentState.REJECTED else Verdict.ALLOW,
        policy=reference(version),
        private={"decision": state.value, "reason": reason},
    )
    AssessmentDecision.objects.create(
        version=version,
        content_digest=version.content_digest,
        author=version.author,
        decider=actor.key,
        decision=state.value,
        at=now,
        entry=entry,
    )
    _step(version, state, actor=actor, at=now, entry=entry, reason=reason)
    if state in STANDING:
        _supersede(version, actor=actor, at=now, entry=entry)
    return version


def _supersede(version: AssessmentVersion, *, actor: Actor, at: datetime, entry: "Entry") -> None:
    for other in version.assessment.versions.exclude(pk=version.pk):
        if state_of(other) in STANDING:
            _step(other, AssessmentState.SUPERSEDED, actor=actor, at=at, entry=entry)


@transaction.atomic
def record_consultation(  # noqa: PLR0913 - keyword-only, and each is a column.
    *,
    key: str,
    number: int,
    authority: str,
    reference_of_answer: str,
    answer: str,
    answered_on: date,
    actor: Actor,
) -> Consultation:
    """Write down what the authority answered. UnknownAssessmentError, AssessmentStateError."""
    version = _locked(key, number)
    current = state_of(version)
    if current not in STANDING | {AssessmentState.REFERRED}:
        raise AssessmentStateError(current=current.value, wanted="consulted")
    entry = journal.append(
        Action.CONSULTATION_RECORDED,
        actor=actor,
        policy=reference(version),
        private={"authority": authority, "reference": reference_of_answer},
    )
    return Consultation.objects.create(
        version=version,
        authority=authority,
        reference=reference_of_answer,
        answer=answer,
        answered_on=answered_on,
        entry=entry,
    )


def ask_for_review(*, application: str, scope_digest: str, actor: Actor, now: datetime) -> None:
    """Mark what looked at an application, but not at this scope, as due for review (GDPR 35(11)).

    In the transaction of whoever widened the scope. What was approved stays approved for its scope.
    """
    for version in AssessmentVersion.objects.order_by("assessment_id", "number"):
        content = assessment.from_bytes(bytes(version.content))
        looked_at = {covered.application for covered in content.covers}
        if (
            application not in looked_at
            or content.covers_scope(application=application, scope_digest=scope_digest)
            or AssessmentState.REVIEW_REQUIRED not in FOLLOWS[state_of(version)]
        ):
            continue
        entry = journal.append(Action.ASSESSMENT_REVIEW_DUE, actor=actor, policy=reference(version))
        _step(version, AssessmentState.REVIEW_REQUIRED, actor=actor, at=now, entry=entry)


def reference(version: AssessmentVersion) -> PolicyRef:
    """Return how the log names a version."""
    return PolicyRef(
        id=version.assessment_id, version=version.number, sha256=version.content_digest
    )


def state_of(version: AssessmentVersion) -> AssessmentState:
    """Return where a version stands."""
    return AssessmentState(
        version.steps.order_by("-number").values_list("state", flat=True)[:1].get()
    )


def _lock(key: str) -> None:
    list(Assessment.objects.select_for_update().filter(pk=key))


def _locked(key: str, number: int) -> AssessmentVersion:
    _lock(key)
    version = AssessmentVersion.objects.filter(assessment_id=key, number=number).first()
    if version is None:
        raise UnknownAssessmentError("There is no such version of the assessment.")
    return version


def _require(version: AssessmentVersion, following: AssessmentState) -> None:
    current = state_of(version)
    if following not in FOLLOWS[current]:
        raise AssessmentStateError(current=current.value, wanted=following.value)


def _step(
    version: AssessmentVersion,
    state: AssessmentState,
    *,
    actor: Actor,
    at: datetime,
    entry: "Entry",
    reason: str = "",
) -> None:
    AssessmentStep.objects.create(
        version=version,
        number=version.steps.count() + 1,
        state=state.value,
        actor=actor.key,
        reason=reason,
        at=at,
        entry=entry,
    )
