"""Records and reports that are made from what is in force: nobody writes them (R41, R42, R43)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import override
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.answers import Strict, query_of
from governance.api.permissions import ByMatrix
from governance.oversight import conformance, ropa

_RECORDS: Final[Mapping[str, Callable[[datetime], Mapping[str, object]]]] = {
    "controller": ropa.controller_record,
    "processor": ropa.processor_record,
}
# Anybody may ask, and each answer counts every frame there is.
_COUNT_AGAIN_SECONDS: Final = 60


class RopaQuery(Strict):
    kind = serializers.ChoiceField(list(_RECORDS), default="controller")


class RopaView(APIView):
    """The record of processing activities (GDPR 30), from live configuration."""

    action_name = "record.read"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="ropa", parameters=[RopaQuery], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        kind = query_of(request, RopaQuery)["kind"]
        # A record for authorities and programs: in one language, whoever asks for it.
        with override("en"):
            return Response(_RECORDS[kind](timezone.now()))


class PromiseSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.CharField()
    holds = serializers.BooleanField()


class ConformanceSerializer(serializers.Serializer[Any]):
    application = serializers.CharField()
    version = serializers.CharField()
    allowed = serializers.ListField(child=serializers.CharField())
    arrived = serializers.DictField(
        child=serializers.IntegerField(allow_null=True),
        help_text="events by category; null where too few people stand behind a number",
    )
    refused = serializers.DictField(
        child=serializers.IntegerField(), help_text="events by reason, at upload or once opened"
    )
    assessment = serializers.CharField(allow_null=True)
    promises = PromiseSerializer(many=True)


class ConformanceListSerializer(serializers.Serializer[Any]):
    conformance = ConformanceSerializer(many=True)


class ConformanceView(APIView):
    """What each policy allows, what was refused and what arrived, as counts for everybody."""

    action_name = "transparency.read"
    authentication_classes = ()
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="transparency_conformance", responses=ConformanceListSerializer)
    def get(self, request: Request) -> Response:
        query_of(request, Strict)
        said = cache.get("conformance")
        if said is None:
            rows = {"conformance": conformance.report(timezone.now())}
            said = ConformanceListSerializer(rows).data
            cache.set("conformance", said, _COUNT_AGAIN_SECONDS)
        return Response(said)
