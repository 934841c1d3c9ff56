"""What anybody may read: the event schema, what may be captured, what it may never serve."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.answers import PageQuery, Strict, query_of
from governance.api.permissions import ByMatrix
from governance.policies import selectors
from governance.policies.purposes import PROHIBITED
from governance.redaction import events


class EventSchemaView(APIView):
    """The JSON Schema of captured events, made from the definition the code parses with."""

    action_name = "transparency.read"
    authentication_classes = ()
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="schema_events", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        query_of(request, Strict)
        return Response(events.json_schema(), headers={"Cache-Control": "public, max-age=300"})


class OpenPolicySerializer(serializers.Serializer[Any]):
    application = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    content_digest = serializers.CharField()
    active_since = serializers.DateTimeField()
    purposes = serializers.ListField(child=serializers.CharField())
    retention_days = serializers.DictField(
        child=serializers.IntegerField(), help_text="category: days, for what may be captured"
    )


class ProhibitionSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    words = serializers.CharField()
    rule = serializers.CharField()


class OpenPoliciesSerializer(serializers.Serializer[Any]):
    policies = OpenPolicySerializer(many=True)
    prohibited = ProhibitionSerializer(many=True)


class OpenPoliciesView(APIView):
    """What may be captured now, how long it is kept, and what it may never be used for."""

    action_name = "transparency.read"
    authentication_classes = ()
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="transparency_policies",
        parameters=[PageQuery],
        responses=OpenPoliciesSerializer,
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        names = {found.key: found.name for found in selectors.applications()}
        days: dict[str, dict[str, int]] = {}
        for cell in selectors.offered_cells():
            days.setdefault(cell.application, {})[cell.category] = cell.retention_days
        policies = [
            {
                "application": key,
                "name": names[key],
                "version": policy.version,
                "content_digest": policy.digest,
                "active_since": policy.activated_at,
                "purposes": policy.content.purposes,
                "retention_days": days[key],
            }
            for key, policy in sorted(selectors.active_policies().items())
        ]
        answer = {"policies": policies[:limit], "prohibited": PROHIBITED}
        return Response(OpenPoliciesSerializer(answer).data)
