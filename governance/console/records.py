"""What is made from what is in force: conformance, the record of processing; the applications."""

import re
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from governance.console.frame import show
from governance.oversight import conformance, ropa
from governance.policies import selectors, services
from governance.policies.errors import PoliciesError, PolicyContentError
from governance.web.doors import Visitor, page, refuse

UNPROCESSABLE: Final = 422
_KEY: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


@page("record.read")
@require_GET
def overview(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show what each policy allows, what came and was refused, and the record of processing."""
    now = timezone.now()
    context = {
        "conformance": conformance.report(now),
        "ropa": ropa.controller_record(now),
        "names": {each.key: each.name for each in selectors.applications()},
    }
    return show(request, visitor, "console/records.html", context, section="records")


@page("application.read")
@require_http_methods(["GET", "POST"])
def applications(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List applications with what is in force in each; an officer may register one."""
    error = ""
    if request.method == "POST":
        if not visitor.may("application.register"):
            return refuse(request, visitor, "application.register")
        key, name = (request.POST.get(field, "").strip() for field in ("key", "name"))
        try:
            if not (_KEY.fullmatch(key) and name):
                raise PolicyContentError(_("Give a key of small letters and hyphens, and a name."))
            services.register_application(
                key=key,
                name=name[:120],
                kind="web" if request.POST.get("kind") == "web" else "desktop",
                actor=visitor.actor,
            )
        except PoliciesError as refused:
            error = str(refused)
    active = selectors.active_policies()
    context = {
        "rows": [(each, active.get(each.key)) for each in selectors.applications()],
        "may_register": visitor.may("application.register"),
        "error": error,
        "sent": request.POST,
    }
    status = UNPROCESSABLE if error else 200
    return show(
        request,
        visitor,
        "console/applications.html",
        context,
        section="applications",
        status=status,
    )
