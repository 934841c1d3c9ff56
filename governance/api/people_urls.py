"""The doors under `/api/v1/me/`."""

from django.urls import path

from governance.api import monitoring, people, people_data, people_rights

urlpatterns = [
    path("monitoring-notice", monitoring.OwedView.as_view()),
    path("consents", people.ConsentsView.as_view()),
    path("consents/withdraw-all", people.WithdrawAllView.as_view()),
    path(
        "consents/<slug:purpose>/<slug:application>/<slug:category>",
        people.ConsentView.as_view(),
    ),
    path("pause", people.PauseView.as_view()),
    path("receipts", people.ReceiptsView.as_view()),
    path("receipts/<uuid:receipt_id>", people.ReceiptView.as_view()),
    path("captures", people_data.CapturesView.as_view()),
    path("captures/forget", people_data.ForgetView.as_view()),
    path("captures/<uuid:capture_id>", people_data.CaptureView.as_view()),
    path("captures/<uuid:capture_id>/misses", people_data.MissView.as_view()),
    path("accesses", people_data.AccessesView.as_view()),
    path("releases", people_data.OwnReleasesView.as_view()),
    path("requests", people_rights.RequestsView.as_view()),
    path("requests/<uuid:request_id>/certificate", people_rights.CertificateView.as_view()),
    path("export", people_rights.ExportView.as_view()),
    path("log-key", people_rights.LogKeyView.as_view()),
    path("devices", people_rights.DevicesView.as_view()),
    path("devices/<uuid:device_id>", people_rights.DeviceView.as_view()),
]
