"""The doors of the office, all below /office/."""

from django.urls import path

from governance.console import log, overview, policies, registers

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
    path("log/", log.explorer, name="office-log"),
    path("log/<uuid:uuid>/", log.entry, name="entry"),
    path("log/<uuid:uuid>/proof", log.proof, name="entry-proof"),
]
