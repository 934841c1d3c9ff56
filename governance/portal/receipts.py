"""What remains of a decision: its receipt as a page and as a file, and the notice that was read."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

import consent.selectors
from consent import receipt
from governance.portal import grouping
from governance.portal.frame import show
from governance.portal.history import Decision, decisions_of, erased_at
from governance.portal.light import application_names
from governance.portal.offer import purpose_titles
from governance.web.doors import Visitor, page

# In the session: receipts of what others ended that the person has looked at.
SEEN: Final = "seen-endings"


@page("consent.receipt")
@require_GET
def done(request: HttpRequest, visitor: Visitor, receipt_id: UUID) -> HttpResponse:
    """Show a receipt: what was decided, what happens when, where it stands in the log."""
    context = _receipt(visitor, receipt_id) | {"erased_at": erased_at(subject=visitor.subject)}
    seen = request.session.get(SEEN, [])
    if context["is_ending"] and str(receipt_id) not in seen:
        request.session[SEEN] = [*seen, str(receipt_id)]
    return show(request, visitor, "portal/receipt.html", context, section="consent")


def _receipt(visitor: Visitor, receipt_id: UUID) -> dict[str, object]:
    """Return what page and paper say of one of the person's receipts. Http404: there is none."""
    found = next(
        (d for d in decisions_of(subject=visitor.subject) if d.receipt_id == receipt_id), None
    )
    if found is None:
        raise Http404
    return {
        "decision": found,
        "is_ending": found.ending is not None,
        "by": found.ending.by if found.ending else visitor.name,
        "groups": grouping.of_events(found.events),
        "titles": _titles(found),
        "applications": application_names(),
    }


def _titles(decision: Decision) -> dict[str, str]:
    """Return each purpose's title as its notice has it in the language of the page."""
    titles = purpose_titles()
    language = get_language() or settings.LANGUAGE_CODE
    for reference in {event.notice_version for event in decision.events}:
        text = consent.selectors.notice_version(reference=reference, language=language)
        said = text.content.get("purpose") if text else None
        if text and isinstance(said, Mapping):
            titles[text.notice_id] = str(said["title"])
    return titles


@page("consent.receipt")
@require_GET
def download(request: HttpRequest, visitor: Visitor, receipt_id: UUID) -> HttpResponse:
    """Hand out the signed receipt as a file, with its log proof once there is one."""
    del request
    document = receipt.receipt_document(subject=visitor.subject, receipt_id=receipt_id)
    response = JsonResponse(document, json_dumps_params={"indent": 1, "sort_keys": True})
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{receipt_id}.json"'
    return response


@page("consent.receipt")
@require_GET
def linked(request: HttpRequest, visitor: Visitor, receipt_id: UUID) -> HttpResponse:
    """Hand out what was signed as plain JSON-LD, for programs that read records of consent."""
    del request
    said = receipt.document(subject=visitor.subject, receipt_id=receipt_id)
    response = JsonResponse(said, content_type="application/ld+json")
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{receipt_id}.jsonld"'
    return response


@page("consent.receipt")
@require_GET
def paper(request: HttpRequest, visitor: Visitor, receipt_id: UUID) -> HttpResponse:
    """Hand out the receipt as a PDF that carries the signed receipt inside."""
    # What sets type keeps 20 MiB; a process in which nobody prints does without it.
    from governance.portal import printed  # noqa: PLC0415

    del request
    document = printed.pdf(
        context=_receipt(visitor, receipt_id)
        | {
            "organisation": settings.REMIT_ORGANISATION,
            "consent_url": f"{settings.REMIT_EXTERNAL_ORIGIN}{reverse('consent')}",
        },
        receipt=receipt.receipt_document(subject=visitor.subject, receipt_id=receipt_id),
        language=get_language() or visitor.language,
        title=f"{_('Receipt')} {receipt_id}",
    )
    response = HttpResponse(document, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{receipt_id}.pdf"'
    return response


@page("notice.read")
@require_GET
def notice(request: HttpRequest, visitor: Visitor, purpose: str) -> HttpResponse:
    """Show the whole notice of a purpose for reading; `?version=` shows an archived one."""
    language = get_language() or visitor.language
    reference = request.GET.get("version", "")
    text = (
        consent.selectors.notice_version(reference=reference, language=language)
        if reference
        else consent.selectors.current_notice(purpose=purpose, language=language)
    ) or consent.selectors.current_notice(purpose=purpose, language=settings.LANGUAGE_CODE)
    if text is None or text.notice_id != purpose:
        raise Http404
    context = {"notice": text, "content": text.content, "applications": application_names()}
    return show(request, visitor, "portal/notice.html", context, section="consent")
