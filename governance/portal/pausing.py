"""Pause and resume: no reason asked, nobody else can tell, in force with the next policy poll."""

from datetime import datetime, time, timedelta
from math import ceil
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance.accounts import selectors as accounts
from governance.accounts.errors import UnknownDeviceError
from governance.portal.frame import show
from governance.rights import services as rights
from governance.web.doors import Visitor, page

_MINUTES: Final = {"quarter": 15, "hour": 60}


@page("consent.pause")
@require_http_methods(["GET", "POST"])
def pause(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Pause or resume, one computer or all of them."""
    if request.method == "GET":
        devices = [d for d in accounts.devices_of(visitor.subject) if d.revoked_at is None]
        return show(request, visitor, "portal/pause.html", {"devices": devices})
    device_id = _device(request.POST.get("device", ""))
    if request.POST.get("do") == "resume":
        rights.resume(subject=visitor.subject, actor=visitor.actor, device_id=device_id)
        messages.info(
            request, _("Capture is no longer paused. What you allowed is captured again.")
        )
    else:
        rights.pause(
            subject=visitor.subject,
            actor=visitor.actor,
            minutes=minutes_of(request.POST.get("for", ""), now=timezone.now()),
            device_id=device_id,
        )
        messages.info(request, _("Capture is paused. Your computers apply it within seconds."))
    return HttpResponseRedirect("/pause/")


def _device(named: str) -> UUID | None:
    """Return the computer a form names, or None for all. UnknownDeviceError: it names none."""
    if not named:
        return None
    try:
        return UUID(named)
    except ValueError as error:
        raise UnknownDeviceError("There is no such device.") from error


def minutes_of(wish: str, *, now: datetime) -> int | None:
    """Return how long a pause lasts: to the zone's next midnight, or (None) until resumed."""
    if wish in _MINUTES:
        return _MINUTES[wish]
    if wish == "tomorrow":
        zone = ZoneInfo(settings.REMIT_DISPLAY_TIME_ZONE)
        tomorrow = now.astimezone(zone).date() + timedelta(days=1)
        return ceil((datetime.combine(tomorrow, time(), tzinfo=zone) - now) / timedelta(minutes=1))
    return None
