"""The doors of the office, all below /office/."""

from django.urls import path

from governance.console import access, log, overview, policies, registers, releases

_VERSION = "policies/<slug:application>/<int:number>/"

urlpatterns = [
    path("", overview.overview, name="office"),
    path("policies/", policies.listing, name="policies"),
    path("policies/new/", policies.draft, name="policy-draft"),
    path(_VERSION, policies.detail, name="policy"),
    path(f"{_VERSION}submit/", policies.submit, name="policy-submit"),
    path(f"{_VERSION}approve/", policies.approve, name="policy-approve"),
    path(f"{_VERSION}reject/", policies.reject, name="policy-reject"),
    path(f"{_VERSION}activate/", policies.activate, name="policy-activate"),
    path(f"{_VERSION}suspend/", policies.suspend, name="policy-suspend"),
    path("purposes/", registers.purposes, name="purposes"),
    path("retention/", registers.retention, name="retention"),
    path("requests/", access.listing, name="access-requests"),
    path("requests/new/", access.ask, name="ask"),
    path("requests/<uuid:request_id>/", access.detail, name="access-request"),
    path("requests/<uuid:request_id>/approve/", access.approve, name="access-approve"),
    path("requests/<uuid:request_id>/reject/", access.reject, name="access-reject"),
    path("releases/", releases.listing, name="releases"),
    path("releases/<uuid:release_id>/", releases.detail, name="release"),
    path("releases/<uuid:release_id>/manifest.json", releases.manifest, name="manifest"),
    path("log/", log.explorer, name="office-log"),
    path("log/export", log.download, name="office-log-export"),
    path("log/<uuid:uuid>/", log.entry, name="entry"),
    path("log/<uuid:uuid>/proof", log.proof, name="entry-proof"),
]
