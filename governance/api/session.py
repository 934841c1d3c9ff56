"""Signing in and out for scripts; the portal's pages have their own door to the same session."""

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.accounts import selectors, sign_in
from governance.accounts.errors import TooManyAttemptsError
from governance.accounts.roles import PERSON_ROLES, Role
from governance.api.answers import Strict, body_of, query_of, visitor
from governance.api.authentication import PersonSession, check_origin
from governance.api.errors import (
    ConfirmationRefusedError,
    SecondFactorRequiredError,
    SignInRefusedError,
)
from governance.api.permissions import ByMatrix
from governance.web import confirming, freshness, second_factor, sessions, source, ways_in


class CredentialsSerializer(Strict):
    username = serializers.CharField(max_length=64)
    password = serializers.CharField(max_length=256, trim_whitespace=False)
    code = serializers.CharField(
        max_length=16,
        required=False,
        help_text="Of the authenticator app, or a recovery code; where the account asks for one.",
    )
    role = serializers.ChoiceField(
        [role.value for role in PERSON_ROLES],
        required=False,
        help_text="One the person holds; without it, their office if they have one.",
    )


class PersonSessionSerializer(serializers.Serializer[Any]):
    csrf = serializers.CharField(help_text="Send it as X-CSRFToken with what changes something.")
    role = serializers.CharField(help_text="The active role; one a session.")
    roles = serializers.ListField(child=serializers.CharField())


class SessionView(APIView):
    """A session by user name and password, and its end."""

    action_name: ClassVar = {"POST": "session.start", "DELETE": "session.end"}
    permission_classes = (ByMatrix,)

    def get_authenticators(self) -> list[Any]:
        # Who signs in may carry a stale cookie; it is neither asked for nor believed.
        request = getattr(self, "request", None)  # None while the schema is written.
        return [] if getattr(request, "method", None) == "POST" else [PersonSession()]

    @extend_schema(
        operation_id="session_start",
        request=CredentialsSerializer,
        responses={201: PersonSessionSerializer},
    )
    def post(self, request: Request) -> Response:
        if not settings.REMIT_PASSWORD_LOGIN:
            raise NotFound
        check_origin(request)
        asked = body_of(request, CredentialsSerializer)
        subject, way = _verified(request, asked)
        plain = request._request  # noqa: SLF001 - Django's session functions want it.
        wished = Role(asked["role"]) if "role" in asked else None
        role = sessions.begin(plain, subject=subject, role=wished, way=way)
        answer = {
            "csrf": get_token(plain),
            "role": role.value,
            "roles": [held.value for held in selectors.roles_of(subject=subject)],
        }
        return _with_entry(request, Response(PersonSessionSerializer(answer).data, status=201))

    @extend_schema(operation_id="session_end", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        visitor(request)
        sessions.leave(request._request)  # noqa: SLF001 - as above.
        return Response(status=204)


class ConfirmationSerializer(Strict):
    password = serializers.CharField(max_length=256, trim_whitespace=False, required=False)
    code = serializers.CharField(max_length=16, required=False)
    credential = serializers.CharField(
        max_length=20_000, required=False, help_text="The passkey's answer, as JSON in a string."
    )


class ChallengeSerializer(serializers.Serializer[Any]):
    passkey = serializers.DictField(
        allow_null=True, help_text="What `navigator.credentials.get` is asked; null without one."
    )


class ConfirmationView(APIView):
    """Shows once more that it is the person of the session, before a yes and an approval."""

    action_name: ClassVar = {"GET": "account.secure", "POST": "account.secure"}
    permission_classes = (ByMatrix,)

    @extend_schema(operation_id="session_challenge", responses=ChallengeSerializer)
    def get(self, request: Request) -> Response:
        query_of(request, Strict)
        person = selectors.person_by_subject(visitor(request).subject)
        options = confirming.challenge(request._request, person) if person else None  # noqa: SLF001 - as above.
        return Response(ChallengeSerializer({"passkey": options}).data)

    @extend_schema(
        operation_id="session_confirm", request=ConfirmationSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        who = visitor(request)
        asked = body_of(request, ConfirmationSerializer)
        person = selectors.person_by_subject(who.subject)
        plain = request._request  # noqa: SLF001 - as above.
        try:
            way = confirming.prove(plain, person, asked) if person else ""
        except TooManyAttemptsError:
            ways_in.refuse(plain)
            raise
        if not way:
            ways_in.refuse(plain)
            raise ConfirmationRefusedError
        freshness.confirm(plain, who, way=way)
        return _with_entry(request, Response(status=204))


def _verified(request: Request, asked: dict[str, str]) -> tuple[str, str]:
    """Return the subject key of who signs in, and by what; each refusal is an entry."""
    plain = request._request  # noqa: SLF001 - as above.
    try:
        return _check(plain, asked)
    except (TooManyAttemptsError, SignInRefusedError, SecondFactorRequiredError):
        ways_in.refuse(plain)
        raise


def _check(plain: HttpRequest, asked: dict[str, str]) -> tuple[str, str]:
    username = asked["username"]
    origin = source.source_of(plain, username=username)
    person = sign_in.verify(username=username, password=asked["password"], source=origin)
    if person is None:
        raise SignInRefusedError("User name and password do not belong together.")
    if not second_factor.is_asked_of(person):
        return person.subject_key, "password"
    if not second_factor.check_code(person=person, code=asked.get("code", ""), origin=origin):
        raise SecondFactorRequiredError
    return person.subject_key, "code"


def _with_entry(request: Request, response: Response) -> Response:
    if header := request.META.get("remit.entry"):
        response.headers["Audit-Entry"] = header
    return response
