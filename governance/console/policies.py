"""Capture policies: read, draft, submit, decide with four eyes, activate, suspend."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from governance.accounts import selectors as accounts
from governance.compliance.errors import GuardError
from governance.console import drafting
from governance.console.frame import show
from governance.policies import activation, dry_run, history, selectors, services, suspending
from governance.policies import content as policy_content
from governance.policies.categories import offered_categories
from governance.policies.errors import PoliciesError
from governance.policies.states import PolicyState
from governance.web.doors import Visitor, page

SECTION: Final = "policies"
UNPROCESSABLE: Final = 422
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
    before = next((one for one in versions if one.number < version.number), None)
    people = {version.author, *(step.actor for step in version.steps)}
    schedule = next(iter(selectors.schedules(version.application)), None)
    context = {
        "version": version,
        "application": selectors.application(version.application),
        "before": before,
        "differences": drafting.compare(before.content if before else None, version.content),
        "names": accounts.names_of(people),
        "purposes": {purpose.key: purpose for purpose in selectors.purposes()},
        "days": {c.value: n for c, n in schedule.days.items()} if schedule else {},
        "guards": _guards(version) if visitor.may("assessment.read") else [],
        "outcomes": _outcomes(version) if visitor.may("policy.try") else [],
        "is_own": version.author == visitor.subject,
        "steps_offered": _steps(visitor, version),
        "error": error,
    }
    return show(request, visitor, "console/policy.html", context, section=SECTION, status=status)


def _guards(version: history.Version) -> list[tuple[str, str]]:
    """Return each guard with what it refuses, "" where it holds; none once it was superseded."""
    if version.state in {PolicyState.SUPERSEDED, PolicyState.REJECTED}:
        return []
    return [
        (name, str(error) if error else "")
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


@page("policy.draft")
@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Write a new version, from nothing or from an earlier one."""
    if request.method == "GET":
        return _draft_form(request, visitor, _start(request))
    application = selectors.application(request.POST.get("application", ""))
    if application is None:
        raise Http404
    written = drafting.read(request.POST, kind=application.kind)
    if not written.errors:
        try:
            made = services.draft_policy(content=written.content, actor=visitor.actor)
        except PoliciesError as error:
            written.errors[_field_of(error)] = str(error)
        else:
            messages.info(request, _("The draft is stored. It captures nothing yet."))
            return HttpResponseRedirect(f"/office/policies/{application.key}/{made.number}/")
    return _draft_form(request, visitor, written, status=UNPROCESSABLE)


def _start(request: HttpRequest) -> drafting.Draft:
    application, _separator, number = request.GET.get("from", "").partition("@")
    if number.isascii() and number.isdecimal():
        return drafting.from_content(_version(application, int(number)).content)
    return drafting.Draft(application=request.GET.get("application", ""))


def _field_of(error: PoliciesError) -> str:
    pointer = str(getattr(error, "pointer", ""))
    return pointer.strip("/").partition("/")[0] or "application"


def _draft_form(
    request: HttpRequest, visitor: Visitor, written: drafting.Draft, *, status: int = 200
) -> HttpResponse:
    context = {
        "draft": written,
        "applications": selectors.applications(),
        "purposes": selectors.purposes(),
        "categories": offered_categories(),
    }
    return show(
        request, visitor, "console/policy-draft.html", context, section=SECTION, status=status
    )


def _take_step(
    request: HttpRequest, visitor: Visitor, version: history.Version, step: Callable[[], object]
) -> HttpResponse:
    try:
        step()
    except (PoliciesError, GuardError) as error:
        return _detail(request, visitor, version, error=str(error), status=UNPROCESSABLE)
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
