"""Purposes, applications, notices and retention, for those who look after them.

Capture policies are in `capture_policies`, the audit log in `audit_entries`.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import consent.selectors
import consent.services
from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.permissions import ByMatrix
from governance.policies import selectors, services
from governance.policies.categories import Category, offered_categories
from governance.policies.purposes import PERMITTED_BROADER

KEY = r"^[a-z0-9]+(-[a-z0-9]+)*$"
LANGUAGES = ["en", "de", "fr"]


class PurposeSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    version = serializers.CharField(help_text="key@number")
    name = serializers.CharField()
    description = serializers.CharField()
    broader = serializers.CharField(help_text="DPV local name")
    registered_at = serializers.DateTimeField()


class PurposeListSerializer(serializers.Serializer[Any]):
    purposes = PurposeSerializer(many=True)


class NewPurposeSerializer(Strict):
    key = serializers.RegexField(KEY, max_length=64)
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=2000)
    # Any word is taken here, so that a prohibited one is answered as prohibited.
    broader = serializers.CharField(
        max_length=200, help_text="One of " + ", ".join(PERMITTED_BROADER)
    )


class PurposesView(APIView):
    """What captured work may be used for."""

    action_name: ClassVar = {"GET": "purpose.read", "POST": "purpose.register"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="purposes_list", parameters=[PageQuery], responses=PurposeListSerializer
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        return Response(PurposeListSerializer({"purposes": selectors.purposes()[:limit]}).data)

    @extend_schema(
        operation_id="purposes_register",
        request=NewPurposeSerializer,
        responses={201: PurposeSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewPurposeSerializer)
        made = services.register_purpose(**asked, actor=visitor(request).actor)
        answer = PurposeSerializer(selectors.purpose(asked["key"])).data
        return audited(Response(answer, status=201), made.entry)


class ApplicationSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(["web", "desktop"])
    policy_version = serializers.CharField(
        allow_null=True, help_text="The policy in force, or null: nothing is captured."
    )


class ApplicationListSerializer(serializers.Serializer[Any]):
    applications = ApplicationSerializer(many=True)


class NewApplicationSerializer(Strict):
    key = serializers.RegexField(KEY, max_length=64)
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(["web", "desktop"])


class ApplicationsView(APIView):
    """The programs and sites people work in."""

    action_name: ClassVar = {"GET": "application.read", "POST": "application.register"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="applications_list",
        parameters=[PageQuery],
        responses=ApplicationListSerializer,
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        active = selectors.active_policies()
        rows = [
            {
                "key": found.key,
                "name": found.name,
                "kind": found.kind,
                "policy_version": active[found.key].version if found.key in active else None,
            }
            for found in selectors.applications()[:limit]
        ]
        return Response(ApplicationListSerializer({"applications": rows}).data)

    @extend_schema(
        operation_id="applications_register",
        request=NewApplicationSerializer,
        responses={201: ApplicationSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewApplicationSerializer)
        made = services.register_application(**asked, actor=visitor(request).actor)
        answer = ApplicationSerializer(asked | {"policy_version": None}).data
        return audited(Response(answer, status=201), made.entry)


class NoticeSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField(help_text="purpose@number")
    language = serializers.CharField()
    content = serializers.JSONField()
    content_digest = serializers.CharField()
    published_at = serializers.DateTimeField()


class NoticeListSerializer(serializers.Serializer[Any]):
    notices = NoticeSerializer(many=True)


class NoticeQuery(PageQuery):
    purpose = serializers.RegexField(KEY, max_length=64, required=False)


class NewNoticeSerializer(Strict):
    purpose = serializers.RegexField(KEY, max_length=64)
    texts = serializers.DictField(
        child=serializers.DictField(), help_text="One content for each language: en, de, fr."
    )

    def validate_texts(self, value: dict[str, Any]) -> dict[str, Any]:
        if not value or set(value) - set(LANGUAGES):
            raise serializers.ValidationError("Name one or more of en, de and fr.")
        return value


class NoticesView(APIView):
    """What people are told before they are asked. Published texts stay for good."""

    action_name: ClassVar = {"GET": "notice.read", "POST": "notice.publish"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="notices_list", parameters=[NoticeQuery], responses=NoticeListSerializer
    )
    def get(self, request: Request) -> Response:
        asked = query_of(request, NoticeQuery)
        found = consent.selectors.notice_versions(purpose=asked.get("purpose"))
        return Response(NoticeListSerializer({"notices": found[: asked["limit"]]}).data)

    @extend_schema(
        operation_id="notices_publish",
        request=NewNoticeSerializer,
        responses={201: NoticeListSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewNoticeSerializer)
        if selectors.purpose(asked["purpose"]) is None:
            raise NotFound
        made = services.publish_notice(
            purpose=asked["purpose"], texts=asked["texts"], actor=visitor(request).actor
        )
        answer = NoticeListSerializer({"notices": made}).data
        return audited(Response(answer, status=201), made[0].entry)


class ScheduleSerializer(serializers.Serializer[Any]):
    application = serializers.CharField()
    number = serializers.IntegerField()
    set_at = serializers.DateTimeField()
    days = serializers.DictField(child=serializers.IntegerField(), help_text="category: days")


class ScheduleListSerializer(serializers.Serializer[Any]):
    schedules = ScheduleSerializer(many=True)


class ScheduleQuery(PageQuery):
    application = serializers.RegexField(KEY, max_length=64, required=False)


class NewScheduleSerializer(Strict):
    application = serializers.RegexField(KEY, max_length=64)
    days = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=365), help_text="category: days"
    )

    def validate_days(self, value: dict[str, int]) -> dict[Category, int]:
        if not value or set(value) - set(offered_categories()):
            known = ", ".join(offered_categories())
            raise serializers.ValidationError(f"Name one or more categories: {known}")
        return {Category(key): days for key, days in value.items()}


class RetentionSchedulesView(APIView):
    """How long each category of each application is kept."""

    action_name: ClassVar = {"GET": "retention.read", "POST": "retention.set"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="retention_list", parameters=[ScheduleQuery], responses=ScheduleListSerializer
    )
    def get(self, request: Request) -> Response:
        asked = query_of(request, ScheduleQuery)
        found = selectors.schedules(asked.get("application"))[: asked["limit"]]
        return Response(ScheduleListSerializer({"schedules": found}).data)

    @extend_schema(
        operation_id="retention_set",
        request=NewScheduleSerializer,
        responses={201: ScheduleSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewScheduleSerializer)
        made = services.set_retention(
            application=asked["application"], days=asked["days"], actor=visitor(request).actor
        )
        answer = ScheduleSerializer(selectors.schedules(asked["application"])[0]).data
        return audited(Response(answer, status=201), made.entry)
