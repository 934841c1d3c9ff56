"""The office's first page: what waits for this person, in numbers that lead somewhere."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from audit import selectors as log
from audit.actions import Verdict
from audit.search import SearchFilters
from governance.accounts.roles import Role
from governance.capture import rereading
from governance.console import council
from governance.console.access import waiting_for
from governance.console.frame import show
from governance.policies import history
from governance.policies.states import PolicyState
from governance.rights import pressure
from governance.web.doors import Visitor, page


@dataclass(frozen=True, slots=True)
class Task:
    """One tile."""

    number: int
    words: str | Promise
    address: str


@page("overview.office")
@require_GET
def overview(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show what waits, and how the log stands."""
    if visitor.role is Role.EMPLOYEE:
        return HttpResponseRedirect("/")
    context = {
        "tasks": _tasks(visitor),
        "log": log.log_state(),
        "council": council.view() if visitor.role is Role.AUDITOR else None,
    }
    return show(request, visitor, "console/overview.html", context, section="overview")


def _tasks(visitor: Visitor) -> list[Task]:
    tasks = []
    versions = history.versions()
    if visitor.may("policy.approve"):
        waiting = [
            one
            for one in versions
            if one.state is PolicyState.IN_REVIEW and one.author != visitor.subject
        ]
        tasks.append(Task(len(waiting), _("policies wait for your decision"), "/office/policies/"))
    if visitor.may("policy.activate"):
        approved = [one for one in versions if one.state is PolicyState.APPROVED]
        tasks.append(Task(len(approved), _("approved policies to activate"), "/office/policies/"))
    if visitor.may("request.approve"):
        waiting_requests = Task(
            len(waiting_for(visitor)),
            _("access requests wait for your decision"),
            "/office/requests/",
        )
        tasks.append(waiting_requests)
    if visitor.may("policy.read"):
        active = [one for one in versions if one.state is PolicyState.ACTIVE]
        tasks.append(Task(len(active), _("capture policies are active"), "/office/policies/"))
        done = rereading.progress()
        if done.stale:
            left = _("records wait to be redacted again by the present recipe")
            tasks.append(Task(done.stale, left, "/office/"))
    if visitor.may("pressure.read"):
        unread = Task(
            pressure.waiting(), _("reports of pressure wait for you"), "/office/pressure/"
        )
        tasks.append(unread)
    if visitor.may("log.search"):
        refused = log.search(filters=SearchFilters(verdicts=frozenset({Verdict.DENY})), limit=1)
        tasks.append(Task(refused.total, _("refusals in the log"), "/office/log/?verdicts=deny"))
    return tasks
