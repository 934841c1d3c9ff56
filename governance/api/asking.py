"""Asking for consent, and whatever keeps it free: campaigns, windows, reports of pressure, figures.

No answer here says whom a campaign reached, who was left out, who agreed, or how many.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.accounts import selectors as accounts
from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.permissions import ByMatrix
from governance.rights import campaigns, exemptions, participation, pressure
from governance.rights.errors import AskingLimitError
from governance.rights.states import ExemptionReason, Limit
from governance.web import source


class NewCampaignSerializer(Strict):
    purpose = serializers.SlugField(max_length=64)
    # Any word is taken here, so that an incentive is answered as one.
    incentive = serializers.CharField(max_length=64, help_text='The declaration "none".')


class CampaignSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    purpose = serializers.CharField()
    incentive = serializers.CharField()
    sent_at = serializers.DateTimeField()
    lapses_at = serializers.DateTimeField()
    ended_at = serializers.SerializerMethodField(help_text="Null unless it ended before it lapsed.")

    def get_ended_at(self, row: object) -> datetime | None:
        end = getattr(row, "end", None)
        return None if end is None else end.at


class CampaignListSerializer(serializers.Serializer[Any]):
    campaigns = CampaignSerializer(many=True)


class CampaignsView(APIView):
    """Requests for consent: the privacy office sends them, everybody may know of them."""

    action_name: ClassVar = {"GET": "campaign.read", "POST": "campaign.send"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="campaigns_list", parameters=[PageQuery], responses=CampaignListSerializer
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        found = campaigns.campaigns()[:limit]
        return Response(CampaignListSerializer({"campaigns": found}).data)

    @extend_schema(
        operation_id="campaigns_send",
        request=NewCampaignSerializer,
        responses={201: CampaignSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewCampaignSerializer)
        sent = campaigns.send(**asked, actor=visitor(request).actor)
        return audited(Response(CampaignSerializer(sent).data, status=201), sent.entry)


class CampaignEndView(APIView):
    """Stops a request for consent before it lapses; nobody reads it on a page any more."""

    action_name: ClassVar = {"POST": "campaign.end"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="campaigns_end", request=None, responses={200: CampaignSerializer})
    def post(self, request: Request, campaign_id: UUID) -> Response:
        body_of(request, Strict)
        made = campaigns.end(campaign_id=campaign_id, actor=visitor(request).actor)
        return audited(Response(CampaignSerializer(made.campaign).data), made.entry)


class NewLimitSerializer(Strict):
    kind = serializers.ChoiceField([kind.value for kind in Limit])
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last such day.")
    username = serializers.CharField(max_length=64, required=False)
    reason = serializers.ChoiceField([each.value for each in ExemptionReason], required=False)


class LimitSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()


class ExemptSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField()
    band = serializers.CharField(help_text="How many people: <5, 5-19, 20-49 or >=50.")


class LimitListSerializer(serializers.Serializer[Any]):
    windows = LimitSerializer(many=True)
    exempt_on = serializers.DateField(help_text="The day of the figures: the month's first.")
    exempt = ExemptSerializer(many=True)


class LimitsView(APIView):
    """Times in which nobody is asked; what is about one person is counted in bands alone."""

    action_name: ClassVar = {"GET": "campaign.read", "POST": "campaign.limit"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="asking_limits_list", parameters=[PageQuery], responses=LimitListSerializer
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        day, exempt = exemptions.published()
        told = {"windows": campaigns.windows()[:limit], "exempt_on": day, "exempt": exempt}
        return Response(LimitListSerializer(told).data)

    @extend_schema(
        operation_id="asking_limits_record",
        request=NewLimitSerializer,
        responses={201: LimitSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewLimitSerializer)
        subject = ""
        if username := asked.get("username", ""):
            person = accounts.person_by_username(username)
            if person is None:
                raise AskingLimitError("There is no such person.")
            subject = person.subject_key
        made = campaigns.limit(
            window=campaigns.Window(
                Limit(asked["kind"]),
                asked["starts_on"],
                asked["ends_on"],
                subject,
                asked.get("reason", ""),
            ),
            actor=visitor(request).actor,
        )
        return audited(Response(LimitSerializer(made).data, status=201), made.entry)


class NewReportSerializer(Strict):
    words = serializers.CharField(max_length=pressure.LONGEST)


class ReportSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    words = serializers.CharField()
    reported_on = serializers.DateField()
    state = serializers.SerializerMethodField()

    def get_state(self, row: object) -> str:
        finding = getattr(row, "finding", None)
        if finding is None:
            return "open"
        return "confirmed" if finding.is_confirmed else "not-confirmed"


class ReportListSerializer(serializers.Serializer[Any]):
    reports = ReportSerializer(many=True)


class ReceivedSerializer(serializers.Serializer[Any]):
    received = serializers.BooleanField()


class ReportsView(APIView):
    """Reports of pressure: anybody writes one, without a name; the representatives read them."""

    action_name: ClassVar = {"GET": "pressure.read", "POST": "pressure.report"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="pressure_reports_list", parameters=[PageQuery], responses=ReportListSerializer
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        return Response(ReportListSerializer({"reports": pressure.reports()[:limit]}).data)

    @extend_schema(
        operation_id="pressure_reports_write",
        request=NewReportSerializer,
        responses={202: ReceivedSerializer},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        words = body_of(request, NewReportSerializer)["words"]
        pressure.report(words=words, address=source.address_of(request._request))  # noqa: SLF001 - where it comes from is Django's to say.
        return Response(ReceivedSerializer({"received": True}).data, status=202)


class FindingSerializer(Strict):
    is_confirmed = serializers.BooleanField()
    purpose = serializers.SlugField(max_length=64, required=False, default="")
    below = serializers.CharField(
        max_length=64, required=False, default="", help_text="User name of whoever pressed."
    )


class FindingView(APIView):
    """What came of a report; confirmed, the consents concerned never were."""

    action_name: ClassVar = {"POST": "pressure.settle"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="pressure_reports_settle",
        request=FindingSerializer,
        responses={200: ReceivedSerializer},
    )
    def post(self, request: Request, report_id: UUID) -> Response:
        found = body_of(request, FindingSerializer)
        made = pressure.settle(report_id=report_id, actor=visitor(request).actor, **found)
        return audited(Response(ReceivedSerializer({"received": True}).data), made.entry)


class FigureSerializer(serializers.Serializer[Any]):
    purpose = serializers.CharField()
    month = serializers.DateField()
    value = serializers.CharField(
        source="band", allow_null=True, help_text="A band of ten points, or null: no figure."
    )


class FiguresSerializer(serializers.Serializer[Any]):
    participation = FigureSerializer(many=True)


class ParticipationView(APIView):
    """The month's figures, the same for everybody."""

    action_name = "transparency.read"
    authentication_classes = ()
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="transparency_participation",
        parameters=[PageQuery],
        responses=FiguresSerializer,
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        rows = [
            {"purpose": row.purpose, "month": row.month, "band": row.band or None}
            for row in participation.published()
        ]
        return Response(FiguresSerializer({"participation": rows[:limit]}).data)
