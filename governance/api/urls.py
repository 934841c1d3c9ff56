"""The doors of the API: one line each. `tests/house/doors.toml` has a row for every one of them."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from governance.api import (
    agent,
    agreements,
    asking,
    assessments,
    audit_entries,
    bystanders,
    capture_policies,
    computers,
    endings,
    monitoring,
    officers,
    open_data,
    openapi,  # noqa: F401 - tells drf-spectacular how one signs in.
    records,
    session,
    stop,
    trainers,
)
from governance.api.later import Later
from governance.api.permissions import Anyone

agents = [
    path("agent/enrolments", agent.EnrolmentsView.as_view()),
    path("agent/sessions", agent.SessionsView.as_view()),
    path("agent/policy", agent.PolicyView.as_view()),
    path("agent/capture-batches", agent.CaptureBatchesView.as_view()),
    path("agent/capture-batches/<uuid:batch_id>", agent.CaptureBatchView.as_view()),
    path("agent/heartbeats", agent.HeartbeatsView.as_view()),
]

offices = [
    path("campaigns", asking.CampaignsView.as_view()),
    path("campaigns/<uuid:campaign_id>/end", asking.CampaignEndView.as_view()),
    path("asking-limits", asking.LimitsView.as_view()),
    path("consent-endings", endings.EndingsView.as_view()),
    path("consent-endings/<uuid:ending_id>/decision", endings.EndingDecisionView.as_view()),
    path("pressure-reports/<uuid:report_id>/finding", asking.FindingView.as_view()),
    path("bystander-requests", bystanders.BystanderRequestsView.as_view()),
    path("bystander-requests/<uuid:request_id>/answer", bystanders.BystanderAnswerView.as_view()),
    path("never-capture", bystanders.NeverCaptureView.as_view()),
    path("purposes", officers.PurposesView.as_view()),
    path("applications", officers.ApplicationsView.as_view()),
    path("notices", officers.NoticesView.as_view()),
    path("retention-schedules", officers.RetentionSchedulesView.as_view()),
    path("capture-policies", capture_policies.CapturePoliciesView.as_view()),
    path("capture-policies/<slug:application>/versions", capture_policies.VersionsView.as_view()),
    path(
        "capture-policies/<slug:application>/versions/<int:number>",
        capture_policies.VersionView.as_view(),
    ),
    path("capture-policies/<slug:application>/submit", capture_policies.SubmitView.as_view()),
    path("capture-policies/<slug:application>/approvals", capture_policies.ApprovalsView.as_view()),
    path("capture-policies/<slug:application>/activate", capture_policies.ActivateView.as_view()),
    path("capture-policies/<slug:application>/suspend", capture_policies.SuspendView.as_view()),
    path("capture-policies/<slug:application>/resume", capture_policies.ResumeView.as_view()),
    path(
        "capture-policies/<slug:application>/versions/<int:number>/dry-runs",
        capture_policies.DryRunsView.as_view(),
    ),
    path("ropa", records.RopaView.as_view()),
    path("stop", stop.StopView.as_view()),
    path("stop/lifts", stop.LiftsView.as_view()),
    path("stop/<int:number>/certificate", stop.CertificateView.as_view()),
    path("computers", computers.ComputersView.as_view()),
    path("computers/<uuid:device_id>", computers.ComputerView.as_view()),
    path("computers/<uuid:device_id>/owner", computers.OwnerView.as_view()),
    path("monitoring-notices", monitoring.NoticesView.as_view()),
    path("monitoring-notices/<str:code>/postings", monitoring.PostingsView.as_view()),
    path("people/<slug:username>/work-place", monitoring.WorkPlaceView.as_view()),
    path("impact-assessments", assessments.AssessmentsView.as_view()),
    path(
        "impact-assessments/<slug:key>/versions/<int:number>", assessments.AssessmentView.as_view()
    ),
    path("impact-assessments/<slug:key>/submit", assessments.SubmitView.as_view()),
    path("impact-assessments/<slug:key>/decisions", assessments.DecisionsView.as_view()),
    path("impact-assessments/<slug:key>/consultations", assessments.ConsultationsView.as_view()),
    path("works-agreements", agreements.AgreementsView.as_view()),
    path("works-agreements/<uuid:agreement_id>/confirm", agreements.ConfirmView.as_view()),
    path("works-agreements/<uuid:agreement_id>/end", agreements.EndView.as_view()),
    path("processing-activities", agreements.ProcessingActivitiesView.as_view()),
    path("jurisdictions", agreements.JurisdictionsView.as_view()),
    path("audit/entries", audit_entries.EntriesView.as_view()),
    path("audit/entries/export", audit_entries.ExportView.as_view()),
    path("audit/entries/<uuid:uuid>", audit_entries.EntryView.as_view()),
    path("audit/entries/<uuid:uuid>/proof", audit_entries.ProofView.as_view()),
]

teams = [
    path("access-requests", trainers.AccessRequestsView.as_view()),
    path("access-requests/<uuid:request_id>", trainers.AccessRequestView.as_view()),
    path("access-requests/<uuid:request_id>/approvals", trainers.ApprovalsView.as_view()),
    path("access-requests/<uuid:request_id>/reject", trainers.RejectView.as_view()),
    path("releases", trainers.ReleasesView.as_view()),
    path("releases/<uuid:release_id>", trainers.ReleaseView.as_view()),
    path("releases/<uuid:release_id>/manifest", trainers.ManifestView.as_view()),
    path("releases/<uuid:release_id>/recalls", trainers.RecallsView.as_view()),
    path("releases/<uuid:release_id>/files/<str:name>", trainers.FileView.as_view()),
]

people = [path("me/", include("governance.api.people_urls"))]

everyone = [
    path("scim/v2/Users", Later("governance.api.scim.UsersView")),
    path("scim/v2/.search", Later("governance.api.scim.SearchView")),
    path("scim/v2/Users/.search", Later("governance.api.scim.SearchView")),
    path("scim/v2/Users/<int:number>", Later("governance.api.scim.UserView")),
    path("scim/v2/ServiceProviderConfig", Later("governance.api.scim_catalogue.ConfigView")),
    path("scim/v2/ResourceTypes", Later("governance.api.scim_catalogue.ResourceTypesView")),
    path(
        "scim/v2/ResourceTypes/<str:name>", Later("governance.api.scim_catalogue.ResourceTypesView")
    ),
    path("scim/v2/Schemas", Later("governance.api.scim_catalogue.SchemasView")),
    path("scim/v2/Schemas/<str:name>", Later("governance.api.scim_catalogue.SchemasView")),
    path("scim/v2/<path:rest>", Later("governance.api.scim_catalogue.NothingView")),
    path("session", session.SessionView.as_view()),
    path("session/confirmation", session.ConfirmationView.as_view()),
    path("schema", SpectacularAPIView.as_view(permission_classes=[Anyone])),
    path("schemas/events-1.json", open_data.EventSchemaView.as_view()),
    path("transparency/participation", asking.ParticipationView.as_view()),
    path("pressure-reports", asking.ReportsView.as_view()),
    path("transparency/conformance", records.ConformanceView.as_view()),
    path("transparency/policies", open_data.OpenPoliciesView.as_view()),
]

urlpatterns = agents + people + teams + offices + everyone
