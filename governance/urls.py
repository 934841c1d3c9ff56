"""Doors only: one line per door."""

from django.urls import include, path

handler400 = "governance.api.problems.bad_request"
handler403 = "governance.api.problems.forbidden"
handler404 = "governance.api.problems.not_found"
handler500 = "governance.api.problems.broken"

urlpatterns = [
    path("", include("governance.web.urls")),
    path("", include("governance.portal.urls")),
    path("office/", include("governance.console.urls")),
    path("api/v1/", include("governance.api.urls")),
]
