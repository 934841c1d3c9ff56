"""What every template may know of the installation and of the person who looks."""

from django.conf import settings
from django.http import HttpRequest

from governance.web import personas
from governance.web.preferences import THEMES, theme_of


def office_of(text: str) -> dict[str, str]:
    """Return how to reach an office from "e-mail | telephone", without what is empty."""
    mail, _bar, phone = (part.strip() for part in text.partition("|"))
    return {name: value for name, value in (("mail", mail), ("phone", phone)) if value}


def site(request: HttpRequest) -> dict[str, object]:
    """Return the organisation's name, the theme, the demo bar and who is signed in."""
    user = getattr(request, "user", None)
    signed_in = bool(user is not None and user.is_authenticated)
    return {
        "organisation": settings.REMIT_ORGANISATION,
        "privacy_office": office_of(settings.REMIT_PRIVACY_OFFICE),
        "works_council": office_of(settings.REMIT_WORKS_COUNCIL),
        "display_zone": settings.REMIT_DISPLAY_TIME_ZONE,
        "demo": settings.REMIT_DEMO,
        "personas": personas.EVERYONE if settings.REMIT_DEMO else (),
        "theme": theme_of(request),
        "themes": THEMES,
        "languages": settings.LANGUAGES,
        "signed_in": signed_in,
        "person": user if signed_in else None,
        "request_number": str(request.META.get("remit.request_id", "")),
    }
