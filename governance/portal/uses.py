"""Where it went: the files in releases that hold this person's records. Only they can ask."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from governance.portal.frame import show
from governance.portal.light import application_names
from governance.portal.offer import purpose_titles
from governance.releases import selectors as releases
from governance.web.doors import Visitor, page


@page("access.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List what releases hold, or held, of this person."""
    context = {
        "held": releases.held_of(subject=visitor.subject),
        "purposes": purpose_titles(),
        "applications": application_names(),
    }
    return show(request, visitor, "portal/uses.html", context, section="uses")
