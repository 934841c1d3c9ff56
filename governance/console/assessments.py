"""Impact assessments: read, draft, submit, decide with four eyes, record the authority's answer."""

from collections.abc import Callable
from datetime import date
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.accounts import selectors as accounts
from governance.accounts.roles import Role
from governance.compliance import assessment, guards, selectors, services
from governance.compliance.errors import ComplianceError
from governance.compliance.states import AssessmentState
from governance.console import assessing
from governance.console.frame import show
from governance.policies import activation, history
from governance.policies import selectors as policies
from governance.policies.states import PolicyState
from governance.web.doors import Visitor, page

SECTION: Final = "assessments"
UNPROCESSABLE: Final = 422
_SEE_PEOPLE: Final = frozenset({Role.PRIVACY_OFFICER, Role.POLICY_APPROVER})
_DECIDED_IN: Final = frozenset({AssessmentState.IN_REVIEW, AssessmentState.REFERRED})


@page("assessment.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List every version of every impact assessment."""
    context = {
        "versions": selectors.assessments(),
        "may_draft": visitor.may("assessment.draft"),
        "today": timezone.now().date(),
    }
    return show(request, visitor, "console/assessments.html", context, section=SECTION)


@page("assessment.read")
@require_GET
def detail(request: HttpRequest, visitor: Visitor, key: str, number: int) -> HttpResponse:
    """Show one version, its promises as they hold now, and what may be done with it."""
    return _detail(request, visitor, _version(key, number))


def _version(key: str, number: int) -> selectors.Version:
    found = selectors.assessment_version(key, number)
    if found is None:
        raise Http404
    return found


def _detail(
    request: HttpRequest,
    visitor: Visitor,
    version: selectors.Version,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    names: dict[str, str] = {}
    if visitor.role in _SEE_PEOPLE:
        names = accounts.names_of({step.actor for step in version.steps})
    is_own = version.author == visitor.subject
    context = {
        "version": version,
        "content": version.content,
        "sections": assessment.sections(),
        "names": names,
        "scopes": _scopes(),
        "promises": _promises(version),
        "is_own": is_own,
        "may_submit": visitor.may("assessment.submit") and version.state is AssessmentState.DRAFT,
        "may_decide": visitor.may("assessment.decide")
        and version.state in _DECIDED_IN
        and not is_own,
        "may_consult": visitor.may("assessment.consult")
        and version.state not in {AssessmentState.DRAFT, AssessmentState.REJECTED},
        "may_draft": visitor.may("assessment.draft"),
        "error": error,
    }
    return show(
        request, visitor, "console/assessment.html", context, section=SECTION, status=status
    )


def _scopes() -> dict[str, str]:
    """Return the reference of the policy version behind each scope digest."""
    return {version.scope_digest: version.reference for version in history.versions()}


def _promises(version: selectors.Version) -> list[tuple[str, str, bool | None]]:
    """Return each promise with whether every active policy under it keeps it; None without one."""
    covered = {each.scope_digest for each in version.content.covers}
    facts = [
        guards.facts_of(activation.plan_of_active(policy))
        for policy in policies.active_policies().values()
        if policy.scope_digest in covered
    ]
    return [
        (
            promised.id,
            assessing.said(promised),
            all(promised.holds(each) for each in facts) if facts else None,
        )
        for promised in version.content.commitments
    ]


@page("assessment.draft")
@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Write a version, from nothing or from an earlier one."""
    if request.method == "GET":
        key, _separator, number = request.GET.get("from", "").partition("@")
        sent: object = {"key": key}
        if number.isascii() and number.isdecimal():
            found = _version(key, int(number))
            sent = assessing.sent_of(found.content.as_json()) | {"key": key}
        return _form(request, visitor, sent)
    try:
        made = services.draft(
            key=request.POST.get("key", "").strip(),
            content=assessing.content_of(request.POST),
            actor=visitor.actor,
        )
    except assessing.LineError as error:
        words = _("This line does not have the form that is asked for: %s") % error.line
        return _form(request, visitor, _echo(request), error=words, status=UNPROCESSABLE)
    except ComplianceError as error:
        pointer = str(getattr(error, "pointer", ""))
        words = f"{pointer} {error}".strip()
        return _form(request, visitor, _echo(request), error=words, status=UNPROCESSABLE)
    messages.info(request, _("The draft is stored. No policy may act on it yet."))
    return HttpResponseRedirect(f"/office/assessments/{made.assessment_id}/{made.number}/")


def _echo(request: HttpRequest) -> dict[str, object]:
    kept: dict[str, object] = dict(request.POST.items())
    return kept | {name: request.POST.getlist(name) for name in ("covers", "purposes")}


def _form(
    request: HttpRequest, visitor: Visitor, sent: object, *, error: str = "", status: int = 200
) -> HttpResponse:
    waiting = {PolicyState.DRAFT, PolicyState.IN_REVIEW, PolicyState.APPROVED, PolicyState.ACTIVE}
    context = {
        "sent": sent,
        "versions": [each for each in history.versions() if each.state in waiting],
        "purposes": policies.purposes(),
        "levels": assessment.LEVELS,
        "kinds": assessing.PARAMETERS,
        "error": error,
    }
    return show(
        request, visitor, "console/assessment-draft.html", context, section=SECTION, status=status
    )


def _take_step(
    request: HttpRequest, visitor: Visitor, version: selectors.Version, step: Callable[[], object]
) -> HttpResponse:
    try:
        step()
    except ComplianceError as error:
        return _detail(request, visitor, version, error=str(error), status=UNPROCESSABLE)
    return HttpResponseRedirect(f"/office/assessments/{version.key}/{version.number}/")


@page("assessment.submit")
@require_POST
def submit(request: HttpRequest, visitor: Visitor, key: str, number: int) -> HttpResponse:
    """Ask the other person to look at it."""
    return _take_step(
        request,
        visitor,
        _version(key, number),
        lambda: services.submit(key=key, number=number, actor=visitor.actor),
    )


@page("assessment.decide")
@require_POST
def decide(request: HttpRequest, visitor: Visitor, key: str, number: int) -> HttpResponse:
    """Decide on exactly the bytes that were shown."""
    version = _version(key, number)
    decision = request.POST.get("decision", "")
    if decision not in services.DECISIONS:
        words = _("Choose a decision.")
        return _detail(request, visitor, version, error=words, status=UNPROCESSABLE)
    return _take_step(
        request,
        visitor,
        version,
        lambda: services.decide(
            key=key,
            number=number,
            decision=decision,
            content_digest=request.POST.get("content_digest", ""),
            reason=request.POST.get("reason", "")[:2000],
            actor=visitor.actor,
        ),
    )


@page("assessment.consult")
@require_POST
def consult(request: HttpRequest, visitor: Visitor, key: str, number: int) -> HttpResponse:
    """Write down what the authority answered."""
    version = _version(key, number)
    said = {
        name: request.POST.get(name, "").strip() for name in ("authority", "reference", "answer")
    }
    try:
        answered_on = date.fromisoformat(request.POST.get("answered_on", ""))
    except ValueError:
        answered_on = None
    if answered_on is None or not all(said.values()):
        words = _("Fill in who answered what, and when.")
        return _detail(request, visitor, version, error=words, status=UNPROCESSABLE)
    return _take_step(
        request,
        visitor,
        version,
        lambda: services.record_consultation(
            key=key,
            number=number,
            authority=said["authority"][:200],
            reference_of_answer=said["reference"][:200],
            answer=said["answer"][:2000],
            answered_on=answered_on,
            actor=visitor.actor,
        ),
    )
