"""Ending consents from an office: one officer proposes, another decides.

No answer here says who had agreed, or how many.
"""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.permissions import ByMatrix
from governance.rights import endings
from governance.rights.states import EndingReason


class NewEndingSerializer(Strict):
    reason = serializers.ChoiceField(
        [reason.value for reason in EndingReason],
        help_text="purpose-closed, application-removed and scope-changed revoke; the others "
        "declare that the consent never was.",
    )
    words = serializers.CharField(
        max_length=endings.LONGEST, help_text="What stands behind it; for the offices alone."
    )
    purpose = serializers.SlugField(max_length=64)
    application = serializers.SlugField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text="Without it, in every application.",
    )
    category = serializers.SlugField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text="Without it, every kind of data.",
    )
    username = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        default="",
        help_text="Without it, everybody's.",
    )


class EndingSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reason = serializers.CharField()
    words = serializers.CharField()
    purpose = serializers.CharField()
    application = serializers.CharField()
    category = serializers.CharField()
    is_about_one = serializers.BooleanField(source="subject", help_text="And not everybody.")
    proposed_at = serializers.DateTimeField(source="at")
    state = serializers.SerializerMethodField()

    def get_state(self, row: object) -> str:
        decision = getattr(row, "decision", None)
        if decision is None:
            return "proposed"
        return "ordered" if decision.is_approved else "returned"


class EndingListSerializer(serializers.Serializer[Any]):
    endings = EndingSerializer(many=True)


class EndingsView(APIView):
    """What officers proposed to end, and what came of it."""

    action_name: ClassVar = {"GET": "ending.read", "POST": "ending.propose"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="consent_endings_list", parameters=[PageQuery], responses=EndingListSerializer
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        return Response(EndingListSerializer({"endings": endings.endings()[:limit]}).data)

    @extend_schema(
        operation_id="consent_endings_propose",
        request=NewEndingSerializer,
        responses={201: EndingSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewEndingSerializer)
        proposal = endings.Proposal(**asked | {"reason": EndingReason(asked["reason"])})
        made = endings.propose(proposal=proposal, actor=visitor(request).actor)
        return audited(Response(EndingSerializer(made).data, status=201), made.entry)


class EndingDecisionSerializer(Strict):
    is_approved = serializers.BooleanField()


class EndingDecisionView(APIView):
    """Order, as a second officer, what was proposed, or return it."""

    action_name: ClassVar = {"POST": "ending.decide"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="consent_endings_decide",
        request=EndingDecisionSerializer,
        responses={200: EndingSerializer},
    )
    def post(self, request: Request, ending_id: UUID) -> Response:
        said = body_of(request, EndingDecisionSerializer)
        made = endings.decide(ending_id=ending_id, actor=visitor(request).actor, **said)
        return audited(Response(EndingSerializer(made.ending).data), made.entry)
