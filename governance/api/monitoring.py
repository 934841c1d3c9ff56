"""Where people work and what they are told there, over HTTP (R103)."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.accounts import selectors as accounts
from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.officers import LANGUAGES
from governance.api.permissions import ByMatrix
from governance.compliance import monitoring
from governance.policies import groundwork


class PostingSerializer(serializers.Serializer[Any]):
    where = serializers.CharField()
    at = serializers.DateTimeField()


class MonitoringNoticeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="The jurisdiction profile that asks for it.")
    number = serializers.IntegerField()
    texts = serializers.DictField(child=serializers.CharField())
    digest = serializers.CharField()
    published_at = serializers.DateTimeField()
    postings = PostingSerializer(many=True, source="postings.all")


class MonitoringNoticeListSerializer(serializers.Serializer[Any]):
    monitoring_notices = MonitoringNoticeSerializer(many=True)


class NoticeBody(Strict):
    code = serializers.RegexField(r"^[A-Z]{2}(-[A-Z]{2})?$")
    texts = serializers.DictField(child=serializers.CharField(max_length=8000))

    def validate_texts(self, value: dict[str, str]) -> dict[str, str]:
        if set(value) - set(LANGUAGES):
            raise serializers.ValidationError("Name one or more of en, de and fr.")
        return value


class NoticesView(APIView):
    """What laws of places want people told before they are monitored."""

    action_name: ClassVar = {"GET": "monitoring.read", "POST": "monitoring.publish"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="monitoring_notices_list",
        parameters=[PageQuery],
        responses=MonitoringNoticeListSerializer,
    )
    def get(self, request: Request) -> Response:
        found = monitoring.notices()[: query_of(request, PageQuery)["limit"]]
        return Response(MonitoringNoticeListSerializer({"monitoring_notices": found}).data)

    @extend_schema(
        operation_id="monitoring_notices_publish",
        request=NoticeBody,
        responses={201: MonitoringNoticeSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NoticeBody)
        made = groundwork.publish_monitoring_notice(**asked, actor=visitor(request).actor)
        return audited(Response(MonitoringNoticeSerializer(made).data, status=201), made.entry)


class PostingBody(Strict):
    where = serializers.CharField(max_length=300)


class PostingsView(APIView):
    """Where a notice hangs for everybody to see."""

    action_name = "monitoring.publish"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="monitoring_notice_posted",
        request=PostingBody,
        responses={201: PostingSerializer},
    )
    def post(self, request: Request, code: str) -> Response:
        asked = body_of(request, PostingBody)
        made = monitoring.record_posting(code=code, actor=visitor(request).actor, **asked)
        return audited(Response(PostingSerializer(made).data, status=201), made.entry)


class WorkPlaceBody(Strict):
    place = serializers.RegexField(r"^[A-Z]{2}(-[A-Z]{2,3})?$", help_text="ISO 3166")


class WorkPlaceView(APIView):
    """Where somebody works; nobody is captured whose place is unknown."""

    action_name = "place.record"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="work_place_record", request=WorkPlaceBody, responses=WorkPlaceBody)
    def put(self, request: Request, username: str) -> Response:
        asked = body_of(request, WorkPlaceBody)
        person = accounts.person_by_username(username)
        if person is None:
            raise NotFound
        made = monitoring.record_place(
            subject=person.subject_key, actor=visitor(request).actor, **asked
        )
        return audited(Response({"place": made.place}), made.entry)


class OwedSerializer(serializers.Serializer[Any]):
    place = serializers.CharField(allow_blank=True, help_text="Empty: nobody knows where you work.")
    notice = MonitoringNoticeSerializer(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    holds_until = serializers.DateTimeField(allow_null=True)


class OwedView(APIView):
    """What the law of one's own place wants one told, and confirming to have read it.

    Confirming consents to nothing.
    """

    action_name: ClassVar = {"GET": "monitoring.owed", "POST": "monitoring.acknowledge"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_monitoring_notice", responses=OwedSerializer)
    def get(self, request: Request) -> Response:
        query_of(request, Strict)
        return Response(_owed(visitor(request).subject))

    @extend_schema(
        operation_id="me_monitoring_acknowledge",
        request=Strict,
        responses={201: OwedSerializer},
    )
    def post(self, request: Request) -> Response:
        body_of(request, Strict)
        who = visitor(request)
        made = monitoring.acknowledge(subject=who.subject, actor=who.actor)
        return audited(Response(_owed(who.subject), status=201), made.entry)


def _owed(subject: str) -> dict[str, Any]:
    now = timezone.now()
    standing = monitoring.standing(subject=subject, now=now)
    notice = monitoring.notice_for(subject, on=now.date())
    told = standing.told if notice else None
    return dict(
        OwedSerializer(
            {
                "place": standing.place,
                "notice": notice,
                "acknowledged_at": told[0] if told else None,
                "holds_until": told[1] if told else None,
            }
        ).data
    )
