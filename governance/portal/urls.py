"""The doors of the portal: everything a person does about their own data."""

from django.urls import path

from governance.portal import (
    access,
    asking,
    computers,
    consenting,
    holdings,
    overview,
    pausing,
    receipts,
    uses,
)

urlpatterns = [
    path("", overview.front, name="front"),
    path("consent/", consenting.matrix, name="consent"),
    path("consent/review/", consenting.review, name="consent-review"),
    path("consent/save/", consenting.save, name="consent-save"),
    path("consent/done/<uuid:receipt_id>/", receipts.done, name="receipt"),
    path("consent/done/<uuid:receipt_id>/receipt.json", receipts.download, name="receipt-file"),
    path("consent/done/<uuid:receipt_id>/receipt.jsonld", receipts.linked, name="receipt-data"),
    path("consent/done/<uuid:receipt_id>/receipt.pdf", receipts.paper, name="receipt-paper"),
    path("consent/notice/<slug:purpose>/", receipts.notice, name="notice"),
    path("withdraw/", consenting.withdraw, name="withdraw"),
    path("pause/", pausing.pause, name="pause"),
    path("data/", holdings.listing, name="data"),
    path("data/forget/", holdings.forget, name="forget"),
    path("data/event/<uuid:frame_id>/", holdings.record, name="record"),
    path("data/event/<uuid:frame_id>/delete/", holdings.delete, name="record-delete"),
    path("data/event/<uuid:frame_id>/miss/", holdings.miss, name="record-miss"),
    path("access/", access.listing, name="access"),
    path("access/<uuid:entry>/proof", access.proof, name="access-proof"),
    path("access/proofs", access.proofs, name="access-proofs"),
    path("access/key/", access.key, name="log-key"),
    path("uses/", uses.listing, name="uses"),
    path("requests/", asking.listing, name="requests"),
    path("requests/ask/", asking.ask, name="ask"),
    path("requests/erase/", asking.erase, name="erase"),
    path("requests/export/", asking.export, name="export"),
    path("requests/<uuid:request_id>/", asking.one, name="request"),
    path("requests/copy.zip", asking.download, name="copy"),
    path("requests/certificates/<uuid:order_id>.json", asking.certificate, name="certificate"),
    path("devices/", computers.listing, name="devices"),
    path("devices/enrol/", computers.enrol, name="device-enrol"),
    path("devices/<uuid:device_id>/revoke/", computers.revoke, name="device-revoke"),
]
