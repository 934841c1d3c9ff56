"""Capture policies over HTTP: draft, submit, decide with four eyes, activate, suspend.

A step names its version by `number`; without it, the newest one is meant. Who wrote or approved a
version is told to the two offices that must differ, to nobody else (decisions 35).
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

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
from governance.policies import content as policy_content
from governance.policies import dry_run, history, services, suspending
from governance.policies.states import PolicyState

_SEE_PEOPLE: Final = frozenset({Role.PRIVACY_OFFICER, Role.POLICY_APPROVER})
STATES: Final = [state.value for state in PolicyState]


class StepSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(STATES)
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True, help_text="A name, for the two offices only.")
    entry = serializers.UUIDField()


class VersionSerializer(serializers.Serializer[Any]):
    application = serializers.CharField()
    number = serializers.IntegerField()
    reference = serializers.CharField(help_text="application@number")
    state = serializers.ChoiceField(STATES)
    content = serializers.JSONField()
    content_digest = serializers.CharField(help_text="SHA-256 of the canonical content, hex")
    scope_digest = serializers.CharField()
    drafted_at = serializers.DateTimeField()
    steps = StepSerializer(many=True)


class VersionListSerializer(serializers.Serializer[Any]):
    versions = VersionSerializer(many=True)


class VersionQuery(PageQuery):
    application = serializers.RegexField(KEY, max_length=64, required=False)
    state = serializers.ChoiceField(STATES, required=False)


class BudgetsSerializer(serializers.Serializer[Any]):
    """What a person's machine and network may be asked for; refused where it is absurd."""

    megabytes_per_day = serializers.IntegerField(min_value=1, max_value=1024, default=200)
    screens_per_minute = serializers.IntegerField(min_value=0, max_value=12, default=6)
    cpu_percent = serializers.IntegerField(
        min_value=1, max_value=10, default=5, help_text="Of one core."
    )
    on_battery = serializers.BooleanField(default=True)
    on_metered = serializers.ChoiceField(
        ["never", "if-allowed"],
        default="if-allowed",
        help_text="Over a metered network nothing is sent, unless its person allowed it.",
    )
    offline_hours = serializers.IntegerField(
        min_value=0,
        max_value=24,
        default=0,
        help_text="How long a device that cannot reach the service may go on.",
    )


class ContentSerializer(serializers.Serializer[Any]):
    """The content of a policy; its own closed schema checks it, with pointers."""

    application = serializers.CharField()
    kind = serializers.ChoiceField(["web", "desktop"])
    purposes = serializers.ListField(child=serializers.CharField())
    categories = serializers.ListField(child=serializers.CharField())
    matchers = serializers.ListField(
        child=serializers.DictField(),
        help_text=(
            "`{kind, pattern, id}`. A web application by `origin`; a desktop one by `process`, "
            "`window-title` (`*` stands for anything) and `identity` (`sha256:` of its file, "
            "`authenticode:` of its signer, `apple:TEAM/bundle`). Of each kind one must match."
        ),
    )
    titles = serializers.ListField(child=serializers.DictField(), required=False)
    urls = serializers.ListField(child=serializers.DictField(), required=False)
    fields = serializers.ListField(child=serializers.DictField(), required=False)  # type: ignore[assignment]  # A field of that name is part of the format.
    masks = serializers.ListField(child=serializers.DictField(), required=False)
    labels = serializers.ListField(child=serializers.CharField(), required=False)
    rules = serializers.DictField(required=False)
    places = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Where the people work who may be captured (ISO 3166); without one, nobody.",
    )
    participants = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Domains, or countries (ISO 3166), of mail addresses that may be shown; with a "
        "list, what shows any other is not kept.",
    )
    budgets = BudgetsSerializer(required=False)


class CapturePoliciesView(APIView):
    """Every version of every policy, and drafting."""

    action_name: ClassVar = {"GET": "policy.read", "POST": "policy.draft"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="capture_policies_list",
        parameters=[VersionQuery],
        responses=VersionListSerializer,
    )
    def get(self, request: Request) -> Response:
        asked = query_of(request, VersionQuery)
        found = [
            version
            for version in history.versions(asked.get("application"))
            if asked.get("state") in {None, version.state}
        ]
        return _list(request, found[: asked["limit"]])

    @extend_schema(
        operation_id="capture_policies_draft",
        request=ContentSerializer,
        responses={201: VersionSerializer},
    )
    def post(self, request: Request) -> Response:
        return _draft(request)


class VersionsView(APIView):
    """The versions of one application's policy."""

    action_name: ClassVar = {"GET": "policy.read", "POST": "policy.draft"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="capture_policy_versions",
        parameters=[PageQuery],
        responses=VersionListSerializer,
    )
    def get(self, request: Request, application: str) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        found = history.versions(application)
        if not found:
            raise NotFound
        return _list(request, found[:limit])

    @extend_schema(
        operation_id="capture_policy_draft",
        request=ContentSerializer,
        responses={201: VersionSerializer},
    )
    def post(self, request: Request, application: str) -> Response:
        return _draft(request, application)


class VersionView(APIView):
    """One version."""

    action_name = "policy.read"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="capture_policy_version", responses=VersionSerializer)
    def get(self, request: Request, application: str, number: int) -> Response:
        return Response(VersionSerializer(_shown(request, _version(application, number))).data)


class StepBody(Strict):
    number = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)


class SuspendBody(StepBody):
    reason = serializers.CharField(max_length=500)


class AnswerBody(StepBody):
    content_digest = serializers.RegexField(
        r"^[0-9a-f]{64}$", help_text="The digest of the content that was read."
    )
    approve = serializers.BooleanField(default=True)
    reason = serializers.CharField(max_length=500, required=False, help_text="For a refusal.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["approve"] and not attrs.get("reason"):
            raise serializers.ValidationError({"reason": ["A refusal says why."]})
        return attrs


class SubmitView(APIView):
    """Hand a draft to the second person."""

    action_name = "policy.submit"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="capture_policy_submit", request=StepBody, responses=VersionSerializer
    )
    def post(self, request: Request, application: str) -> Response:
        return _step(request, application, body_of(request, StepBody), services.submit)


class ApprovalsView(APIView):
    """Agree to exactly the bytes that were read, or refuse them; never as their author."""

    action_name = "policy.approve"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="capture_policy_answer",
        request=AnswerBody,
        responses={201: VersionSerializer},
    )
    def post(self, request: Request, application: str) -> Response:
        asked = body_of(request, AnswerBody)
        is_approved = asked.pop("approve")
        if is_approved:
            asked.pop("reason", None)
        verb = services.approve if is_approved else services.reject
        return _step(request, application, asked, verb, status=201)


class ActivateView(APIView):
    """Put an approved version in force, when every guard holds."""

    action_name = "policy.activate"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="capture_policy_activate", request=StepBody, responses=VersionSerializer
    )
    def post(self, request: Request, application: str) -> Response:
        return _step(request, application, body_of(request, StepBody), services.activate)


class SuspendView(APIView):
    """Stop capture under a version at once."""

    action_name = "policy.suspend"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="capture_policy_suspend", request=SuspendBody, responses=VersionSerializer
    )
    def post(self, request: Request, application: str) -> Response:
        return _step(request, application, body_of(request, SuspendBody), suspending.suspend)


class ResumeView(APIView):
    """Want a suspended version back; the second person who does brings it back in force."""

    action_name = "policy.resume"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="capture_policy_resume", request=StepBody, responses=VersionSerializer
    )
    def post(self, request: Request, application: str) -> Response:
        return _step(request, application, body_of(request, StepBody), suspending.resume)


class DryRunBody(Strict):
    recording = serializers.CharField(
        max_length=80, required=False, help_text="The name of a recording that comes with us."
    )
    sample = serializers.DictField(
        required=False,
        help_text=(
            "A recording of one's own: `{schema: sample/1, name, source, seen: [...]}`. Each of "
            "`seen` counts equal things by place (`kind` and `value`; besides `process`, `title`, "
            "`identity[]`, `url`), `category`, `field`, `role` and `count`. What is not known of a "
            "place is no match, as for an agent."
        ),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if set(attrs) == {"recording", "sample"}:
            raise serializers.ValidationError("Name a recording or send one.")
        return attrs


class OutcomeSerializer(serializers.Serializer[Any]):
    sample = serializers.CharField()
    total = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="How much would have been captured.")
    captured = serializers.DictField(child=serializers.IntegerField(), help_text="by category")
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="by reason")
    pages = serializers.DictField(
        child=serializers.IntegerField(), help_text="by the name the policy gives to a page"
    )


class OutcomeListSerializer(serializers.Serializer[Any]):
    outcomes = OutcomeSerializer(many=True)


class DryRunsView(APIView):
    """What a version would have captured of recordings; nothing is captured or stored."""

    action_name = "policy.try"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="capture_policy_dry_run", request=DryRunBody, responses=OutcomeListSerializer
    )
    def post(self, request: Request, application: str, number: int) -> Response:
        asked = body_of(request, DryRunBody)
        content = policy_content.parse(dict(_version(application, number).content))
        recordings = None
        if "recording" in asked:
            recordings = [dry_run.sample(asked["recording"])]
        elif "sample" in asked:
            recordings = [dry_run.parse(asked["sample"])]
        found = dry_run.run_all(content, recordings)
        return Response(OutcomeListSerializer({"outcomes": found}).data)


def _draft(request: Request, application: str | None = None) -> Response:
    content = request.data
    if not isinstance(content, Mapping):
        raise serializers.ValidationError("A policy's content is an object.")
    if application is not None and content.get("application") != application:
        raise serializers.ValidationError({"application": ["This is another application."]})
    made = services.draft_policy(content=content, actor=visitor(request).actor)
    return _answer(request, made.policy_id, made.number, status=201)


def _step(
    request: Request,
    application: str,
    asked: dict[str, Any],
    verb: Callable[..., object],
    *,
    status: int = 200,
) -> Response:
    if "number" not in asked:
        newest = history.versions(application)
        if not newest:
            raise NotFound
        asked["number"] = newest[0].number
    verb(application=application, actor=visitor(request).actor, **asked)
    return _answer(request, application, asked["number"], status=status)


def _answer(request: Request, application: str, number: int, *, status: int) -> Response:
    """Answer with the version as it stands now, and the entry of its latest step."""
    version = _version(application, number)
    shown = VersionSerializer(_shown(request, version)).data
    return audited(Response(shown, status=status), version.steps[-1])


def _version(application: str, number: int) -> history.Version:
    found = history.version(application, number)
    if found is None:
        raise NotFound
    return found


def _list(request: Request, versions: list[history.Version]) -> Response:
    shown = [_shown(request, version) for version in versions]
    return Response(VersionListSerializer({"versions": shown}).data)


def _shown(request: Request, version: history.Version) -> dict[str, Any]:
    names: dict[str, str] = {}
    if visitor(request).role in _SEE_PEOPLE:
        names = accounts.names_of(step.actor for step in version.steps)
    return {
        "application": version.application,
        "number": version.number,
        "reference": version.reference,
        "state": version.state,
        "content": version.content,
        "content_digest": version.content_digest,
        "scope_digest": version.scope_digest,
        "drafted_at": version.drafted_at,
        "steps": [
            {
                "state": step.state,
                "at": step.at,
                "by": names.get(step.actor),
                "entry": step.entry,
            }
            for step in version.steps
        ],
    }
