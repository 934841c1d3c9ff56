"""What people may ask for: requests, erasure, a copy to take away; and their devices."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.accounts import selectors as accounts
from governance.accounts import services as account_services
from governance.api.answers import Strict, audited, body_of, visitor
from governance.api.people import FORM_DIGEST
from governance.api.permissions import ByMatrix
from governance.capture import selectors as captures
from governance.rights import certificate, exports, selectors, services, takeaway
from governance.rights.errors import ExportNotReadyError
from governance.rights.states import ErasureState, ExportState, Kind, RequestStatus
from governance.web.doors import Visitor


class RequestSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField([kind.value for kind in Kind])
    words = serializers.CharField()
    status = serializers.ChoiceField([status.value for status in RequestStatus])
    received_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="The statutory date (GDPR Art. 12(3)).")
    erasure = serializers.ChoiceField([s.value for s in ErasureState], allow_null=True)
    certificate_url = serializers.SerializerMethodField()

    def get_certificate_url(self, view: selectors.RequestView) -> str | None:
        return f"/api/v1/me/requests/{view.id}/certificate" if view.has_certificate else None


class RequestsSerializer(serializers.Serializer[Any]):
    requests = RequestSerializer(many=True)


class AskSerializer(Strict):
    kind = serializers.ChoiceField([kind.value for kind in Kind])
    words = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, help_text="Never asked for."
    )


class RequestsView(APIView):
    """Requests under Art. 15 to 21. Erasure and portability are done without anybody's help."""

    action_name: ClassVar = {"GET": "rights.read", "POST": "rights.request"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_requests", responses=RequestsSerializer)
    def get(self, request: Request) -> Response:
        found = selectors.own_requests(subject=visitor(request).subject)
        return Response(RequestsSerializer({"requests": found}).data)

    @extend_schema(
        operation_id="me_ask",
        request=AskSerializer,
        responses={201: RequestSerializer},
        description="`erasure` destroys the keys of everything captured at once, for good.",
    )
    def post(self, request: Request) -> Response:
        person = visitor(request)
        asked = body_of(request, AskSerializer)
        request_id, entry = _ask(person, Kind(asked["kind"]), asked.get("words", ""))
        view = selectors.own_request(subject=person.subject, request_id=request_id)
        return audited(Response(RequestSerializer(view).data, status=201), entry)


def _ask(person: Visitor, kind: Kind, words: str) -> tuple[UUID, Any]:
    """Start what was asked; return the request's id and its entry."""
    if kind is Kind.ERASURE:
        order = services.erase_everything(
            subject=person.subject,
            actor=person.actor,
            language=person.language,
            form_digest=FORM_DIGEST,
        )
        if order.request is None:
            raise NotFound
        return order.request.id, order.entry
    if kind is Kind.PORTABILITY:
        export = services.export(subject=person.subject, actor=person.actor)
        return export.request.id, export.entry
    asked = services.request(subject=person.subject, kind=kind, actor=person.actor, words=words)
    return asked.id, asked.entry


class CertificateView(APIView):
    """The signed certificate of a completed erasure."""

    action_name: ClassVar = {"GET": "rights.read"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="me_certificate", responses={(200, "application/json"): OpenApiTypes.OBJECT}
    )
    def get(self, request: Request, request_id: UUID) -> Response:
        subject = visitor(request).subject
        return Response(certificate.envelope_of_request(subject=subject, request_id=request_id))


class ExportStateSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.ChoiceField([ExportState.BUILDING.value, ExportState.READY.value])
    requested_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class ExportView(APIView):
    """The copy to take away: 202 while it is built, then a ZIP for a week."""

    action_name: ClassVar = {"GET": "access.export"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="me_export",
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            202: OpenApiResponse(ExportStateSerializer, "Being built; ask again in a moment."),
        },
        description="The first request orders the copy. The answer is an access like any other.",
    )
    def get(self, request: Request) -> HttpResponse | Response:
        person = visitor(request)
        export = services.export(subject=person.subject, actor=person.actor)
        if export.state != ExportState.READY:
            answer = Response(ExportStateSerializer(export).data, status=202)
            answer.headers["Retry-After"] = "5"
            return audited(answer, export.entry)
        try:
            with exports.open_archive(subject=person.subject, actor=person.actor) as archive:
                return HttpResponse(
                    archive,
                    content_type="application/zip",
                    headers={
                        "Content-Disposition": 'attachment; filename="remit-export.zip"',
                        "Cache-Control": "no-store",
                    },
                )
        except ExportNotReadyError:
            return Response(ExportStateSerializer(export).data, status=202)


class LogKeySerializer(serializers.Serializer[Any]):
    origin = serializers.CharField(help_text="The name of the log.")
    key = serializers.CharField(help_text="base64 of 32 bytes; finds the person's tags.")
    disclosures = serializers.ListField(
        child=serializers.CharField(), help_text="Of all entries before the first that waits."
    )
    entries = serializers.IntegerField(help_text="How many entries these disclosures open.")
    waiting = serializers.IntegerField(help_text="How many have no place in the tree yet.")


class LogKeyView(APIView):
    """The key that finds the person's own entries in the public log, without this service."""

    action_name: ClassVar = {"GET": "access.export"}
    permission_classes = (ByMatrix,)

    @extend_schema(
        operation_id="me_log_key",
        responses=LogKeySerializer,
        description="Whoever holds it can tell which entries are about the person. "
        "Handing it out is an entry. For `remit-verify.pyz mine`.",
    )
    def get(self, request: Request) -> Response:
        person = visitor(request)
        taken = takeaway.take(
            subject=person.subject, actor=person.actor, request_id=person.request_id
        )
        answer = audited(Response(LogKeySerializer(taken).data), taken.entry)
        answer.headers["Cache-Control"] = "no-store"
        return answer


class DeviceSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    label = serializers.CharField()  # type: ignore[assignment]  # A field, not the widget's label.
    platform = serializers.CharField()
    enrolled_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_seen = serializers.DateTimeField(allow_null=True, help_text="To the hour.")
    missing_events = serializers.SerializerMethodField(
        help_text="How many of its events never came: lost, or refused with their batch."
    )

    def get_missing_events(self, device: Any) -> int:  # noqa: ANN401 - a row of accounts.
        return int(self.context["missing"].get(device.id, 0))


class DevicesSerializer(serializers.Serializer[Any]):
    devices = DeviceSerializer(many=True)


class EnrolmentCodeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Shown once, good for one device and ten minutes.")
    valid_minutes = serializers.IntegerField()


class DevicesView(APIView):
    """The person's computers, and a code to let one more in."""

    action_name: ClassVar = {"GET": "device.list", "POST": "device.enrol"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_devices", responses=DevicesSerializer)
    def get(self, request: Request) -> Response:
        subject = visitor(request).subject
        context = {"missing": captures.missing_events(subject=subject)}
        found = {"devices": accounts.devices_of(subject)}
        return Response(DevicesSerializer(found, context=context).data)

    @extend_schema(
        operation_id="me_enrol_device", request=None, responses={201: EnrolmentCodeSerializer}
    )
    def post(self, request: Request) -> Response:
        code = account_services.make_enrolment_code(subject=visitor(request).subject)
        answer = {"code": code, "valid_minutes": account_services.CODE_MINUTES}
        response = Response(EnrolmentCodeSerializer(answer).data, status=201)
        response.headers["Cache-Control"] = "no-store"
        return response


class DeviceView(APIView):
    """One of the person's computers: end it."""

    action_name: ClassVar = {"DELETE": "device.revoke"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="me_revoke_device", request=None, responses={204: None})
    def delete(self, request: Request, device_id: UUID) -> Response:
        person = visitor(request)
        device = account_services.revoke_device(
            device_id=device_id, actor=person.actor, owner=person.subject
        )
        answer = Response(status=204)
        entry = device.revoked_entry
        return answer if entry is None else audited(answer, entry)
