"""What people see of what is stored about them: captures, accesses, releases; and how they end it.

Captures are read through the gate only: each answer is an access the person sees afterwards.
"""

import base64
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.selectors import entries_about
from governance.api.answers import PageQuery, Strict, audited, body_of, query_of, visitor
from governance.api.permissions import ByMatrix
from governance.capture import gate
from governance.capture.gate import FrameFilter
from governance.decisions import InternalPurpose
from governance.policies.categories import Category
from governance.releases import selectors as releases
from governance.rights import accesses, services
from governance.web.doors import Visitor


class CaptureSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    application = serializers.CharField()
    category = serializers.CharField()
    hour = serializers.DateTimeField(
        help_text="Start of the hour; the minute is not kept in clear."
    )
    event_count = serializers.IntegerField()
    policy_version = serializers.CharField()
    retain_until = serializers.DateTimeField()
    purposes = serializers.SerializerMethodField()
    redaction = serializers.DictField(
        help_text="By what it was redacted, what was removed by type, and the run's canaries."
    )

    def get_purposes(self, frame: gate.FrameInfo) -> list[str]:
        return sorted(frame.consent_events)


class CapturesSerializer(serializers.Serializer[Any]):
    captures = CaptureSerializer(many=True)
    next = serializers.UUIDField(allow_null=True, help_text="`before` of the next page.")


class CapturesQuery(PageQuery):
    application = serializers.SlugField(required=False, max_length=64)
    category = serializers.ChoiceField([c.value for c in Category], required=False)
    day = serializers.DateField(required=False)
    before = serializers.UUIDField(required=False)


class CapturesView(APIView):
    """What is stored, newest first, per application, category and day."""

    action_name: ClassVar = {"GET": "capture.list"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="me_captures", parameters=[CapturesQuery], responses=CapturesSerializer
    )
    def get(self, request: Request) -> Response:
        person = visitor(request)
        asked = query_of(request, CapturesQuery)
        found = gate.list_frames(
            actor=person.actor,
            purpose=InternalPurpose.OWN_ACCESS,
            filters=FrameFilter(subject=person.subject, **asked),
            request_id=person.request_id,
        )
        last = found[-1].id if len(found) == asked["limit"] else None
        answer = Response(CapturesSerializer({"captures": found, "next": last}).data)
        return _with_entry(answer, person)


class OpenCaptureSerializer(serializers.Serializer[Any]):
    capture = CaptureSerializer(source="frame")
    events = serializers.ListField(child=serializers.DictField(), help_text="As stored: redacted.")


class CaptureView(APIView):
    """One capture: see it, or end it."""

    action_name: ClassVar = {"GET": "capture.view", "DELETE": "capture.delete"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_capture", responses=OpenCaptureSerializer)
    def get(self, request: Request, capture_id: UUID) -> Response:
        person = visitor(request)
        with gate.open_own(
            actor=person.actor, frame=capture_id, request_id=person.request_id
        ) as record:
            answer = Response(OpenCaptureSerializer(record).data)
        return _with_entry(answer, person)

    @extend_schema(operation_id="me_delete_capture", request=None, responses={204: None})
    def delete(self, request: Request, capture_id: UUID) -> Response:
        person = visitor(request)
        done = services.delete_capture(
            subject=person.subject, frames=[capture_id], actor=person.actor
        )
        return audited(Response(status=204), done.entry)


class MissSerializer(Strict):
    text = serializers.CharField(
        min_length=services.SHORTEST_MISS,
        max_length=services.LONGEST_MISS,
        help_text="What can still be read and should not; sealed at once, never shown again.",
    )


class ReportedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()


class MissView(APIView):
    """Report what redaction missed: everything that holds it is redacted again."""

    action_name: ClassVar = {"POST": "capture.view"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="me_report_miss", request=MissSerializer, responses={202: ReportedSerializer}
    )
    def post(self, request: Request, capture_id: UUID) -> Response:
        person = visitor(request)
        asked = body_of(request, MissSerializer)
        report = services.report_miss(
            subject=person.subject, frame=capture_id, text=asked["text"], actor=person.actor
        )
        return audited(Response(ReportedSerializer(report).data, status=202), report.entry)


class ForgetSerializer(Strict):
    last_minutes = serializers.IntegerField(min_value=1, max_value=services.MOST_MINUTES)


class ForgottenSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField(help_text="Captures that lost something.")


class ForgetView(APIView):
    """Forget the last minutes: stored, queued, and what still arrives of them."""

    action_name: ClassVar = {"POST": "capture.forget"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="me_forget", request=ForgetSerializer, responses=ForgottenSerializer
    )
    def post(self, request: Request) -> Response:
        person = visitor(request)
        asked = body_of(request, ForgetSerializer)
        done = services.forget(
            subject=person.subject, last_minutes=asked["last_minutes"], actor=person.actor
        )
        return audited(Response(ForgottenSerializer({"changed": done.frames}).data), done.entry)


class AccessSerializer(serializers.Serializer[Any]):
    entry = serializers.UUIDField()
    index = serializers.IntegerField(
        allow_null=True, help_text="Place in the log, once it has one."
    )
    proof_url = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    verdict = serializers.ChoiceField(["allow", "deny"])
    purpose = serializers.CharField()
    role = serializers.CharField()
    accessor = serializers.CharField(
        help_text="'you', a part of the service, or a pseudonym that stays the same."
    )
    is_own = serializers.BooleanField()
    act = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)
    cells = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField(allow_null=True)
    release = serializers.CharField(allow_null=True)
    leaf_hash = serializers.CharField(help_text="base64")


class AccessesSerializer(serializers.Serializer[Any]):
    accesses = AccessSerializer(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page.")


class AccessesQuery(PageQuery):
    before = serializers.IntegerField(required=False, min_value=1)


class AccessesView(APIView):
    """Who accessed the person's data, when, for which purpose; allowed or refused."""

    action_name: ClassVar = {"GET": "access.read"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="me_accesses", parameters=[AccessesQuery], responses=AccessesSerializer
    )
    def get(self, request: Request) -> Response:
        asked = query_of(request, AccessesQuery)
        lines = accesses.lines(
            subject=visitor(request).subject, before=asked.get("before"), limit=asked["limit"]
        )
        last = lines[-1].seq if len(lines) == asked["limit"] else None
        return Response(AccessesSerializer({"accesses": lines, "next": last}).data)


class OwnReleaseSerializer(serializers.Serializer[Any]):
    release_id = serializers.UUIDField()
    purpose = serializers.CharField()
    published_at = serializers.DateTimeField()
    cells = serializers.SerializerMethodField(help_text="`application/category` of what it holds.")
    recalled_at = serializers.DateTimeField(allow_null=True)

    def get_cells(self, held: releases.HeldFile) -> list[str]:
        return [f"{application}/{category}" for application, category in held.cells]


class OwnReleasesSerializer(serializers.Serializer[Any]):
    releases = OwnReleaseSerializer(many=True)


class OwnReleasesView(APIView):
    """The releases that hold something of the person. Nobody else may ask this."""

    action_name: ClassVar = {"GET": "access.read"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_releases", responses=OwnReleasesSerializer)
    def get(self, request: Request) -> Response:
        found = releases.held_of(subject=visitor(request).subject)
        return Response(OwnReleasesSerializer({"releases": found}).data)


def _with_entry(answer: Response, person: Visitor) -> Response:
    """Name the entry of a read: the gate noted this request's id in it."""
    if person.request_id is None:
        return answer
    asked = str(person.request_id)
    for entry in entries_about(subject=person.subject, events=accesses.ACCESSES, limit=10):
        if entry.details.get("request") == asked:
            leaf = base64.b64encode(entry.leaf_hash).decode("ascii")
            answer.headers["Audit-Entry"] = f"{entry.uuid}; leaf={leaf}"
    return answer
