"""Impact assessments over HTTP: draft, submit, decide with four eyes, write down consultations.

Who wrote or decided something is told to the offices that must differ, to nobody else.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import date
from typing import Any, ClassVar, Final, cast

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
from governance.compliance import assessment, selectors, services
from governance.compliance.deadlines import deadlines
from governance.compliance.states import STANDING, AssessmentState
from governance.policies import history

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
    review_by = serializers.DateField(
        allow_null=True, help_text="Looked at again by then: its own date, or an earlier law."
    )
    update_by = serializers.DateField(
        allow_null=True, help_text="Where a change overtook it and the law of a place says so."
    )
    kept_until = serializers.DateField(allow_null=True, help_text="Kept at least until then.")
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


def _version(key: str, number: int) -> selectors.Version:
    found = selectors.assessment_version(key, number)
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
        **_deadlines(version),
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


def _deadlines(version: selectors.Version) -> dict[str, Any]:
    scopes = {covered.scope_digest for covered in version.content.covers}
    found = deadlines(
        {
            str(place)
            for policy in history.versions()
            if policy.scope_digest in scopes
            for place in cast("list[str]", policy.content.get("places", []))
        },
        approved_on=_date_of(version, STANDING - {AssessmentState.REVIEW_REQUIRED}),
        review_on=version.content.review_on,
        changed_on=_date_of(version, {AssessmentState.REVIEW_REQUIRED}),
    )
    return asdict(found)


def _date_of(version: selectors.Version, states: Collection[AssessmentState]) -> date | None:
    return next((step.at.date() for step in version.steps if step.state in states), None)


def _names(request: Request, subjects: Iterable[str]) -> dict[str, str]:
    return accounts.names_of(subjects) if visitor(request).role in _SEE_PEOPLE else {}
