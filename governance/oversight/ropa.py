"""The record of processing activities, made from what is in force (GDPR 30, R42, R43).

Promise: nobody types anything into it. Parties, recipients and transfers come from the notices
people were shown, data and periods from active policies and schedules, measures from the settings
this very process runs under; so it cannot drift from what happens.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

import consent.selectors
from governance.compliance import selectors as compliance
from governance.oversight.errors import NoProcessorError
from governance.policies import propagation
from governance.policies import selectors as policies
from governance.policies.selectors import ActivePolicy

Json = Mapping[str, object]
_SUBJECTS: Final = (
    "employees who allow it",
    "other persons whose names stand on the screen, redacted before anything is stored",
)
_PROCESSING: Final = (
    "recording on the computer of the person, sealed there",
    "redaction",
    "storage under a key of each person",
    "release to approved requesters",
    "erasure by destroying keys",
)


def controller_record(now: datetime) -> Json:
    """Return the record of a controller: GDPR 30(1)(a) to (g) for each processing activity."""
    active = policies.active_policies(now)
    return {
        "kind": "controller",
        "generated_at": now,
        "organisation": settings.REMIT_ORGANISATION,
        "activities": [
            _activity(purpose, list(active.values()), now) for purpose in policies.purposes()
        ],
        "measures": measures(),
    }


def processor_record(now: datetime) -> Json:
    """Return the record of a processor: GDPR 30(2)(a) to (d). NoProcessorError without one."""
    parts = [part.strip() for part in settings.REMIT_PROCESSOR.split("|")]
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004 - name, address, contact.
        raise NoProcessorError("REMIT_PROCESSOR names no processor.")
    activities = cast("Sequence[Json]", controller_record(now)["activities"])
    told = [activity for activity in activities if activity["controller"]]
    return {
        "kind": "processor",
        "generated_at": now,
        "processor": dict(zip(("name", "address", "contact"), parts, strict=True)),
        "controllers": _distinct(activity["controller"] for activity in told),
        "data_protection_officers": _distinct(
            activity["data_protection_officer"] for activity in told
        ),
        "categories_of_processing": list(_PROCESSING),
        "transfers": _distinct(activity["transfers"] for activity in told),
        "measures": measures(),
    }


def measures() -> list[str]:
    """Return the measures of GDPR 32(1) as this installation runs them, in the active language."""
    keys = _("a key service") if settings.REMIT_KEK else _("a key file beside the key store")
    alone = propagation.longest_alone(at=timezone.now())
    return [
        _("every record is sealed on the computer where it was recorded"),
        _("one key for each person and kind of data, wrapped by %(keys)s; epochs change nightly")
        % {"keys": keys},
        _("keys lie in another database than the data (%(engine)s)")
        % {"engine": connection.vendor},
        _("redaction before anything is stored; what is unsure is dropped"),
        _("redaction that surely finds %(share)s %% of planted canaries")
        % {"share": settings.REMIT_MIN_RECALL_PERCENT},
        _("releases only with %(number)s contributors at least")
        % {"number": settings.REMIT_MIN_CONTRIBUTORS},
        _("every access is an entry of an append-only log that outsiders witness"),
        _("agents that stop %(seconds)s seconds after their last policy")
        % {"seconds": alone // timedelta(seconds=1)},
        _("policies, assessments and releases need two people"),
    ]


def _activity(purpose: policies.PurposeWords, active: list[ActivePolicy], now: datetime) -> Json:
    told = consent.selectors.current_notice(purpose=purpose.key, language=settings.LANGUAGE_CODE)
    said: Json = told.content if told else {}
    basis = compliance.bases().get(purpose.key)
    own = [policy for policy in active if purpose.key in policy.content.purposes]
    return {
        "purpose": purpose.key,
        "name": purpose.name,
        "description": purpose.description,
        "controller": said.get("controller"),
        "joint_controllers": [],
        "representative": None,
        "data_protection_officer": said.get("data_protection_officer"),
        "data_subjects": list(_SUBJECTS),
        "data": [_data(policy, purpose.key) for policy in own],
        "recipients": said.get("recipients", []),
        "locations": said.get("locations", []),
        "transfers": said.get("transfers"),
        "lawful_basis": basis.basis if basis else None,
        "evidence": basis.evidence if basis else None,
        "source": "observed on the computer of the person",
        "assessments": sorted(
            {found.reference for policy in own for found in _assessments(policy, now)}
        ),
    }


def _data(policy: ActivePolicy, purpose: str) -> Json:
    days = {
        cell.category: cell.retention_days
        for cell in policies.offered_cells()
        if cell.application == policy.application and cell.purpose == purpose
    }
    return {
        "application": policy.application,
        "policy": policy.version,
        "places": list(policy.content.places),
        "erased_after_days": days,
    }


def _assessments(policy: ActivePolicy, now: datetime) -> list[compliance.Version]:
    return compliance.covering(
        application=policy.application, scope_digest=policy.scope_digest, on=now.date()
    )


def _distinct(values: object) -> list[object]:
    found: list[object] = []
    for value in cast("Sequence[object]", values):
        if value not in found:
            found.append(value)
    return found
