"""The way in for people without an account, and whom nobody may record (R56, R57)."""

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.permissions import ByMatrix
from governance.capture import never_capture
from governance.rights import bystander_answers, bystanders
from governance.web import source


class EnteredSerializer(serializers.Serializer[Any]):
    received = serializers.BooleanField()


class NewBystanderRequest(Strict):
    address = serializers.EmailField(max_length=bystanders.LONGEST)
    kind = serializers.ChoiceField([kind.value for kind in bystanders.KINDS])
    language = serializers.ChoiceField(
        [key for key, _ in settings.LANGUAGES], required=False, default=settings.LANGUAGE_CODE
    )


class BystanderRequestSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    status = serializers.CharField()
    received_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()


class BystanderListSerializer(serializers.Serializer[Any]):
    requests = BystanderRequestSerializer(many=True)


class BystanderAnswerBody(Strict):
    is_granted = serializers.BooleanField()
    reasons = serializers.CharField(
        max_length=bystander_answers.LONGEST_REASON, required=False, default="", allow_blank=True
    )


class BystanderRequestsView(APIView):
    """Requests of people on somebody's screen: anybody asks, the office reads, no address shown."""

    action_name: ClassVar = {"GET": "bystander.read", "POST": "bystander.ask"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="bystander_requests_list",
        parameters=[PageQuery],
        responses=BystanderListSerializer,
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        rows = bystander_answers.listed(limit=limit)
        return Response(BystanderListSerializer({"requests": rows}).data)

    @extend_schema(
        operation_id="bystander_requests_ask",
        request=NewBystanderRequest,
        responses={202: EnteredSerializer},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewBystanderRequest)
        origin = source.source_of(request._request, username="")  # noqa: SLF001 - Django's own.
        bystanders.ask(**asked, source=origin, now=timezone.now())
        return Response(EnteredSerializer({"received": True}).data, status=202)


class BystanderAnswerView(APIView):
    """The office carries a request out, or refuses it with reasons; the answer is mailed."""

    action_name: ClassVar = {"POST": "bystander.answer"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="bystander_requests_answer",
        request=BystanderAnswerBody,
        responses={200: EnteredSerializer},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        decided = body_of(request, BystanderAnswerBody)
        made = bystander_answers.answer(
            request_id=request_id,
            is_granted=decided["is_granted"],
            words=decided["reasons"],
            actor=visitor(request).actor,
        )
        return audited(Response(EnteredSerializer({"received": True}).data), made.entry)


class NeverCaptureBody(Strict):
    identifier = serializers.CharField(
        max_length=never_capture.LONGEST,
        help_text="A mail address, a phone number or an account name; no copy of it is kept.",
    )


class NeverCaptureView(APIView):
    """The register of whom nobody may record: it takes entries in and shows none."""

    action_name = "never_capture.enter"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="never_capture_enter",
        request=NeverCaptureBody,
        responses={201: EnteredSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NeverCaptureBody)
        made = never_capture.enter(**asked, actor=visitor(request).actor)
        return audited(Response({"received": True}, status=201), made.entry)
