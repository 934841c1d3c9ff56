"""The law of places, and the notices that it wants people told before they are recorded (R103)."""

from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from governance.compliance import jurisdictions, monitoring
from governance.console.frame import show
from governance.policies import groundwork
from governance.policies.surfaces import NEVER_COLLECTED, PROTECTED
from governance.web.doors import Visitor, page

SECTION: Final = "places"
UNPROCESSABLE: Final = 422
LONGEST: Final = 8000
LONGEST_WHERE: Final = 300


@page("jurisdiction.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show what the law of each place asks for, with its sources, and the notices in force."""
    return _listing(request, visitor)


@page("monitoring.publish")
@require_POST
def publish(request: HttpRequest, visitor: Visitor, code: str) -> HttpResponse:
    """Publish what a place wants people told; who read an earlier text reads this one anew."""
    profile = _asking(code)
    sent = {key: request.POST.get(f"text.{key}", "") for key in _languages()}
    # Browsers end lines their own way.
    texts = {key: text.replace("\r\n", "\n").strip() for key, text in sent.items()}
    if not all(texts.values()):
        error = _("Write the notice in every language. Everybody reads it in their own.")
    elif max(map(len, texts.values())) > LONGEST:
        error = _("A notice has at most 8,000 characters in each language.")
    else:
        groundwork.publish_monitoring_notice(code=profile.code, texts=texts, actor=visitor.actor)
        messages.info(
            request,
            _("The notice is published. Nobody there is captured before they have read it."),
        )
        return HttpResponseRedirect("/office/places/#notices")
    return _listing(request, visitor, at=profile.code, error=error, texts=texts)


@page("monitoring.publish")
@require_POST
def post(request: HttpRequest, visitor: Visitor, code: str) -> HttpResponse:
    """Write down where the notice in force hangs for everybody to see."""
    profile = _asking(code)
    where = " ".join(request.POST.get("where", "").split())
    if monitoring.newest(profile.code) is None:
        raise Http404
    if not 0 < len(where) <= LONGEST_WHERE:
        error = _("Say where it hangs, in up to 300 characters.")
        return _listing(request, visitor, at=profile.code, error=error, where=where)
    monitoring.record_posting(code=profile.code, where=where, actor=visitor.actor)
    messages.info(request, _("It is written down where the notice hangs."))
    return HttpResponseRedirect("/office/places/#notices")


def _asking(code: str) -> jurisdictions.Profile:
    """Return the profile of a place whose law asks for a notice; nothing else has one."""
    profile = jurisdictions.profile(code, timezone.now().date())
    if profile is None or profile.monitoring_notice == "none":
        raise Http404
    return profile


def _languages() -> dict[str, str]:
    return dict(settings.LANGUAGES)


def _listing(
    request: HttpRequest,
    visitor: Visitor,
    *,
    at: str = "",
    error: str = "",
    texts: Mapping[str, str] | None = None,
    where: str = "",
) -> HttpResponse:
    profiles = jurisdictions.profiles(timezone.now().date())
    notices = monitoring.notices() if visitor.may("monitoring.read") else []
    # The newest of each place comes first, and is the last to be put down here.
    newest = {notice.code: notice for notice in reversed(notices)}
    stand = {code: notice.texts for code, notice in newest.items()}
    if texts is not None:
        stand[at] = texts
    forms = [
        {
            "code": profile.code,
            "notice": newest.get(profile.code),
            "error": error if profile.code == at else "",
            "is_posting": profile.code == at and texts is None,
            "where": where if profile.code == at else "",
            "texts": [
                (key, name, stand.get(profile.code, {}).get(key, ""))
                for key, name in _languages().items()
            ],
        }
        for profile in profiles
        if profile.monitoring_notice != "none"
    ]
    context = {
        "profiles": profiles,
        "notices": notices,
        "forms": forms if visitor.may("monitoring.publish") else [],
        "protected": PROTECTED,
        "never": NEVER_COLLECTED,
    }
    status = UNPROCESSABLE if error else 200
    return show(request, visitor, "console/places.html", context, section=SECTION, status=status)
