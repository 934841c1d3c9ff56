"""What changes about purposes, applications, capture policies and retention.

Promises: entry first, then the row, in one transaction; nobody approves what they wrote; a policy
acts only after every guard held in the same transaction; whatever an agent's policy depends on
raises the policy epoch, so that agents ask again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

import consent.services
from audit import journal
from audit.actions import Action, Verdict
from audit.actors import Actor
from governance.accounts import selectors as accounts
from governance.compliance import services as compliance
from governance.policies import activation, scopes, transitions
from governance.policies import content as policy_content
from governance.policies.categories import LONGEST_DAYS, Category, offered_categories
from governance.policies.errors import (
    AlreadyRegisteredError,
    ConsumerError,
    ContentChangedError,
    FourEyesError,
    InvalidStateError,
    PurposeTermError,
    RetentionPeriodError,
    UnknownApplicationError,
    UnknownPurposeError,
)
from governance.policies.models import (
    Application,
    Approval,
    CapturePolicy,
    CapturePolicyVersion,
    PolicyGeneration,
    Purpose,
    PurposeVersion,
    RetentionRule,
    RetentionSchedule,
)
from governance.policies.purposes import PERMITTED_BROADER, RESERVED, prohibition
from governance.policies.states import PolicyState

if TYPE_CHECKING:
    from consent.models import NoticeVersion


def bump_policy_epoch() -> int:
    """Raise the counter that agents compare; the caller's transaction holds it until it ends."""
    PolicyGeneration.objects.get_or_create(id=1)
    PolicyGeneration.objects.filter(id=1).update(epoch=F("epoch") + 1, stamp=uuid4())
    return PolicyGeneration.objects.values_list("epoch", flat=True).get(id=1)


def hold_generation() -> None:
    """Keep every change that agents depend on out until the transaction ends; count nothing."""
    PolicyGeneration.objects.get_or_create(id=1)
    list(PolicyGeneration.objects.select_for_update().filter(id=1))


def register_purpose(
    *,
    key: str,
    name: str,
    description: str,
    broader: str,
    actor: Actor,
    now: datetime | None = None,
) -> PurposeVersion:
    """Register a purpose. A prohibited one is refused to everybody, and the attempt is an entry.

    PurposeProhibitedError, PurposeTermError, AlreadyRegisteredError.
    """
    if found := prohibition(key=key, broader=broader, name=name):
        journal.append_now(
            Action.PURPOSE_REGISTERED,
            actor=actor,
            verdict=Verdict.DENY,
            private={"purpose": key, "broader": broader, "prohibition": found.key},
        )
        raise found.refusal()
    if broader not in PERMITTED_BROADER:
        raise PurposeTermError("A purpose narrows one of " + ", ".join(PERMITTED_BROADER) + ".")
    if key in RESERVED:
        raise AlreadyRegisteredError("The service itself uses this key.")
    return _add_purpose(
        purpose=Purpose(key=key, broader=broader, registered_at=now or timezone.now()),
        version=PurposeVersion(number=1, name=name, description=description),
        actor=actor,
    )


@transaction.atomic
def _add_purpose(*, purpose: Purpose, version: PurposeVersion, actor: Actor) -> PurposeVersion:
    if Purpose.objects.filter(pk=purpose.key).exists():
        raise AlreadyRegisteredError("This purpose is registered already.")
    words = {
        "key": purpose.key,
        "broader": purpose.broader,
        "name": version.name,
        "description": version.description,
    }
    version.content_digest = policy_content.digest_of(words)
    entry = journal.append(
        Action.PURPOSE_REGISTERED,
        actor=actor,
        purpose=purpose.key,
        private={"digest": version.content_digest},
    )
    purpose.entry = version.entry = entry
    version.purpose = purpose
    _insert(purpose, "This purpose is registered already.")
    version.save(force_insert=True)
    return version


def _insert(row: Purpose | Application, taken: str) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:  # Somebody else registered the key a moment ago.
        raise AlreadyRegisteredError(taken) from error


@transaction.atomic
def register_application(
    *, key: str, name: str, kind: str, actor: Actor, now: datetime | None = None
) -> Application:
    """Register an application, `kind` web or desktop. Nothing of it is captured by that."""
    if Application.objects.filter(pk=key).exists():
        raise AlreadyRegisteredError("This application is registered already.")
    entry = journal.append(
        Action.APPLICATION_REGISTERED, actor=actor, private={"application": key, "kind": kind}
    )
    application = Application(
        key=key, name=name, kind=kind, registered_at=now or timezone.now(), entry=entry
    )
    _insert(application, "This application is registered already.")
    return application


@transaction.atomic
def draft_policy(
    *, content: Mapping[str, object], actor: Actor, now: datetime | None = None
) -> CapturePolicyVersion:
    """Write the next version of an application's policy; it does nothing until it is active.

    PolicyContentError, ProtectedSurfaceError, CategoryProhibitedError, ConsumerError,
    UnknownApplicationError, UnknownPurposeError.
    """
    now = now or timezone.now()
    refuse_consumer(actor)
    parsed = policy_content.parse(content)
    _require_known(parsed)
    journaled = journal.append(
        Action.POLICY_DRAFTED,
        actor=actor,
        private={"application": parsed.application, "digest": parsed.digest()},
    )
    policy, _ = CapturePolicy.objects.get_or_create(
        application_id=parsed.application, defaults={"entry": journaled}
    )
    list(CapturePolicy.objects.select_for_update().filter(pk=policy.pk))
    version = CapturePolicyVersion.objects.create(
        policy=policy,
        number=policy.versions.count() + 1,
        content=parsed.canonical(),
        content_digest=parsed.digest(),
        scope_digest=scopes.whole_digest(parsed),
        author=actor.key,
        drafted_at=now,
        entry=journaled,
    )
    transitions.step(version, PolicyState.DRAFT, actor=actor.key, at=now, entry=journaled)
    return version


def refuse_consumer(actor: Actor) -> None:
    """Refuse who uses the data, or works beside those who do; ConsumerError (R36)."""
    if accounts.is_consumer(actor.key):
        raise ConsumerError("Whoever uses the data neither writes nor approves a policy.")


def _require_known(parsed: policy_content.Content) -> None:
    application = Application.objects.filter(pk=parsed.application).first()
    if application is None or application.kind != parsed.kind:
        raise UnknownApplicationError("No such application of this kind is registered.")
    known = set(Purpose.objects.filter(pk__in=parsed.purposes).values_list("key", flat=True))
    if strangers := [purpose for purpose in parsed.purposes if purpose not in known]:
        raise UnknownPurposeError(f"The purpose {strangers[0]} is not registered.")


@transaction.atomic
def submit(
    *, application: str, number: int, actor: Actor, now: datetime | None = None
) -> CapturePolicyVersion:
    """Hand a draft to a second person. InvalidStateError, UnknownPolicyVersionError.

    What looked at this application but not at all that the version may reach is due for a review.
    """
    version = transitions.lock(application=application, number=number)
    transitions.require(version, PolicyState.IN_REVIEW)
    entry = journal.append(
        Action.POLICY_SUBMITTED, actor=actor, policy=transitions.reference(version)
    )
    at = now or timezone.now()
    compliance.ask_for_review(
        application=application, scope_digest=version.scope_digest, actor=actor, now=at
    )
    transitions.step(version, PolicyState.IN_REVIEW, actor=actor.key, at=at, entry=entry)
    return version


def approve(
    *,
    application: str,
    number: int,
    content_digest: str,
    actor: Actor,
    now: datetime | None = None,
) -> CapturePolicyVersion:
    """Approve exactly the bytes of `content_digest`, as somebody else than their author.

    FourEyesError, ConsumerError, ContentChangedError, InvalidStateError,
    UnknownPolicyVersionError.
    """
    word = Approval(content_digest=content_digest, is_approved=True, at=now or timezone.now())
    return _answer(application=application, number=number, word=word, actor=actor)


def reject(
    *,
    application: str,
    number: int,
    content_digest: str,
    reason: str,
    actor: Actor,
    now: datetime | None = None,
) -> CapturePolicyVersion:
    """Refuse a version for good; the errors are those of `approve`."""
    word = Approval(
        content_digest=content_digest, is_approved=False, reason=reason, at=now or timezone.now()
    )
    return _answer(application=application, number=number, word=word, actor=actor)


@transaction.atomic
def _answer(*, application: str, number: int, word: Approval, actor: Actor) -> CapturePolicyVersion:
    version = transitions.lock(application=application, number=number)
    state = PolicyState.APPROVED if word.is_approved else PolicyState.REJECTED
    transitions.require(version, state)
    if actor.key == version.author:
        raise FourEyesError("Who wrote a policy does not decide on it.")
    refuse_consumer(actor)
    if word.content_digest != version.content_digest:
        raise ContentChangedError("The digest is not that of this version; read it again.")
    word.entry = journal.append(
        Action.POLICY_APPROVED if word.is_approved else Action.POLICY_REJECTED,
        actor=actor,
        verdict=Verdict.ALLOW if word.is_approved else Verdict.DENY,
        policy=transitions.reference(version),
        private={"reason": word.reason} if word.reason else None,
    )
    word.version, word.author, word.approver = version, version.author, actor.key
    word.save(force_insert=True)
    transitions.step(version, state, actor=actor.key, at=word.at, entry=word.entry)
    return version


@transaction.atomic
def activate(
    *, application: str, number: int, actor: Actor, now: datetime | None = None
) -> CapturePolicyVersion:
    """Put an approved version in force; the one before it is superseded in the same moment.

    InvalidStateError, UnknownPolicyVersionError, and what a guard of `activation` raises.
    """
    now = now or timezone.now()
    bump_policy_epoch()
    version = transitions.lock(application=application, number=number)
    if (current := transitions.state_of(version)) is not PolicyState.APPROVED:
        # From suspension it comes back by `suspending.resume`, with two people.
        raise InvalidStateError(current=current.value, wanted=PolicyState.ACTIVE.value)
    activation.check(version, now=now)
    entry = journal.append(
        Action.POLICY_ACTIVATED, actor=actor, policy=transitions.reference(version)
    )
    for other in CapturePolicyVersion.objects.filter(policy_id=application).exclude(pk=version.pk):
        if transitions.state_of(other) in {PolicyState.ACTIVE, PolicyState.SUSPENDED}:
            transitions.step(other, PolicyState.SUPERSEDED, actor=actor.key, at=now, entry=entry)
    transitions.step(version, PolicyState.ACTIVE, actor=actor.key, at=now, entry=entry)
    content = policy_content.from_bytes(bytes(version.content))
    activation.write_scopes(application, content=content, now=now, entry=entry)
    return version


@transaction.atomic
def set_retention(
    *,
    application: str,
    days: Mapping[Category, int],
    actor: Actor,
    now: datetime | None = None,
) -> RetentionSchedule:
    """Set the retention of an application's categories as a new schedule; the old one stays read.

    A longer period widens the scope, so that consents for it must be asked for again; what is
    stored already keeps its date. While a policy acts, nothing is kept longer than its notices,
    places and assessments say. UnknownApplicationError, RetentionPeriodError, and what those guards
    of `activation` raise.
    """
    now = now or timezone.now()
    for category, period in days.items():
        if category not in offered_categories() or not 1 <= period <= LONGEST_DAYS[category]:
            raise RetentionPeriodError(
                f"{category} is kept between 1 and {LONGEST_DAYS[category]} days."
            )
    bump_policy_epoch()
    if not Application.objects.filter(pk=application).exists():
        raise UnknownApplicationError("No such application is registered.")
    active = activation.version_in_force(application)
    content = policy_content.from_bytes(bytes(active.content)) if active else None
    if content and (missing := [c for c in content.categories if c not in days]):
        raise RetentionPeriodError(f"The active policy captures {missing[0]}; it needs a period.")
    before = activation.retention_days(application)
    entry = journal.append(
        Action.RETENTION_SCHEDULED,
        actor=actor,
        private={"application": application, "days": {c.value: n for c, n in days.items()}},
    )
    schedule = RetentionSchedule.objects.create(
        application_id=application,
        number=RetentionSchedule.objects.filter(application_id=application).count() + 1,
        set_at=now,
        entry=entry,
    )
    RetentionRule.objects.bulk_create(
        RetentionRule(schedule=schedule, category=category.value, days=period)
        for category, period in days.items()
    )
    if active and content:
        if any(days[category] > before.get(category, 0) for category in content.categories):
            activation.check_keeping(active, now=now)
        activation.write_scopes(application, content=content, now=now, entry=entry)
    return schedule


@transaction.atomic
def publish_notice(
    *,
    purpose: str,
    texts: Mapping[str, Mapping[str, object]],
    actor: Actor,
    now: datetime | None = None,
) -> "list[NoticeVersion]":
    """Publish a purpose's notice; consents end where it tells of more than they were given for.

    A new recipient, place or transfer widens the scope of each cell that asks for the purpose (R8).
    UnknownPurposeError, and what `consent.services.publish_notice` raises.
    """
    now = now or timezone.now()
    bump_policy_epoch()
    if not Purpose.objects.filter(pk=purpose).exists():
        raise UnknownPurposeError("No such purpose is registered.")
    made = consent.services.publish_notice(purpose=purpose, texts=texts, actor=actor, now=now)
    for application in Application.objects.order_by("key"):
        active = activation.version_in_force(application.key)
        content = policy_content.from_bytes(bytes(active.content)) if active else None
        if content and purpose in content.purposes:
            activation.write_scopes(application.key, content=content, now=now, entry=made[0].entry)
    return made
