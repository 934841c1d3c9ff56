"""What training teams ask for and fetch: requests, releases, manifests, files, recalls.

Nothing here decides: who may knock stands in the matrix, the rest in governance.releases and in the
gate. A file leaves only for a purpose the caller states.
"""

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.officers import KEY
from governance.api.permissions import ByMatrix
from governance.policies.categories import Category
from governance.releases import selectors, services
from governance.releases.states import ReleaseState, RequestState

if TYPE_CHECKING:
    from governance.releases.models import AccessRequest

_CATEGORIES = [category.value for category in Category]


class ApprovalSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    at = serializers.DateTimeField()


class AccessRequestSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    purpose = serializers.CharField()
    applications = serializers.ListField(child=serializers.CharField())
    categories = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()
    state = serializers.ChoiceField([state.value for state in RequestState])
    note = serializers.CharField(help_text="Why it was rejected, if it was.")
    requested_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="The end of the permission, once given.")
    approvals = ApprovalSerializer(many=True)
    release_id = serializers.UUIDField(allow_null=True)


class AccessRequestsSerializer(serializers.Serializer[Any]):
    access_requests = AccessRequestSerializer(many=True)


class NewAccessRequestSerializer(Strict):
    purpose = serializers.CharField(max_length=64)
    applications = serializers.ListField(
        child=serializers.RegexField(KEY, max_length=64), min_length=1, max_length=50
    )
    categories = serializers.ListField(
        child=serializers.ChoiceField(_CATEGORIES), min_length=1, max_length=9
    )
    reason = serializers.CharField(max_length=2000)


class NothingSerializer(Strict):
    """An empty body: the address says it all."""


class RejectionSerializer(Strict):
    reason = serializers.CharField(max_length=2000)


class AccessRequestsView(APIView):
    """The requests one may see, and asking."""

    action_name: ClassVar = {"GET": "request.read", "POST": "request.create"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="access_requests_list",
        parameters=[PageQuery],
        responses=AccessRequestsSerializer,
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        found = selectors.requests(reader=visitor(request).actor)[:limit]
        return Response(AccessRequestsSerializer({"access_requests": found}).data)

    @extend_schema(
        operation_id="access_requests_create",
        request=NewAccessRequestSerializer,
        responses={201: AccessRequestSerializer},
    )
    def post(self, request: Request) -> Response:
        person = visitor(request)
        wish = services.Wish(**body_of(request, NewAccessRequestSerializer))
        asked = services.request_access(wish=wish, actor=person.actor)
        shown = selectors.request(request_id=asked.id, reader=person.actor)
        return audited(Response(AccessRequestSerializer(shown).data, status=201), asked.entry)


class AccessRequestView(APIView):
    """One request."""

    action_name = "request.read"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="access_request", responses=AccessRequestSerializer)
    def get(self, request: Request, request_id: UUID) -> Response:
        shown = selectors.request(request_id=request_id, reader=visitor(request).actor)
        return Response(AccessRequestSerializer(shown).data)


class ApprovalsView(APIView):
    """Say yes: the privacy officer first, then the policy approver, never who asked."""

    action_name = "request.approve"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="access_request_approve",
        request=NothingSerializer,
        responses={201: AccessRequestSerializer},
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        body_of(request, NothingSerializer)
        person = visitor(request)
        decided = services.approve(request_id=request_id, actor=person.actor)
        return _decided(request, decided, status=201)


class RejectView(APIView):
    """Say no, and why."""

    action_name = "request.reject"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="access_request_reject",
        request=RejectionSerializer,
        responses=AccessRequestSerializer,
    )
    def post(self, request: Request, request_id: UUID) -> Response:
        reason = body_of(request, RejectionSerializer)["reason"]
        decided = services.reject(
            request_id=request_id, actor=visitor(request).actor, reason=reason
        )
        return _decided(request, decided, status=200)


class ReleaseSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    request_id = serializers.UUIDField()
    purpose = serializers.CharField()
    applications = serializers.ListField(child=serializers.CharField())
    categories = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField([state.value for state in ReleaseState])
    ordered_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    contributors_at_least = serializers.IntegerField(help_text="0 until published.")
    recalls = serializers.IntegerField()
    manifest_sha256 = serializers.CharField(help_text="SHA-256 of the manifest's body, hex.")


class ReleasesSerializer(serializers.Serializer[Any]):
    releases = ReleaseSerializer(many=True)


class ReleasesView(APIView):
    """The releases one may see."""

    action_name = "release.read"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="releases_list", parameters=[PageQuery], responses=ReleasesSerializer
    )
    def get(self, request: Request) -> Response:
        limit = query_of(request, PageQuery)["limit"]
        found = selectors.releases(reader=visitor(request).actor)[:limit]
        return Response(ReleasesSerializer({"releases": found}).data)


class ReleaseView(APIView):
    """One release."""

    action_name = "release.read"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="release", responses=ReleaseSerializer)
    def get(self, request: Request, release_id: UUID) -> Response:
        shown = selectors.release(release_id=release_id, reader=visitor(request).actor)
        return Response(ReleaseSerializer(shown).data)


class SignatureSerializer(serializers.Serializer[Any]):
    keyid = serializers.CharField()
    sig = serializers.CharField(help_text="base64")


class EnvelopeSerializer(serializers.Serializer[Any]):
    """A DSSE envelope."""

    payloadType = serializers.CharField()  # noqa: N815 - DSSE's own name.
    payload = serializers.CharField(help_text="base64")
    signatures = SignatureSerializer(many=True)


class ManifestView(APIView):
    """The signed manifest: what is in the release, from whose yes, by which redaction."""

    action_name = "release.manifest"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="release_manifest", responses=EnvelopeSerializer)
    def get(self, request: Request, release_id: UUID) -> Response:
        envelope = selectors.manifest(release_id=release_id, reader=visitor(request).actor)
        return Response(EnvelopeSerializer(envelope).data)


class RecallsSerializer(serializers.Serializer[Any]):
    recalls = EnvelopeSerializer(many=True)


class RecallsView(APIView):
    """The signed recall lists, newest first; told once a day, the first names every file so far."""

    action_name = "release.recalls"
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="release_recalls", responses=RecallsSerializer)
    def get(self, request: Request, release_id: UUID) -> Response:
        found = selectors.recalls(release_id=release_id, reader=visitor(request).actor)
        return Response(RecallsSerializer({"recalls": found}).data)


class FileQuery(Strict):
    purpose = serializers.CharField(max_length=64, help_text="What it is fetched for.")


class FileView(APIView):
    """One contributor's file, through the gate."""

    action_name = "release.download"
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="release_file",
        parameters=[FileQuery],
        responses={(200, "application/jsonl"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, release_id: UUID, name: str) -> HttpResponse:
        purpose = query_of(request, FileQuery)["purpose"]
        person = visitor(request)
        with services.open_file(
            release_id=release_id,
            name=name,
            purpose=purpose,
            actor=person.actor,
            request_id=person.request_id,
        ) as opened:
            answer = HttpResponse(opened.plaintext, content_type=opened.media_type)
        answer.headers["Content-Disposition"] = f'attachment; filename="{opened.name}"'
        answer.headers["Cache-Control"] = "private, no-store"
        answer.headers["Audit-Entry"] = opened.entry_header
        return answer


def _decided(request: Request, decided: "AccessRequest", *, status: int) -> Response:
    shown = selectors.request(request_id=decided.id, reader=visitor(request).actor)
    latest = decided.steps.order_by("-number")[0]
    return audited(Response(AccessRequestSerializer(shown).data, status=status), latest.entry)
