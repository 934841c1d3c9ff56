"""Theme and language: a cookie each, chosen by a form.

The language is also kept with the person, so that e-mails and other computers know it.
"""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from governance.accounts import services
from governance.web.doors import public, visitor_of

THEME_COOKIE: Final = "remit-theme"
THEMES: Final[tuple[tuple[str, str | Promise], ...]] = (
    ("auto", _("As the system")),
    ("light", _("Light")),
    ("dark", _("Dark")),
)
ONE_YEAR_SECONDS: Final = 31_536_000


def theme_of(request: HttpRequest) -> str:
    """Return the chosen theme; anything unknown follows the system."""
    chosen = request.COOKIES.get(THEME_COOKIE, "auto")
    return chosen if chosen in dict(THEMES) else "auto"


def back(request: HttpRequest, default: str = "/") -> HttpResponseRedirect:
    """Return to the page named by the form, when it is one of ours."""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        target = default
    return HttpResponseRedirect(target)


def _remember(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=ONE_YEAR_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


@public
@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or the system's own."""
    response = back(request)
    chosen = request.POST.get("theme", "")
    if chosen in dict(THEMES):
        _remember(response, THEME_COOKIE, chosen)
    return response


@public
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember one of the languages that the pages have."""
    response = back(request)
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        remember_language(response, chosen)
        visitor = visitor_of(request)
        if visitor is not None:
            services.choose_language(subject=visitor.subject, language=chosen)
    return response


def remember_language(response: HttpResponse, language: str) -> None:
    """Keep the language beside the session, so that it outlives signing out."""
    if language in dict(settings.LANGUAGES):
        _remember(response, settings.LANGUAGE_COOKIE_NAME, language)
