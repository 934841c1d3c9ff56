"""Writing a capture policy: a form that keeps all an earlier version said, and what it would do."""

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from governance.console import drafting, previewing, refusals
from governance.console.frame import show
from governance.policies import dry_run, history, selectors, services
from governance.policies.categories import offered_categories
from governance.policies.errors import PoliciesError
from governance.web.doors import Visitor, page

UNPROCESSABLE: Final = 422


@page("policy.draft")
@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Write a new version, from nothing or from an earlier one; look at what it would do."""
    if request.method == "GET":
        return _form(request, visitor, _start(request))
    application = selectors.application(request.POST.get("application", ""))
    if application is None:
        raise Http404
    written = drafting.read(request.POST, kind=application.kind)
    if request.POST.get("do") == "preview":
        return _form(request, visitor, written, status=200, is_preview=True)
    if not written.errors:
        try:
            made = services.draft_policy(content=written.content, actor=visitor.actor)
        except PoliciesError as error:
            field = refusals.field_of(error, written.content)
            written.errors[field] = refusals.words_of(error)
        else:
            messages.info(request, _("The draft is stored. It captures nothing yet."))
            return HttpResponseRedirect(f"/office/policies/{application.key}/{made.number}/")
    return _form(request, visitor, written, status=UNPROCESSABLE)


def _start(request: HttpRequest) -> drafting.Draft:
    application, _separator, number = request.GET.get("from", "").partition("@")
    if number.isascii() and number.isdecimal():
        found = history.version(application, int(number))
        if found is None:
            raise Http404
        return drafting.from_content(found.content)
    return drafting.Draft(application=request.GET.get("application", ""))


def _form(
    request: HttpRequest,
    visitor: Visitor,
    written: drafting.Draft,
    *,
    status: int = 200,
    is_preview: bool = False,
) -> HttpResponse:
    """Show the form, beside it what the draft would do once it can be read."""
    # A preview may add the mistakes it meets, so it is made before they are shown.
    shown = previewing.preview(written) if written.content else None
    context = {
        "draft": written,
        "preview": shown,
        "is_preview": is_preview,
        "applications": selectors.applications(),
        "purposes": selectors.purposes(),
        "categories": offered_categories(),
        "recordings": dry_run.samples(),
    }
    return show(
        request, visitor, "console/policy-draft.html", context, section="policies", status=status
    )
