"""Doors only: one line per door."""

from django.urls import include, path

handler400 = "governance.web.failures.bad_request"
handler403 = "governance.web.failures.forbidden"
handler404 = "governance.web.failures.not_found"
handler500 = "governance.web.failures.broken"

urlpatterns = [
    path("", include("governance.web.urls")),
    path("", include("governance.portal.urls")),
    path("office/", include("governance.console.urls")),
    path("api/v1/", include("governance.api.urls")),
]
