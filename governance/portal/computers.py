"""My computers: which are enrolled, a one-time code for another, removing one."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from governance.accounts import selectors, services
from governance.capture import selectors as captures
from governance.portal.frame import show
from governance.web.doors import Visitor, page


@page("device.list")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List the person's computers."""
    return _listing(request, visitor)


def _listing(request: HttpRequest, visitor: Visitor, *, code: str = "") -> HttpResponse:
    devices = selectors.devices_of(visitor.subject)
    context = {
        "devices": [device for device in devices if device.revoked_at is None],
        "removed": [device for device in devices if device.revoked_at is not None],
        "missing": captures.missing_events(subject=visitor.subject),
        "code": code,
    }
    return show(request, visitor, "portal/devices.html", context, section="devices")


@page("device.enrol")
@require_POST
def enrol(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show a one-time code, once: it stands in this answer and nowhere else."""
    return _listing(request, visitor, code=services.make_enrolment_code(subject=visitor.subject))


@page("device.revoke")
@require_POST
def revoke(request: HttpRequest, visitor: Visitor, device_id: UUID) -> HttpResponse:
    """Take a computer's right to send away."""
    services.revoke_device(device_id=device_id, actor=visitor.actor, owner=visitor.subject)
    messages.info(
        request, _("The computer is removed. The service takes nothing from it any more.")
    )
    return HttpResponseRedirect("/devices/")
