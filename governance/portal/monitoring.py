"""What the law of a person's place wants them told before anything is recorded, and their word.

Confirming says that the notice was read, nothing more: it consents to nothing (R104).
"""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance.compliance import jurisdictions, monitoring
from governance.compliance.errors import MonitoringError
from governance.portal.frame import show
from governance.web.doors import Visitor, page

UNPROCESSABLE: Final = 422


@page("monitoring.owed")
@require_http_methods(["GET", "POST"])
def notice(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show the notice that is owed to the person; take their word that they read it."""
    if request.method == "GET":
        return _page(request, visitor)
    try:
        monitoring.acknowledge(subject=visitor.subject, actor=visitor.actor)
    except MonitoringError:
        return _page(request, visitor, status=UNPROCESSABLE)
    messages.info(request, _("It is written down that you have read the notice."))
    return HttpResponseRedirect("/work-notice/")


def waits(*, subject: str, now: datetime) -> bool:
    """Return whether a notice waits to be read by a person; so long nothing is captured."""
    if monitoring.notice_for(subject, on=now.date()) is None:
        return False
    told = monitoring.standing(subject=subject, now=now).told
    return told is None or (told[1] is not None and told[1] <= now)


def _page(request: HttpRequest, visitor: Visitor, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    standing = monitoring.standing(subject=visitor.subject, now=now)
    owed = monitoring.notice_for(visitor.subject, on=now.date())
    known = jurisdictions.profile_of(standing.place, now.date()) if standing.place else None
    told = standing.told if owed else None
    language = _language(request, visitor, owed.texts if owed else {})
    context = {
        "place": standing.place,
        "is_asked_for": known is not None and known.monitoring_notice != "none",
        "notice": owed,
        "read_in": language,
        "words": owed.texts[language] if owed else "",
        "others": [
            (code, name)
            for code, name in settings.LANGUAGES
            if owed and code in owed.texts and code != language
        ],
        "told": told,
        "waits": waits(subject=visitor.subject, now=now),
        "history": monitoring.acknowledged(subject=visitor.subject),
        "is_refused": status == UNPROCESSABLE,
    }
    return show(
        request, visitor, "portal/monitoring.html", context, section="overview", status=status
    )


def _language(request: HttpRequest, visitor: Visitor, texts: dict[str, str]) -> str:
    """Return the language to read in: the one asked for, else the person's, else the first."""
    for wanted in (request.GET.get("language", ""), visitor.language[:2]):
        if wanted in texts:
            return wanted
    return next(iter(texts), "")
