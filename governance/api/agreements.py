"""Works agreements, lawful bases and what places ask for, over HTTP. No answer names a person."""

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.officers import KEY
from governance.api.permissions import ByMatrix
from governance.compliance import agreements, jurisdictions, selectors
from governance.compliance.bases import BASES
from governance.policies import groundwork

if TYPE_CHECKING:
    from uuid import UUID

DIGEST: Final = r"^[0-9a-f]{64}$"
PLACE: Final = r"^[A-Z]{2}(-[A-Z]{2,3})?$"
AGREEMENT_KINDS: Final = ["agreement", "consultation"]


class PartySerializer(Strict):
    name = serializers.CharField(max_length=200)
    role = serializers.CharField(max_length=80)


class AgreementBody(Strict):
    application = serializers.RegexField(KEY, max_length=64)
    kind = serializers.ChoiceField(AGREEMENT_KINDS)
    reference = serializers.CharField(max_length=200)
    parties = PartySerializer(many=True)
    places = serializers.ListField(child=serializers.RegexField(PLACE), min_length=1, max_length=60)
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True, default=None)
    scope_digest = serializers.RegexField(DIGEST, help_text="Of exactly the version it covers.")
    document_digest = serializers.RegexField(DIGEST, help_text="SHA-256 of the signed file.")


class AgreementSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    application = serializers.CharField()
    kind = serializers.ChoiceField(AGREEMENT_KINDS)
    reference = serializers.CharField()
    parties = PartySerializer(many=True)
    places = serializers.ListField(child=serializers.CharField())
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    scope_digest = serializers.CharField()
    document_digest = serializers.CharField()
    recorded_at = serializers.DateTimeField(source="at")
    confirmed_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.CharField()
    entry = serializers.UUIDField()


class AgreementListSerializer(serializers.Serializer[Any]):
    agreements = AgreementSerializer(many=True)


class AgreementsView(APIView):
    """What employer and representatives signed, and writing it down."""

    action_name: ClassVar = {"GET": "agreement.read", "POST": "agreement.record"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="works_agreements_list",
        parameters=[PageQuery],
        responses=AgreementListSerializer,
    )
    def get(self, request: Request) -> Response:
        found = selectors.agreements()[: query_of(request, PageQuery)["limit"]]
        return Response(AgreementListSerializer({"agreements": found}).data)

    @extend_schema(
        operation_id="works_agreements_record",
        request=AgreementBody,
        responses={201: AgreementSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, AgreementBody)
        asked["parties"] = [dict(party) for party in asked["parties"]]
        made = groundwork.record_agreement(
            signed=agreements.Signed(**asked), actor=visitor(request).actor
        )
        shown = AgreementSerializer(_agreement(made.id)).data
        return audited(Response(shown, status=201), made.entry)


class ConfirmView(APIView):
    """Confirm, as a second person, that this is what was signed."""

    action_name = "agreement.confirm"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="works_agreement_confirm", request=Strict, responses=AgreementSerializer
    )
    def post(self, request: Request, agreement_id: "UUID") -> Response:
        body_of(request, Strict)
        made = agreements.confirm(agreement_id=agreement_id, actor=visitor(request).actor)
        return audited(Response(AgreementSerializer(_agreement(agreement_id)).data), made.entry)


class EndBody(Strict):
    reason = serializers.CharField(max_length=500)


class EndView(APIView):
    """End an agreement at once; capture that stood on it stops."""

    action_name = "agreement.end"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="works_agreement_end", request=EndBody, responses=AgreementSerializer
    )
    def post(self, request: Request, agreement_id: "UUID") -> Response:
        asked = body_of(request, EndBody)
        made = groundwork.end_agreement(
            agreement_id=agreement_id, actor=visitor(request).actor, **asked
        )
        return audited(Response(AgreementSerializer(_agreement(agreement_id)).data), made.entry)


class BasisSerializer(serializers.Serializer[Any]):
    purpose = serializers.CharField()
    lawful_basis = serializers.ChoiceField(list(BASES), source="basis")
    evidence = serializers.CharField()
    recorded_at = serializers.DateTimeField(source="at")


class BasisListSerializer(serializers.Serializer[Any]):
    processing_activities = BasisSerializer(many=True)


class NewBasisSerializer(Strict):
    purpose = serializers.RegexField(KEY, max_length=64)
    lawful_basis = serializers.ChoiceField(list(BASES))
    evidence = serializers.CharField(
        max_length=500, help_text="For A6-1-f the assessment of the interests, as key@number."
    )


class ProcessingActivitiesView(APIView):
    """The one lawful basis of each purpose; it is never swapped once capture began."""

    action_name: ClassVar = {"GET": "basis.read", "POST": "basis.record"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="processing_activities_list",
        parameters=[PageQuery],
        responses=BasisListSerializer,
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        rows = sorted(selectors.bases().values(), key=lambda row: row.purpose)[:limit]
        return Response(BasisListSerializer({"processing_activities": rows}).data)

    @extend_schema(
        operation_id="processing_activities_record",
        request=NewBasisSerializer,
        responses={201: BasisSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewBasisSerializer)
        made = groundwork.record_basis(
            purpose=asked["purpose"],
            basis=asked["lawful_basis"],
            evidence=asked["evidence"],
            actor=visitor(request).actor,
        )
        return audited(Response(BasisSerializer(made).data, status=201), made.entry)


class JurisdictionListSerializer(serializers.Serializer[Any]):
    jurisdictions = serializers.ListField(
        child=serializers.JSONField(), help_text="Each profile with its rules and their sources."
    )


class JurisdictionsView(APIView):
    """What the law of each place asks for, as dated data with sources. No legal advice."""

    action_name = "jurisdiction.read"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="jurisdictions_list", responses=JurisdictionListSerializer)
    def get(self, request: Request) -> Response:
        query_of(request, Strict)
        found = jurisdictions.profiles(timezone.now().date())
        return Response({"jurisdictions": [jurisdictions.as_json(each) for each in found]})


def _agreement(agreement_id: "UUID") -> selectors.Agreement:
    found = selectors.agreement(agreement_id)
    if found is None:
        raise NotFound
    return found
