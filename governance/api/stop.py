"""The stop switch over HTTP: one person stops all capture, two bring it back (R80)."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.answers import Strict, audited, body_of, query_of, visitor
from governance.api.permissions import ByMatrix
from governance.policies import propagation, suspending


class GaugeSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="When the last agent must have stopped.")
    agents = serializers.IntegerField()
    confirmed = serializers.IntegerField(help_text="Agents that said that they obey it.")
    wanted_back_by = serializers.IntegerField(help_text="With the second person it is over.")
    is_standing = serializers.BooleanField()
    is_complete = serializers.BooleanField()


class StopStateSerializer(serializers.Serializer[Any]):
    stop = GaugeSerializer(allow_null=True, help_text="The newest stop, or null: there was none.")


class StopBody(Strict):
    reason = serializers.CharField(max_length=500)


class StopView(APIView):
    """How far the newest stop has come, and stopping."""

    action_name: ClassVar = {"GET": "stop.read", "POST": "stop.order"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="stop_read", responses=StopStateSerializer)
    def get(self, request: Request) -> Response:
        query_of(request, Strict)
        return Response(_state())

    @extend_schema(
        operation_id="stop_order", request=StopBody, responses={201: StopStateSerializer}
    )
    def post(self, request: Request) -> Response:
        made = suspending.stop(actor=visitor(request).actor, **body_of(request, StopBody))
        return audited(Response(_state(), status=201), made.entry)


class LiftBody(Strict):
    number = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class LiftsView(APIView):
    """Want capture back; the second person who does ends the stop."""

    action_name = "stop.lift"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="stop_lift", request=LiftBody, responses={201: StopStateSerializer})
    def post(self, request: Request) -> Response:
        stop = suspending.lift(actor=visitor(request).actor, **body_of(request, LiftBody))
        return audited(Response(_state(), status=201), stop.lifts.latest("id").entry)


class CertificateView(APIView):
    """The signed statement that a stop reached every agent."""

    action_name = "stop.read"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="stop_certificate", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, number: int) -> Response:
        query_of(request, Strict)
        return Response(propagation.certificate(number=number, now=timezone.now()))


def _state() -> dict[str, Any]:
    found = propagation.gauge(now=timezone.now())
    return dict(StopStateSerializer({"stop": found}).data)
