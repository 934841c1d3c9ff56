"""The page for each thing that can go wrong: what happened, what was not changed, what to do.

The table goes by the error's class name, because this floor stands below the one that knows
them all. `tests/governance/web` walks every `errors.py` and fails when a row is missing.
"""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Problem:
    """One page: its status, its title, and what was not changed."""

    slug: str
    status: int
    title: str | Promise
    text: str | Promise
    then: str | Promise


NOT_FOUND = Problem(
    "not-found",
    404,
    _("This page is not here"),
    _("It does not exist, or it is not yours to see. Both look the same from outside."),
    _("Check the address, or start again from the overview."),
)
FORBIDDEN = Problem(
    "forbidden",
    403,
    _("Your role may not do this"),
    _("Nothing was changed. The attempt is an entry in the audit log."),
    _("If this belongs to your work, ask the service administrator for the role it needs."),
)
FORM_EXPIRED = Problem(
    "form-expired",
    403,
    _("This form is too old"),
    _("Nothing was changed. Your browser did not send the proof that the form came from here."),
    _("Go back, load the page again and send the form once more."),
)
UNAVAILABLE = Problem(
    "log-unavailable",
    503,
    _("The audit log cannot be written or signed just now"),
    _("Nothing was opened and nothing was changed. Without an entry there is no access."),
    _("Try again in a few minutes. Pausing, withdrawing and refusing go on working."),
)
AWAY = Problem(
    "database-unavailable",
    503,
    _("The database does not answer just now"),
    _("Nothing was half changed: each change is stored whole or not at all."),
    _("Try again in a moment."),
)
KEYS_AWAY = Problem(
    "key-store-unavailable",
    503,
    _("The keys to the sealed data cannot be reached just now"),
    _("Nothing was opened and nothing was changed. Nothing is ever stored unsealed."),
    _("Try again in a few minutes."),
)
STORAGE_AWAY = Problem(
    "storage-unavailable",
    503,
    _("The store of sealed data does not answer just now"),
    _("Nothing was shown, and nothing is half stored. What lies in the store stays sealed."),
    _("Try again in a few minutes. Withdrawing, pausing and erasing go on working."),
)
CONFLICT = Problem(
    "conflict",
    409,
    _("Something changed in the meantime"),
    _("Nothing was saved."),
    _("Go back, load the page again and look at what is different."),
)
NOTICE_OUTDATED = Problem(
    "notice-outdated",
    409,
    _("The notice has a newer version"),
    _("Nothing was saved. A consent counts only for the text you have seen."),
    _("Open “My consent” again, read the new notice and decide again."),
)
REFUSED = Problem(
    "access-denied",
    403,
    _("Access refused"),
    _("Nothing was shown. The attempt is an entry in the audit log and the person can see it."),
    _("The entry names the rule that refused it."),
)
PROHIBITED = Problem(
    "purpose-prohibited",
    422,
    _("This purpose is prohibited"),
    _("Nobody can register, request or approve it. Nothing was changed."),
    _("The list of prohibited uses stands on the page “My consent” of every employee."),
)
FOUR_EYES = Problem(
    "four-eyes",
    403,
    _("Another person must decide"),
    _("Nothing was changed. Nobody approves what they wrote or asked for themselves."),
    _("Ask somebody else who holds the role of an approver."),
)
NOT_READY = Problem(
    "not-yet-sequenced",
    503,
    _("This entry has not been signed into the log yet"),
    _("It is stored. Its place in the log is settled within the next minutes."),
    _("Load this page again in a minute."),
)
GONE = Problem(
    "gone",
    410,
    _("This has been deleted"),
    _("The key was destroyed. Nobody can read it any more, and that includes us."),
    _("“My requests” holds the certificate, when you asked for the deletion."),
)
INVALID = Problem(
    "invalid",
    400,
    _("This could not be understood"),
    _("Nothing was changed."),
    _("Go back and correct what you sent."),
)
BROKEN = Problem(
    "internal-error",
    500,
    _("Something here is broken"),
    _("Nothing was half saved: each change is stored whole or not at all."),
    _("Try again later. Tell the privacy office the number below if it stays."),
)

PAGES: dict[str, Problem] = {
    "LogUnavailableError": UNAVAILABLE,
    "KeyServiceError": KEYS_AWAY,
    "StorageUnavailableError": STORAGE_AWAY,
    "NotYetSequencedError": NOT_READY,
    "ExportNotReadyError": NOT_READY,
    "AccessDeniedError": REFUSED,
    "NoGrantError": REFUSED,
    "NotTheSubjectError": NOT_FOUND,
    "ReceiptNotFoundError": NOT_FOUND,
    "RecordGoneError": NOT_FOUND,
    "RequestNotFoundError": NOT_FOUND,
    "ReleaseNotFoundError": NOT_FOUND,
    "UnknownEntryError": NOT_FOUND,
    "UnknownDeviceError": NOT_FOUND,
    "UnknownSessionError": NOT_FOUND,
    "ConfirmationRequiredError": FORBIDDEN,
    "ManagerError": INVALID,
    "RevisionError": CONFLICT,
    "UnknownPersonError": NOT_FOUND,
    "UnknownApplicationError": NOT_FOUND,
    "UnknownPurposeError": NOT_FOUND,
    "UnknownPolicyVersionError": NOT_FOUND,
    "UnknownStopError": NOT_FOUND,
    "UnknownAssessmentError": NOT_FOUND,
    "UnknownAgreementError": NOT_FOUND,
    "StopUnfinishedError": CONFLICT,
    "NoticeOutdatedError": NOTICE_OUTDATED,
    "NoticeMissingError": NOTICE_OUTDATED,
    "PurposeProhibitedError": PROHIBITED,
    "FourEyesError": FOUR_EYES,
    "InvalidTransitionError": CONFLICT,
    "InvalidStateError": CONFLICT,
    "RequestStateError": CONFLICT,
    "RequestChangeError": CONFLICT,
    "ContentChangedError": CONFLICT,
    "CellNotOfferedError": CONFLICT,
    "ReleaseNotReadyError": CONFLICT,
    "RedactionUnprovenError": CONFLICT,
    "KeyShreddedError": GONE,
    "SubjectErasedError": GONE,
    "ReleaseRecalledError": GONE,
    "ForgetSpanError": INVALID,
    "MissTextError": INVALID,
    "PolicyContentError": INVALID,
    "RetentionPeriodError": INVALID,
    "RequestContentError": INVALID,
}

_REGISTERED: dict[str, Problem] = {}


def register(problem: Problem) -> None:
    """Add a problem type that only machines meet, so that its URI opens a page as well."""
    _REGISTERED[problem.slug] = problem


def explained() -> dict[str, Problem]:
    """Return every problem type by its slug: the pages' own and the registered ones."""
    own = {problem.slug: problem for problem in (NOT_FOUND, FORBIDDEN, FORM_EXPIRED, INVALID)}
    for problem in (CONFLICT, *PAGES.values()):
        own.setdefault(problem.slug, problem)
    return dict(sorted((_REGISTERED | own).items()))


def explain(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the page of a problem with its status; 503 says when to come back."""
    response = render(request, "problems/problem.html", {"problem": problem}, status=problem.status)
    if problem.status == UNAVAILABLE.status:
        response.headers["Retry-After"] = "60"
    return response


def page_for(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Return the page for a domain error, or None when it is not one we know."""
    for kind in type(error).__mro__:
        if problem := PAGES.get(kind.__name__):
            return explain(request, problem)
    return None


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Explain a refused form; the reason is Django's and stays out of the page."""
    del reason
    return explain(request, FORM_EXPIRED)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer for what is not there and for what is not yours with the same bytes."""
    del exception
    return explain(request, NOT_FOUND)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer a role that may not."""
    del exception
    return explain(request, FORBIDDEN)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer what could not be read."""
    del exception
    return explain(request, INVALID)


def away(request: HttpRequest) -> HttpResponse:
    """Answer when there is no database: a page that asks it nothing, not even who looks."""
    if hasattr(request, "user"):
        request.user = AnonymousUser()
    response = explain(request, AWAY)
    response.headers["Retry-After"] = "5"
    return response


def broken(request: HttpRequest) -> HttpResponse:
    """Answer an error nobody foresaw, with nothing of it on the page."""
    return explain(request, BROKEN)
