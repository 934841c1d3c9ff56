"""What people decide about themselves: choices, pauses, receipts.

Everything under `/api/v1/me` is about the person whose session it is; no address names anybody, so
that none can be guessed. Serializers stand above their views.
"""

import hashlib
from typing import Any, ClassVar, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import override
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import consent.receipt
import consent.selectors
from consent.services import DecisionAct
from consent.status import ConsentStatus
from governance.accounts.errors import ConfirmationRequiredError
from governance.api.answers import Strict, audited, body_of, visitor
from governance.api.permissions import ByMatrix
from governance.policies import selectors as policies
from governance.policies.categories import Category, offered_categories
from governance.policies.purposes import PROHIBITED
from governance.rights import selectors, services
from governance.rights.choosing import needs_proof
from governance.web import freshness
from governance.web.doors import Visitor

# Names the form a decision was made with (Art. 7(1)): here the shape of this API.
FORM_DIGEST: Final = hashlib.sha256(
    b'PUT /api/v1/me/consents/{purpose}/{application}/{category} {"status","notice_version"} 1'
).hexdigest()
_DAY_MINUTES: Final = 24 * 60
_REFERENCE: Final = r"^[a-z0-9-]{1,64}@[0-9]{1,8}$"


class CellSerializer(serializers.Serializer[Any]):
    purpose = serializers.CharField()
    application = serializers.CharField()
    category = serializers.CharField()
    status = serializers.ChoiceField([status.value for status in ConsentStatus])
    # The metaclass takes fields out of the class, so the method of this name stays what it is.
    is_valid = serializers.BooleanField(  # type: ignore[assignment]
        help_text="Whether anything may be recorded under it now."
    )
    is_outdated = serializers.BooleanField(
        help_text="It was allowed for another scope; that no longer counts."
    )
    valid_until = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    notice_version = serializers.CharField(
        allow_null=True, help_text="What to read, and to name when allowing it."
    )
    policy_version = serializers.CharField(allow_null=True)
    retention_days = serializers.IntegerField(allow_null=True)


class NamedSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    words = serializers.CharField()


class PauseStateSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField(source="start")
    until = serializers.DateTimeField(source="end", allow_null=True)
    device_id = serializers.UUIDField(allow_null=True)


class ConsentsSerializer(serializers.Serializer[Any]):
    language = serializers.CharField()
    cells = CellSerializer(many=True)
    pauses = PauseStateSerializer(many=True, help_text="In force now.")
    never_captured = NamedSerializer(many=True)
    never_used_for = NamedSerializer(many=True)


class ConsentsView(APIView):
    """Every cell on offer with the answer it has, and what is never captured or used."""

    action_name: ClassVar = {"GET": "consent.read"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_consents", responses=ConsentsSerializer)
    def get(self, request: Request) -> Response:
        person = visitor(request)
        now = timezone.now()
        with override(person.language):
            answer = {
                "language": person.language,
                "cells": selectors.offered_choices(
                    subject=person.subject, language=person.language
                ),
                "pauses": [
                    pause
                    for pause in consent.selectors.pauses(subject=person.subject)
                    if pause.covers(now)
                ],
                "never_captured": _never_captured(),
                "never_used_for": [{"key": one.key, "words": one.words} for one in PROHIBITED],
            }
            return Response(ConsentsSerializer(answer).data)


def _never_captured() -> list[dict[str, object]]:
    """Return the categories nobody may allow, and the applications no policy lets in."""
    captured = set(policies.active_policies())
    applications: list[dict[str, object]] = [
        {"key": application.key, "words": application.name}
        for application in policies.applications()
        if application.key not in captured
    ]
    categories: list[dict[str, object]] = [
        {"key": category.value, "words": category.words}
        for category in Category
        if category not in offered_categories()
    ]
    return [*categories, *applications]


class ChoiceSerializer(Strict):
    status = serializers.ChoiceField(
        [
            ConsentStatus.REFUSED.value,
            ConsentStatus.GIVEN.value,
            ConsentStatus.RENEWED.value,
            ConsentStatus.WITHDRAWN.value,
            ConsentStatus.DEFERRED.value,
        ],
        help_text="Renewed: agreed to again, before it ends, for another six months. Deferred: "
        "“not now” while the privacy office asks; it answers nothing and has no receipt.",
    )
    notice_version = serializers.RegexField(
        _REFERENCE,
        required=False,
        allow_null=True,
        help_text="Needed to allow; a no needs nothing.",
    )


class DecisionSerializer(serializers.Serializer[Any]):
    decision_id = serializers.UUIDField(allow_null=True)
    receipt_id = serializers.UUIDField(allow_null=True)
    receipt_url = serializers.CharField(allow_null=True)
    entry = serializers.UUIDField(allow_null=True)
    changed = serializers.IntegerField(help_text="0: everything stood so already.")


def _decision(act: DecisionAct | None) -> Response:
    """Answer a decision; one that changed nothing names the act that said so before."""
    if act is None:
        nothing = dict.fromkeys(("decision_id", "receipt_id", "receipt_url", "entry"))
        return Response(DecisionSerializer({**nothing, "changed": 0}).data)
    answer = {
        "decision_id": act.decision_id,
        "receipt_id": act.receipt_id,
        "receipt_url": f"/api/v1/me/receipts/{act.receipt_id}" if act.receipt_id else None,
        "entry": act.entry.uuid,
        "changed": len(act.events),
    }
    return audited(Response(DecisionSerializer(answer).data), act.entry)


class ConsentView(APIView):
    """The answer for one cell. Allowing, refusing and withdrawing are the same request."""

    action_name: ClassVar = {"PUT": "consent.decide"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_decide", request=ChoiceSerializer, responses=DecisionSerializer)
    def put(self, request: Request, purpose: str, application: str, category: str) -> Response:
        person = visitor(request)
        asked = body_of(request, ChoiceSerializer)
        answer = services.Answer(
            purpose,
            application,
            category,
            ConsentStatus(asked["status"]),
            asked.get("notice_version"),
            signal="gpc" if request.headers.get("Sec-GPC") == "1" else "",
        )
        if needs_proof([answer.status]) and not freshness.is_fresh(request._request):  # noqa: SLF001 - the page's own question.
            raise ConfirmationRequiredError("Confirm that it is you, then send this again.")
        return _decision(
            services.choose(
                person_subject=person.subject,
                choices=[answer],
                actor=person.actor,
                language=person.language,
                form_digest=FORM_DIGEST,
            )
        )


class WithdrawAllView(APIView):
    """One request ends everything."""

    action_name: ClassVar = {"POST": "consent.decide"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_withdraw_all", request=None, responses=DecisionSerializer)
    def post(self, request: Request) -> Response:
        person = visitor(request)
        return _decision(
            services.withdraw_all(
                person_subject=person.subject,
                actor=person.actor,
                language=person.language,
                form_digest=FORM_DIGEST,
            )
        )


class PauseSerializer(Strict):
    minutes = serializers.IntegerField(
        min_value=1,
        max_value=_DAY_MINUTES,
        required=False,
        allow_null=True,
        help_text="Without it, until resumed.",
    )
    device_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="One of the person's devices; else all."
    )


class PausedSerializer(serializers.Serializer[Any]):
    pauses = PauseStateSerializer(many=True)


class PauseView(APIView):
    """Stop recording at once, and go on. No reason is asked, and nobody else can tell."""

    action_name: ClassVar = {"POST": "consent.pause", "DELETE": "consent.pause"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_pause", request=PauseSerializer, responses=PausedSerializer)
    def post(self, request: Request) -> Response:
        person = visitor(request)
        asked = body_of(request, PauseSerializer)
        entry = services.pause(
            subject=person.subject,
            actor=person.actor,
            minutes=asked.get("minutes"),
            device_id=asked.get("device_id"),
        )
        return audited(_paused(person), entry)

    @extend_schema(operation_id="me_resume", request=None, responses=PausedSerializer)
    def delete(self, request: Request) -> Response:
        person = visitor(request)
        entry = services.resume(subject=person.subject, actor=person.actor)
        answer = _paused(person)
        return answer if entry is None else audited(answer, entry)


def _paused(person: Visitor) -> Response:
    now = timezone.now()
    held = [p for p in consent.selectors.pauses(subject=person.subject) if p.covers(now)]
    return Response(PausedSerializer({"pauses": held}).data)


class ReceiptSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    decision_id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    entry = serializers.UUIDField(source="entry.uuid")
    document_digest = serializers.CharField(help_text="SHA-256 (hex) of the signed payload.")


class ReceiptsSerializer(serializers.Serializer[Any]):
    receipts = ReceiptSerializer(many=True)


class ReceiptsView(APIView):
    """The receipt of every decision, newest first, for good."""

    action_name: ClassVar = {"GET": "consent.receipt"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_receipts", responses=ReceiptsSerializer)
    def get(self, request: Request) -> Response:
        held = consent.selectors.receipts(subject=visitor(request).subject)
        return Response(ReceiptsSerializer({"receipts": held}).data)


class ReceiptView(APIView):
    """One receipt as a DSSE envelope with its proof, to be kept and checked anywhere."""

    action_name: ClassVar = {"GET": "consent.receipt"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="me_receipt", responses={(200, "application/json"): OpenApiTypes.OBJECT}
    )
    def get(self, request: Request, receipt_id: UUID) -> Response:
        found = consent.receipt.receipt_document(
            subject=visitor(request).subject, receipt_id=receipt_id
        )
        return Response(found)
