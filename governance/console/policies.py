"""Capture policies: read, compare, submit, decide with four eyes, activate, suspend.

Who wrote or decided a version is told to the two offices that must differ, to nobody else
(decisions 35); everybody else reads which office did it.
"""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from governance.accounts import selectors as accounts
from governance.accounts.roles import Role
from governance.compliance.errors import GuardError
from governance.console import differing, previewing, refusals
from governance.console.frame import show
from governance.policies import activation, dry_run, history, selectors, services, suspending
from governance.policies import content as policy_content
from governance.policies.errors import PoliciesError
from governance.policies.states import PolicyState
from governance.web.doors import Visitor, page

SECTION: Final = "policies"
UNPROCESSABLE: Final = 422
_SEE_PEOPLE: Final = frozenset({Role.PRIVACY_OFFICER, Role.POLICY_APPROVER})
# What each button of the detail page needs of the active role.
PERMISSIONS: Final = {
    "submit": "policy.submit",
    "approve": "policy.approve",
    "reject": "policy.reject",
    "activate": "policy.activate",
    "suspend": "policy.suspend",
    "resume": "policy.resume",
}
# The state a version must be in for a step to be offered at all.
OFFERED_IN: Final = {
    PolicyState.DRAFT: ("submit",),
    PolicyState.IN_REVIEW: ("reject", "approve"),
    PolicyState.APPROVED: ("activate",),
    PolicyState.ACTIVE: ("suspend",),
    PolicyState.SUSPENDED: ("resume",),
}


@page("policy.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List every application with its policy versions."""
    versions = history.versions()
    active = selectors.active_policies()
    rows = [
        {
            "application": application,
            "active": active.get(application.key),
            "versions": [one for one in versions if one.application == application.key],
        }
        for application in selectors.applications()
    ]
    context = {"rows": rows, "may_draft": visitor.may("policy.draft")}
    return show(request, visitor, "console/policies.html", context, section=SECTION)


@page("policy.read")
@require_GET
def detail(request: HttpRequest, visitor: Visitor, application: str, number: int) -> HttpResponse:
    """Show one version: in words, against the one before it, and what may be done with it."""
    return _detail(request, visitor, _version(application, number))


def _version(application: str, number: int) -> history.Version:
    found = history.version(application, number)
    if found is None:
        raise Http404
    return found


def _detail(
    request: HttpRequest,
    visitor: Visitor,
    version: history.Version,
    *,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    versions = history.versions(version.application)
    before = _compared(request, version, versions)
    schedule = next(iter(selectors.schedules(version.application)), None)
    context = {
        "version": version,
        "application": selectors.application(version.application),
        "before": before,
        "earlier": [one for one in versions if one.number < version.number],
        "changes": differing.changes(before.content, version.content) if before else [],
        "said": differing.said(version.content),
        "names": _names(visitor, [version]),
        "purposes": {purpose.key: purpose for purpose in selectors.purposes()},
        "days": {c.value: n for c, n in schedule.days.items()} if schedule else {},
        "guards": _guards(version) if visitor.may("assessment.read") else [],
        "outcomes": _outcomes(version) if visitor.may("policy.try") else [],
        "is_own": version.author == visitor.subject,
        "steps_offered": _steps(visitor, version),
        "error": error,
    }
    return show(request, visitor, "console/policy.html", context, section=SECTION, status=status)


def _compared(
    request: HttpRequest, version: history.Version, versions: list[history.Version]
) -> history.Version | None:
    """Return what a version is held against: as asked, else what was in force before it."""
    asked = request.GET.get("against", "")
    earlier = [one for one in versions if one.number < version.number]
    for one in earlier:
        if str(one.number) == asked:
            return one
    acted = previewing.last_in_force(version.application, below=version.number)
    return acted or next(iter(earlier), None)


def _names(visitor: Visitor, versions: list[history.Version]) -> dict[str, str]:
    if visitor.role not in _SEE_PEOPLE:
        return {}
    steps = [step for version in versions for step in version.steps]
    return accounts.names_of({step.actor for step in steps})


@page("policy.read")
@require_GET
def past(request: HttpRequest, visitor: Visitor, application: str) -> HttpResponse:
    """Show every version of an application's policy: who decided what, when it was in force."""
    found = selectors.application(application)
    if found is None:
        raise Http404
    versions = history.versions(application)
    rows = []
    before: history.Version | None = None
    for version in reversed(versions):
        changes = differing.changes(before.content, version.content) if before else []
        rows.append({"version": version, "before": before, "changes": changes})
        before = version if previewing.has_acted(version) else before
    context = {"application": found, "rows": rows[::-1], "names": _names(visitor, versions)}
    return show(request, visitor, "console/policy-history.html", context, section=SECTION)


def _guards(version: history.Version) -> list[tuple[str, str]]:
    """Return each guard with what it refuses, "" where it holds; none once it was superseded."""
    if version.state in {PolicyState.SUPERSEDED, PolicyState.REJECTED}:
        return []
    return [
        (name, refusals.words_of(error) if error else "")
        for name, error in activation.findings_of(
            application=version.application, number=version.number, now=timezone.now()
        )
    ]


def _outcomes(version: history.Version) -> list[dry_run.Outcome]:
    """Return what the version would capture of the recordings that come with the service."""
    return dry_run.run_all(policy_content.from_plain(version.content))


def _steps(visitor: Visitor, version: history.Version) -> list[str]:
    """Return the steps this visitor may take; nobody is shown a button for their own draft."""
    offered = [step for step in OFFERED_IN.get(version.state, ()) if visitor.may(PERMISSIONS[step])]
    if version.author == visitor.subject:
        offered = [step for step in offered if step not in {"approve", "reject"}]
    return offered


def _take_step(
    request: HttpRequest, visitor: Visitor, version: history.Version, step: Callable[[], object]
) -> HttpResponse:
    try:
        step()
    except (PoliciesError, GuardError) as error:
        return _detail(
            request, visitor, version, error=refusals.words_of(error), status=UNPROCESSABLE
        )
    return HttpResponseRedirect(f"/office/policies/{version.application}/{version.number}/")


@page("policy.submit")
@require_POST
def submit(request: HttpRequest, visitor: Visitor, application: str, number: int) -> HttpResponse:
    """Ask the other person to look at it."""
    version = _version(application, number)
    return _take_step(
        request,
        visitor,
        version,
        lambda: services.submit(application=application, number=number, actor=visitor.actor),
    )


@page("policy.approve")
@require_POST
def approve(request: HttpRequest, visitor: Visitor, application: str, number: int) -> HttpResponse:
    """Agree to exactly the bytes that were shown."""
    version = _version(application, number)
    return _take_step(
        request,
        visitor,
        version,
        lambda: services.approve(
            application=application,
            number=number,
            content_digest=request.POST.get("content_digest", ""),
            actor=visitor.actor,
        ),
    )


@page("policy.reject")
@require_POST
def reject(request: HttpRequest, visitor: Visitor, application: str, number: int) -> HttpResponse:
    """Return it to its author, with a reason."""
    version = _version(application, number)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        return _detail(
            request, visitor, version, error=_("Say why you return it."), status=UNPROCESSABLE
        )
    return _take_step(
        request,
        visitor,
        version,
        lambda: services.reject(
            application=application,
            number=number,
            content_digest=request.POST.get("content_digest", ""),
            reason=reason,
            actor=visitor.actor,
        ),
    )


@page("policy.activate")
@require_POST
def activate(request: HttpRequest, visitor: Visitor, application: str, number: int) -> HttpResponse:
    """Put an approved version in force."""
    version = _version(application, number)
    return _take_step(
        request,
        visitor,
        version,
        lambda: services.activate(application=application, number=number, actor=visitor.actor),
    )


@page("policy.suspend")
@require_POST
def suspend(request: HttpRequest, visitor: Visitor, application: str, number: int) -> HttpResponse:
    """Stop capture under it at once; one person may, because it only narrows."""
    version = _version(application, number)
    reason = request.POST.get("reason", "").strip()
    if not reason:
        return _detail(
            request, visitor, version, error=_("Say why it stops."), status=UNPROCESSABLE
        )
    return _take_step(
        request,
        visitor,
        version,
        lambda: suspending.suspend(
            application=application, number=number, reason=reason, actor=visitor.actor
        ),
    )


@page("policy.resume")
@require_POST
def resume(request: HttpRequest, visitor: Visitor, application: str, number: int) -> HttpResponse:
    """Want a suspended version back; the second person who does brings it back."""
    version = _version(application, number)
    answer = _take_step(
        request,
        visitor,
        version,
        lambda: suspending.resume(application=application, number=number, actor=visitor.actor),
    )
    if answer.status_code != UNPROCESSABLE:
        messages.info(request, _("It is back in force once a second person wants it as well."))
    return answer
