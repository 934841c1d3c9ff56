"""People and computers: who holds an office, which computers are enrolled and up to date.

Whose a computer is stands on no page until an officer asks, and then the person reads that they
did. No page says what a person allowed, refused or paused.
"""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from governance.accounts import fleet, selectors, services
from governance.console.frame import show
from governance.policies import selectors as policies
from governance.web.doors import Visitor, page

SECTION: Final = "computers"
PAGE: Final = 50
BEHIND: Final = "behind"


@page("fleet.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List offices and computers."""
    return _listing(request, visitor)


def _listing(
    request: HttpRequest, visitor: Visitor, *, named: tuple[UUID, str, str] | None = None
) -> HttpResponse:
    epoch = policies.generation()
    chosen = request.GET.get("which", "")
    found = fleet.computers(
        policy_epoch=epoch,
        now_behind=chosen == BEHIND,
        before=_cursor(request.GET.get("before", "")),
        limit=PAGE + 1,
    )
    enrolled, newest = selectors.fleet(policy_epoch=epoch)
    context = {
        "computers": found[:PAGE],
        "next": found[PAGE - 1].id if len(found) > PAGE else None,
        "chosen": chosen,
        "enrolled": enrolled,
        "newest": newest,
        "offices": fleet.offices(),
        "named": named,
        "may_name": visitor.may("fleet.name"),
        "may_end": visitor.may("fleet.end"),
    }
    return show(request, visitor, "console/computers.html", context, section=SECTION)


def _cursor(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@page("fleet.name")
@require_POST
def name(request: HttpRequest, visitor: Visitor, device_id: UUID) -> HttpResponse:
    """Say whose computer it is, once: it stands in this answer and nowhere else."""
    owner = fleet.owner_of(device_id=device_id, actor=visitor.actor)
    return _listing(request, visitor, named=(device_id, owner.name, owner.label))


@page("fleet.end")
@require_POST
def end(request: HttpRequest, visitor: Visitor, device_id: UUID) -> HttpResponse:
    """Take a computer's right to send away, for one that was lost or stolen."""
    services.revoke_device(device_id=device_id, actor=visitor.actor)
    messages.info(
        request, _("The computer is removed. The service takes nothing from it any more.")
    )
    return HttpResponseRedirect("/office/computers/")
