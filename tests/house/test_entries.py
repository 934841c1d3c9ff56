"""No entry, no row: every governed table says which log entry made each row."""

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

OURS = (
    "audit",
    "consent",
    "accounts",
    "compliance",
    "policies",
    "jobs",
    "vault",
    "capture",
    "releases",
    "rights",
    "web",
)
# Tables whose rows are not acts, each with the reason it needs no entry.
WITHOUT = {
    "audit": "the log itself",
    "vault": "keys: their use is journalled in the key store",
    "jobs.Job": "work in progress; the act that asked for it has an entry",
    "jobs.Sign": "a worker's sign of life",
    "accounts.EnrolmentCode": "an offer that becomes an act when a device uses it",
    "accounts.SignInAttempt": "throttling; the refusal itself is an entry",
    "consent.SubjectEpoch": "a counter",
    "consent.ConsentState": "a projection of events",
    "policies.PolicyGeneration": "a counter",
    "capture.SealedBatch": "bytes of a batch, which has one",
    "capture.CaptureSession": "a projection of batches",
    "capture.LiveFrame": "a projection of frames",
    "capture.FrameBlob": "bytes of a frame, which has one",
    "capture.IssuedPolicy": "a signed copy of what other acts decided",
    "capture.PolicyChange": "tells web processes to look again",
    "capture.RefusalTally": "a counter",
    "capture.SeenNonce": "replay protection",
    "capture.DeviceUse": "a budget",
    "capture.BystanderMark": "goes with its frame, which has one",
    "rights.BystanderMail": "throttling of mails",
}


def governed() -> list[type[models.Model]]:
    return [
        model
        for model in apps.get_models()
        if model._meta.app_label in OURS
        and model._meta.app_label not in WITHOUT
        and model._meta.label not in WITHOUT
    ]


def parent_has_entry(model: type[models.Model]) -> bool:
    return any(
        isinstance(field, models.ForeignKey) and not field.null and has_entry(field.related_model)
        for field in model._meta.get_fields()
    )


def has_entry(model: type[models.Model]) -> bool:
    try:
        field = model._meta.get_field("entry")
    except FieldDoesNotExist:
        return False
    if getattr(field, "null", True):
        return False
    return bool(field.related_model is apps.get_model("audit.Entry"))


def test_every_governed_row_or_its_parent_has_an_entry() -> None:
    assert governed()
    assert [m._meta.label for m in governed() if not has_entry(m) and not parent_has_entry(m)] == []


def test_the_log_points_at_nobody() -> None:
    for model in apps.get_app_config("audit").get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey):
                assert field.related_model._meta.app_label == "audit"


def test_consent_points_only_at_itself_and_the_log() -> None:
    for model in apps.get_app_config("consent").get_models():
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey):
                assert field.related_model._meta.app_label in {"audit", "consent"}
