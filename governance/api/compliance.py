"""What a policy needs before it may act: assessments, agreements, lawful bases, jurisdictions.

Who wrote or decided something is told to the offices that must differ, to nobody else.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.accounts import selectors as accounts
from governance.accounts.roles import Role
from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.officers import KEY
from governance.api.permissions import ByMatrix
from governance.compliance import agreements, assessment, jurisdictions, selectors, services
from governance.compliance.bases import BASES
from governance.compliance.states import AssessmentState
from governance.policies import groundwork

if TYPE_CHECKING:
    from uuid import UUID

DIGEST: Final = r"^[0-9a-f]{64}$"
PLACE: Final = r"^[A-Z]{2}(-[A-Z]{2,3})?$"
STATES: Final = [state.value for state in AssessmentState]
KINDS: Final = ["dpia", "risk-assessment", "legitimate-interests"]
AGREEMENT_KINDS: Final = ["agreement", "consultation"]
_SEE_PEOPLE: Final = frozenset({Role.PRIVACY_OFFICER, Role.POLICY_APPROVER})


class AssessmentStepSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(STATES)
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True, help_text="A name, for the two offices only.")
    reason = serializers.CharField()
    entry = serializers.UUIDField()


class ConsultationSerializer(serializers.Serializer[Any]):
    authority = serializers.CharField()
    reference = serializers.CharField()
    answer = serializers.CharField()
    answered_on = serializers.DateField()
    entry = serializers.UUIDField()


class AssessmentSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    number = serializers.IntegerField()
    reference = serializers.CharField(help_text="key@number")
    state = serializers.ChoiceField(STATES)
    content = serializers.JSONField()
    content_digest = serializers.CharField(help_text="SHA-256 of the canonical content, hex")
    drafted_at = serializers.DateTimeField()
    missing = serializers.ListField(
        child=serializers.CharField(), help_text="Parts without which nobody approves it."
    )
    sections = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The parts by the sections of the EDPB's template.",
    )
    steps = AssessmentStepSerializer(many=True)
    consultations = ConsultationSerializer(many=True)


class AssessmentListSerializer(serializers.Serializer[Any]):
    assessments = AssessmentSerializer(many=True)


class NewAssessmentSerializer(Strict):
    key = serializers.RegexField(KEY, max_length=64)
    content = serializers.DictField(help_text="Its own closed schema checks it, with pointers.")


class AssessmentsView(APIView):
    """Every version of every impact assessment, and drafting."""

    action_name: ClassVar = {"GET": "assessment.read", "POST": "assessment.draft"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="impact_assessments_list",
        parameters=[PageQuery],
        responses=AssessmentListSerializer,
    )
    def get(self, request: Request) -> Response:
        found = selectors.assessments()[: query_of(request, PageQuery)["limit"]]
        shown = [_shown(request, each) for each in found]
        return Response(AssessmentListSerializer({"assessments": shown}).data)

    @extend_schema(
        operation_id="impact_assessments_draft",
        request=NewAssessmentSerializer,
        responses={201: AssessmentSerializer},
    )
    def post(self, request: Request) -> Response:
        asked = body_of(request, NewAssessmentSerializer)
        made = services.draft(**asked, actor=visitor(request).actor)
        return _answer(request, made.assessment_id, made.number, status=201)


class AssessmentView(APIView):
    """One version."""

    action_name = "assessment.read"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="impact_assessment_version", responses=AssessmentSerializer)
    def get(self, request: Request, key: str, number: int) -> Response:
        return Response(AssessmentSerializer(_shown(request, _version(key, number))).data)


class NumberedBody(Strict):
    number = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class SubmitView(APIView):
    """Hand a draft to the second person."""

    action_name = "assessment.submit"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="impact_assessment_submit",
        request=NumberedBody,
        responses=AssessmentSerializer,
    )
    def post(self, request: Request, key: str) -> Response:
        asked = body_of(request, NumberedBody)
        services.submit(key=key, actor=visitor(request).actor, **asked)
        return _answer(request, key, asked["number"])


class DecisionBody(NumberedBody):
    decision = serializers.ChoiceField(list(services.DECISIONS))
    content_digest = serializers.RegexField(DIGEST, help_text="The digest that was read.")
    reason = serializers.CharField(
        max_length=2000, required=False, help_text="Needed for all but a plain approval."
    )


class DecisionsView(APIView):
    """Decide on exactly the bytes that were read; never as their author."""

    action_name = "assessment.decide"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="impact_assessment_decide",
        request=DecisionBody,
        responses={201: AssessmentSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        asked = body_of(request, DecisionBody)
        services.decide(key=key, actor=visitor(request).actor, **asked)
        return _answer(request, key, asked["number"], status=201)


class ConsultationBody(NumberedBody):
    authority = serializers.CharField(max_length=200)
    reference = serializers.CharField(max_length=200)
    answer = serializers.CharField(max_length=2000)
    answered_on = serializers.DateField()


class ConsultationsView(APIView):
    """Write down what the supervisory authority answered (GDPR 36)."""

    action_name = "assessment.consult"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="impact_assessment_consulted",
        request=ConsultationBody,
        responses={201: AssessmentSerializer},
    )
    def post(self, request: Request, key: str) -> Response:
        asked = body_of(request, ConsultationBody)
        asked["reference_of_answer"] = asked.pop("reference")
        made = services.record_consultation(key=key, actor=visitor(request).actor, **asked)
        shown = AssessmentSerializer(_shown(request, _version(key, asked["number"]))).data
        return audited(Response(shown, status=201), made.entry)


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


def _version(key: str, number: int) -> selectors.Version:
    found = selectors.assessment_version(key, number)
    if found is None:
        raise NotFound
    return found


def _agreement(agreement_id: "UUID") -> selectors.Agreement:
    found = selectors.agreement(agreement_id)
    if found is None:
        raise NotFound
    return found


def _answer(request: Request, key: str, number: int, *, status: int = 200) -> Response:
    """Answer with the version as it stands now, and the entry of its latest step."""
    version = _version(key, number)
    shown = AssessmentSerializer(_shown(request, version)).data
    return audited(Response(shown, status=status), version.steps[-1])


def _shown(request: Request, version: selectors.Version) -> dict[str, Any]:
    names = _names(request, (step.actor for step in version.steps))
    return {
        "key": version.key,
        "number": version.number,
        "reference": version.reference,
        "state": version.state,
        "content": version.content.as_json(),
        "content_digest": version.content_digest,
        "drafted_at": version.drafted_at,
        "missing": version.missing,
        "sections": assessment.sections(),
        "steps": [
            {
                "state": step.state,
                "at": step.at,
                "by": names.get(step.actor),
                "reason": step.reason,
                "entry": step.entry,
            }
            for step in version.steps
        ],
        "consultations": version.consultations,
    }


def _names(request: Request, subjects: Iterable[str]) -> dict[str, str]:
    return accounts.names_of(subjects) if visitor(request).role in _SEE_PEOPLE else {}
