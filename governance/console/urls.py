"""The doors of the office, all below /office/."""

from django.urls import path

from governance.console import (
    access,
    agreements,
    assessments,
    log,
    overview,
    policies,
    policy_drafts,
    records,
    registers,
    releases,
    stopping,
)

_ASSESSMENT = "assessments/<slug:key>/<int:number>/"
_VERSION = "policies/<slug:application>/<int:number>/"

urlpatterns = [
    path("", overview.overview, name="office"),
    path("policies/", policies.listing, name="policies"),
    path("policies/new/", policy_drafts.draft, name="policy-draft"),
    path("policies/<slug:application>/", policies.past, name="policy-history"),
    path(_VERSION, policies.detail, name="policy"),
    path(f"{_VERSION}submit/", policies.submit, name="policy-submit"),
    path(f"{_VERSION}approve/", policies.approve, name="policy-approve"),
    path(f"{_VERSION}reject/", policies.reject, name="policy-reject"),
    path(f"{_VERSION}activate/", policies.activate, name="policy-activate"),
    path(f"{_VERSION}suspend/", policies.suspend, name="policy-suspend"),
    path(f"{_VERSION}resume/", policies.resume, name="policy-resume"),
    path("applications/", records.applications, name="applications"),
    path("assessments/", assessments.listing, name="assessments"),
    path("assessments/new/", assessments.draft, name="assessment-draft"),
    path(_ASSESSMENT, assessments.detail, name="assessment"),
    path(f"{_ASSESSMENT}submit/", assessments.submit, name="assessment-submit"),
    path(f"{_ASSESSMENT}decide/", assessments.decide, name="assessment-decide"),
    path(f"{_ASSESSMENT}consult/", assessments.consult, name="assessment-consult"),
    path("agreements/", agreements.listing, name="agreements"),
    path("agreements/<uuid:agreement_id>/confirm/", agreements.confirm, name="agreement-confirm"),
    path("agreements/<uuid:agreement_id>/end/", agreements.end, name="agreement-end"),
    path("bases/", agreements.bases, name="bases"),
    path("places/", records.places, name="places"),
    path("records/", records.overview, name="records"),
    path("stop/", stopping.switch, name="stop"),
    path("stop/<int:number>/lift/", stopping.lift, name="stop-lift"),
    path("stop/<int:number>/certificate.json", stopping.certificate, name="stop-certificate"),
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
