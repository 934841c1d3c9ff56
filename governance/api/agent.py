"""What capture agents ask and send: enrolment, sessions, policy, batches, heartbeats.

Serializers stand above their views. Nothing here decides anything: signatures are checked in
device_authentication, batches in governance.capture.intake.
"""

import base64
import binascii
import re
import threading
import time
from dataclasses import dataclass
from typing import IO, Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit import signing
from governance.accounts import selectors as people
from governance.accounts import services as accounts
from governance.api.device_authentication import (
    WITH_BODY,
    DeviceKeyForUpload,
    DeviceKeyOnce,
    DevicePrincipal,
    DeviceSession,
    Headers,
    new_session,
    signed_parts,
    thumbprint,
    verify_ed25519,
)
from governance.api.errors import SignatureInvalidError
from governance.api.permissions import Anyone, IsDevice
from governance.capture import agent_policy, intake, known_policies, selectors
from governance.policies import document

SEALED_BATCH: Final = "application/vnd.remit.sealed-batch.v1"
# Where upload_door leaves the error that it met, for the view to raise.
REFUSAL: Final = "remit.refusal"
_WAIT: Final = re.compile(r"(?:^|[,;\s])wait=(\d{1,3})(?:$|[,;\s])")
_LONGEST_WAIT_SECONDS: Final = 30
# What one web process answers beside its other work, and how often the devices are counted.
_POLLS_A_SECOND: Final = 1000
_COUNT_SECONDS: Final = 60.0
# A waiting poll holds a thread: beyond this many, the answer comes at once (`decisions.md` 39).
_waiters = threading.BoundedSemaphore(2)


class SealedBatchParser(BaseParser):
    """Hands the exact bytes on; only the vault worker can read more than the header."""

    media_type = SEALED_BATCH

    def parse(self, stream: IO[Any], *_: object, **__: object) -> Any:  # noqa: ANN401 - bytes.
        return stream.read()


class VerifyKeySerializer(serializers.Serializer[Any]):
    key_id = serializers.CharField()
    alg = serializers.CharField()
    public = serializers.CharField(help_text="base64")


class EnrolmentRequestSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=64, help_text="The one-time code from the portal.")
    public_key = serializers.CharField(max_length=44, help_text="Ed25519, 32 bytes, base64.")
    label = serializers.CharField(max_length=64)  # type: ignore[assignment]  # A field so named.
    platform = serializers.CharField(max_length=32)

    def validate_public_key(self, value: str) -> bytes:
        try:
            key = base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise serializers.ValidationError("Not base64.") from error
        if len(key) != 32:  # noqa: PLR2004 - RFC 8032 public keys have 32 bytes.
            raise serializers.ValidationError("Not 32 bytes.")
        return key


class EnrolmentSerializer(serializers.Serializer[Any]):
    device_id = serializers.UUIDField()
    origin = serializers.CharField()
    verify_keys = VerifyKeySerializer(many=True)


class EnrolmentsView(APIView):
    """A device proves that it holds its key, and that its person let it in."""

    authentication_classes = ()
    permission_classes = (Anyone,)

    @extend_schema(
        operation_id="agent_enrol",
        request=EnrolmentRequestSerializer,
        responses={201: EnrolmentSerializer},
    )
    def post(self, request: Request) -> Response:
        signed = signed_parts(request, WITH_BODY)
        asked = EnrolmentRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        key: bytes = asked.validated_data["public_key"]
        if signed.key_id != thumbprint(key):
            raise SignatureInvalidError("The signature was made under another key.")
        verify_ed25519(signed, key)
        device = accounts.enrol_device(
            code=asked.validated_data["code"],
            public_key=key,
            label=asked.validated_data["label"],
            platform=asked.validated_data["platform"],
        )
        keys = [
            {"key_id": k.key_id, "alg": k.alg, "public": base64.b64encode(k.public).decode()}
            for k in signing.public_keys("policy")
        ]
        answer = {
            "device_id": device.id,
            "origin": settings.REMIT_EXTERNAL_ORIGIN,
            "verify_keys": keys,
        }
        return Response(EnrolmentSerializer(answer).data, status=201)


class SessionSerializer(serializers.Serializer[Any]):
    session_id = serializers.CharField()
    key = serializers.CharField(help_text="32 bytes, base64; valid until expires_at.")
    expires_at = serializers.DateTimeField()


class SessionsView(APIView):
    """One signed handshake for fifteen minutes of cheap polls."""

    authentication_classes = (DeviceKeyOnce,)
    permission_classes = (IsDevice,)

    @extend_schema(operation_id="agent_session", request=None, responses={201: SessionSerializer})
    def post(self, request: Request) -> Response:
        session_id, key, ends = new_session(_device(request).device_id)
        answer = {
            "session_id": session_id,
            "key": base64.b64encode(key).decode(),
            "expires_at": ends,
        }
        return Response(SessionSerializer(answer).data, status=201)


class PolicyView(APIView):
    """The device's signed policy, 304 while nothing changed, held open when asked to wait."""

    authentication_classes = (DeviceSession,)
    permission_classes = (IsDevice,)

    @extend_schema(
        operation_id="agent_policy",
        parameters=[
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER),
            OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="wait=N, N <= 30"),
        ],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, 304: None},
    )
    def get(self, request: Request) -> HttpResponse:
        device = _device(request)
        known = request.headers.get("If-None-Match", "")
        policy = agent_policy.current(device_id=device.device_id, subject=device.subject)
        wait = wait_seconds(request.headers.get("Prefer", ""))
        is_held = False
        if wait and policy.etag == known and _waiters.acquire(blocking=False):
            is_held = True
            try:
                policy = _wait_for_change(device, known, wait)
            finally:
                _waiters.release()
        headers = dict(poll_headers(policy.etag, asked_to_wait=bool(wait) and not is_held))
        if policy.etag == known:
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(policy.envelope, content_type="application/json", headers=headers)


class BatchReceiptSerializer(serializers.Serializer[Any]):
    batch_id = serializers.UUIDField()
    status_url = serializers.CharField()
    entry = serializers.UUIDField()
    leaf = serializers.CharField(help_text="base64 of the entry's leaf hash")


class CaptureBatchesView(APIView):
    """Sealed batches come in here, unread.

    A session counts its events from 0. It ends with the consent epoch it was begun under: an
    erasure destroys what is known of it, so that an agent that went on counting would seem to miss
    events. Begin another one whenever the policy carries another `consent_epoch`.
    """

    authentication_classes = (DeviceKeyForUpload,)
    permission_classes = (IsDevice,)
    parser_classes = (SealedBatchParser,)

    @extend_schema(
        operation_id="agent_upload",
        request={SEALED_BATCH: OpenApiTypes.BINARY},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description='The batch id as a structured-field string: "0199..."',
            )
        ],
        responses={202: BatchReceiptSerializer},
    )
    def post(self, request: Request) -> HttpResponse:
        device = _device(request)
        if request.content_type != SEALED_BATCH:
            raise UnsupportedMediaType(request.content_type or "")
        receipt, entry = received(device, request.headers, request.body)
        return JsonResponse(receipt, status=202, headers={"Audit-Entry": entry})

    def initial(self, request: Request, *given: object, **named: object) -> None:
        refusal = request.META.pop(REFUSAL, None)
        if refusal is not None:
            raise refusal
        super().initial(request, *given, **named)


def received(device: DevicePrincipal, headers: Headers, wire: bytes) -> tuple[dict[str, str], str]:
    """Take a sealed batch of a device in; return the receipt and the header of its entry."""
    accepted = intake.accept_batch(
        uploader=intake.Uploader(device.device_id, device.subject),
        idempotency_key=headers.get("Idempotency-Key", "").strip('"'),
        wire=wire,
    )
    entry = accepted.batch.entry
    receipt = {
        "batch_id": str(accepted.batch.id),
        "status_url": f"/api/v1/agent/capture-batches/{accepted.batch.id}",
        "entry": str(entry.uuid),
        "leaf": base64.b64encode(bytes(entry.leaf_hash)).decode(),
    }
    return receipt, entry.header


class BatchStatusSerializer(serializers.Serializer[Any]):
    batch_id = serializers.UUIDField()
    state = serializers.ChoiceField(["queued", "done", "refused", "quarantined"])
    accepted = serializers.IntegerField()
    refused = serializers.DictField(child=serializers.IntegerField())
    redacted = serializers.DictField(child=serializers.IntegerField())
    missing = serializers.IntegerField(
        help_text="How many events of this session never came: lost, or refused with their batch."
    )


class CaptureBatchView(APIView):
    """How one batch ended: counts by reason and type, never content."""

    authentication_classes = (DeviceSession,)
    permission_classes = (IsDevice,)

    @extend_schema(operation_id="agent_batch_status", responses=BatchStatusSerializer)
    def get(self, request: Request, batch_id: UUID) -> Response:
        status = selectors.batch_status(batch_id=batch_id, device_id=_device(request).device_id)
        if status is None:
            raise NotFound
        return Response(BatchStatusSerializer(status).data)


class HeartbeatRequestSerializer(serializers.Serializer[Any]):
    policy_epoch = serializers.IntegerField(min_value=0)
    consent_epoch = serializers.IntegerField(min_value=0)
    state = serializers.ChoiceField(["capturing", "paused", "not-allowed", "no-policy"])
    agent_version = serializers.RegexField(r"^[0-9A-Za-z.+-]{1,32}$")


class HeartbeatSerializer(serializers.Serializer[Any]):
    policy_epoch = serializers.IntegerField()
    consent_epoch = serializers.IntegerField()
    server_time = serializers.DateTimeField()


class EvenRenderer(JSONRenderer):
    """JSON of one length: how often somebody decided does not show in how long the answer is."""

    octets: Final = 256

    def render(self, *given: Any, **more: Any) -> bytes:  # noqa: ANN401 - DRF's hook.
        rendered: bytes = super().render(*given, **more)
        return rendered.ljust(self.octets)


class HeartbeatsView(APIView):
    """The device says which epochs it obeys; its person sees that, nobody else.

    Answers are of one length, as the policy's are (R23).
    """

    renderer_classes = (EvenRenderer,)
    authentication_classes = (DeviceSession,)
    permission_classes = (IsDevice,)

    @extend_schema(
        operation_id="agent_heartbeat",
        request=HeartbeatRequestSerializer,
        responses=HeartbeatSerializer,
    )
    def post(self, request: Request) -> Response:
        device = _device(request)
        beat = HeartbeatRequestSerializer(data=request.data)
        beat.is_valid(raise_exception=True)
        policy = agent_policy.current(device_id=device.device_id, subject=device.subject)
        accounts.record_heartbeat(
            device_id=device.device_id,
            policy_epoch=_issued(beat.validated_data["policy_epoch"], policy.policy_epoch),
            consent_epoch=_issued(beat.validated_data["consent_epoch"], policy.consent_epoch),
        )
        answer = {
            "policy_epoch": policy.policy_epoch,
            "consent_epoch": policy.consent_epoch,
            "server_time": timezone.now(),
        }
        return Response(HeartbeatSerializer(answer).data)


def _issued(claimed: int, newest: int) -> int:
    """Return the epoch a device says it obeys; one that nobody issued yet confirms nothing."""
    return claimed if claimed <= newest else 0


def _device(request: Request) -> DevicePrincipal:
    principal = request.user
    if not isinstance(principal, DevicePrincipal):
        raise SignatureInvalidError("The request is not signed by a device.")
    return principal


def has_place() -> bool:
    """Whether one more poll may be held open here."""
    if not _waiters.acquire(blocking=False):
        return False
    _waiters.release()
    return True


def poll_headers(etag: str, *, asked_to_wait: bool) -> list[tuple[str, str]]:
    """Return the headers of a policy's answer; who had to be sent away learns when to come back."""
    headers = [("ETag", etag), ("Cache-Control", "private, no-cache")]
    if asked_to_wait:
        headers.append(("Poll-After", str(_poll_after())))
    return headers


def _poll_after() -> int:
    """Return the seconds after which to ask again: one, and more where very many ask."""
    now = time.monotonic()
    if now >= _crowd.until:
        _crowd.number, _crowd.until = people.enrolled_devices(), now + _COUNT_SECONDS
    asked = -(-_crowd.number // _POLLS_A_SECOND)
    return min(document.POLL_INTERVAL_SECONDS, max(1, asked))


@dataclass(slots=True)
class _Crowd:
    number: int = 0
    until: float = 0.0


_crowd: Final = _Crowd()


def wait_seconds(prefer: str) -> int:
    """Return how long a poll asks to be held open (RFC 7240 `wait`)."""
    match = _WAIT.search(prefer)
    return min(int(match[1]), _LONGEST_WAIT_SECONDS) if match else 0


def _wait_for_change(
    device: DevicePrincipal, known: str, seconds: int
) -> agent_policy.SignedPolicy:
    """Look again until the policy is another one or the time is over."""
    end, name = time.monotonic() + seconds, str(device.device_id)
    while True:
        time.sleep(known_policies.LOOK_SECONDS)
        is_over = time.monotonic() >= end
        if not is_over and known_policies.etag(name) == known:
            continue
        policy = agent_policy.current(device_id=device.device_id, subject=device.subject)
        if policy.etag != known or is_over:
            return policy
