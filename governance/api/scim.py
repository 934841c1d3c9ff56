"""SCIM 2.0 (RFC 7643, 7644): the personnel directory says who works here, and who no longer does.

Promises: a token of its own, kept as a keyed hash, opens this door and no other; an `active` that
turns false ends the employment in the same request, however it is written; nothing here says what
anybody chose. Errors have SCIM's own shape. There are no groups: roles are given here, by people.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.http import Http404
from drf_spectacular.utils import extend_schema
from pydantic import ValidationError
from rest_framework import exceptions as drf
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from scim2_models import (
    Context,
    Error,
    PatchOp,
    SCIMException,
    SearchRequest,
)

from governance.accounts import directory
from governance.accounts.errors import (
    ManagerError,
    RevisionError,
    UnknownPersonError,
    UsernameTakenError,
)
from governance.api import parsers, scim_search
from governance.api.authentication import PersonSession
from governance.api.errors import BodyTooLargeError
from governance.api.permissions import ByMatrix
from governance.api.scim_person import (
    MANAGER_PATH,
    READING,
    Member,
    described,
    location,
    too_long,
    version,
    written,
)
from governance.rights import employment

if TYPE_CHECKING:
    from governance.accounts.models import Person

MOST_OPERATIONS: Final = 50
MOST_FILTER: Final = 1000
_PARTS: Final = ("attributes", "excludedAttributes")
_NAMES: Final = ("filter", "sortBy", "sortOrder", "startIndex", "count", *_PARTS)
MEDIA_TYPE: Final = "application/scim+json"


class Directory:
    """The caller that showed a token of the personnel directory."""

    is_authenticated = True


class DirectoryToken(BaseAuthentication):
    """`Authorization: Bearer`, and nothing in the address or a cookie."""

    def authenticate(self, request: Request) -> tuple[Directory, None] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        try:
            known = directory.is_token(token.decode("ascii"))
        except UnicodeDecodeError:
            known = False
        if not known:
            raise drf.AuthenticationFailed("The token is not known here.")
        return Directory(), None

    def authenticate_header(self, request: Request) -> str:
        del request
        return 'Bearer realm="scim"'


class IsDirectory(BasePermission):
    """The directory; a person's session is refused, and that is an entry."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller: object = request.user
        if isinstance(caller, Directory):
            return True
        return ByMatrix().has_permission(request, view)


class ScimParser(BaseParser):
    """The house's strict JSON under SCIM's media type."""

    media_type = "application/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:  # noqa: ANN401 - DRF's hook.
        del media_type, parser_context
        body = parsers.parse(stream.read(parsers.MOST_BYTES + 1))
        if not isinstance(body, dict):
            raise drf.ParseError("The body is no JSON object.")
        return body


class ScimRenderer(JSONRenderer):
    """JSON, named as SCIM names it."""

    media_type = MEDIA_TYPE


class ScimView(APIView):
    """What all doors of the directory share: who may knock, and how a refusal reads."""

    action_name: ClassVar = "directory.provision"
    authentication_classes = (DirectoryToken, PersonSession)
    permission_classes = (IsDirectory,)
    parser_classes = (ScimParser,)
    renderer_classes = (ScimRenderer, JSONRenderer)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer in the shape of RFC 7644 §3.12; what is not known here goes the usual way."""
        if (error := _as_error(exc)) is None:
            return super().handle_exception(exc)
        answer = Response(error.model_dump(), status=error.status)
        if isinstance(exc, drf.AuthenticationFailed | drf.NotAuthenticated):
            answer.headers["WWW-Authenticate"] = self.get_authenticate_header(self.request) or ""
        return answer


def _as_error(exc: Exception) -> Error | None:
    if isinstance(exc, ValidationError):
        return Error.from_validation_errors(exc)[0]
    if isinstance(exc, SCIMException):
        return exc.to_error()
    if isinstance(exc, drf.APIException):
        kind = "invalidSyntax" if isinstance(exc, drf.ParseError) else None
        return Error(status=exc.status_code, scim_type=kind, detail=str(exc.detail))
    for family, status, kind in _OURS:
        if isinstance(exc, family):
            return Error(status=status, scim_type=kind, detail=str(exc) or "There is no such.")
    return None


_OURS: Final[tuple[tuple[type[Exception], int, str | None], ...]] = (
    (UnknownPersonError, 404, None),
    (Http404, 404, None),
    (UsernameTakenError, 409, "uniqueness"),
    (ManagerError, 400, "invalidValue"),
    (RevisionError, 412, None),
    (BodyTooLargeError, 413, None),
)


def _refuse(kind: str, detail: str) -> SCIMException:
    return SCIMException.from_error(Error(status=400, scim_type=kind, detail=detail))


def _shown(person: "Person", request: Request, *, context: Context, status: int = 200) -> Response:
    body = written(person).model_dump(
        scim_ctx=context, response_parameters=_query(request, *_PARTS)
    )
    answer = Response(body, status=status)
    answer.headers["ETag"] = version(person)
    answer.headers["Location"] = location(person.pk)
    return answer


def _revision(request: Request) -> int | None:
    """Return the revision that If-Match names; None without one. RevisionError for another's."""
    tag = request.headers.get("If-Match", "").strip()
    if tag in {"", "*"}:
        return None
    digits = tag.removeprefix("W/").strip('"')
    if not digits.isascii() or not digits.isdigit():
        raise RevisionError("Somebody changed this person in the meantime.")
    return int(digits[:9])


def _checked(resource: Any) -> Any:  # noqa: ANN401 - the library composes the class.
    if name := too_long(resource):
        raise _refuse("invalidValue", f"{name} is missing or too long.")
    return resource


@extend_schema(exclude=True)
class UsersView(ScimView):
    """All people of the directory, and a new one."""

    def get(self, request: Request) -> Response:
        return _found(_query(request, *_NAMES))

    def post(self, request: Request) -> Response:
        sent = Member.model_validate(
            request.data, scim_ctx=Context.RESOURCE_CREATION_REQUEST, scim_policy=READING
        )
        person = directory.add(described(_checked(sent)))
        if sent.active is False:
            person = employment.end(number=person.pk)
        return _shown(person, request, context=Context.RESOURCE_CREATION_RESPONSE, status=201)


def _query(request: Request, *names: str) -> SearchRequest[Member]:
    """Read what an address asks for, checked by the library."""
    asked = {name: request.query_params[name] for name in names if name in request.query_params}
    return _asked(asked)


def _asked(sent: Any) -> SearchRequest[Member]:  # noqa: ANN401 - the library checks it.
    if isinstance(sent, dict) and len(str(sent.get("filter", ""))) > MOST_FILTER:
        raise _refuse("invalidFilter", f"A filter has at most {MOST_FILTER} characters.")
    return SearchRequest[Member].model_validate(sent, scim_policy=READING)


def _found(asked: SearchRequest[Member]) -> Response:
    answer = scim_search.found(asked).model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=asked
    )
    return Response(answer)


@extend_schema(exclude=True)
class SearchView(ScimView):
    """The same search, asked in a body, so that names stand in no address."""

    def post(self, request: Request) -> Response:
        return _found(_asked(request.data))


@extend_schema(exclude=True)
class UserView(ScimView):
    """One person: read, replace, change in part, remove."""

    def get(self, request: Request, number: int) -> Response:
        person = directory.person(number)
        if request.headers.get("If-None-Match") == version(person):
            return Response(status=304, headers={"ETag": version(person)})
        return _shown(person, request, context=Context.RESOURCE_QUERY_RESPONSE)

    def put(self, request: Request, number: int) -> Response:
        sent = Member.model_validate(
            request.data, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST, scim_policy=READING
        )
        person = _apply(number, _checked(sent), _revision(request))
        return _shown(person, request, context=Context.RESOURCE_REPLACEMENT_RESPONSE)

    def patch(self, request: Request, number: int) -> Response:
        sent = _patch(request.data)
        held = directory.person(number)
        now = written(held)
        sent.patch(now, scim_policy=READING)
        if now.active is None:
            raise _refuse("invalidValue", "Say whether the person is active: true or false.")
        # What was read is what is changed: an older copy would bring somebody back who has left.
        revision = _revision(request)
        person = _apply(number, _checked(now), held.revision if revision is None else revision)
        return _shown(person, request, context=Context.RESOURCE_PATCH_RESPONSE)

    def delete(self, request: Request, number: int) -> Response:
        employment.end(number=number, remove=True, revision=_revision(request))
        return Response(status=204)


def _patch(body: Any) -> Any:  # noqa: ANN401 - as above.
    """Read a change in part, and the one short form that is no SCIM: a manager as a bare id."""
    operations = body.get("Operations")
    if isinstance(operations, list):
        if len(operations) > MOST_OPERATIONS:
            raise _refuse("tooMany", f"A PATCH has at most {MOST_OPERATIONS} operations.")
        for one in operations:
            is_bare = isinstance(one, dict) and isinstance(one.get("value"), str)
            if is_bare and str(one.get("path", "")).lower() == MANAGER_PATH.lower():
                one["value"] = {"value": one["value"]}
    return PatchOp[Member].model_validate(
        body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=READING
    )


def _apply(number: int, wanted: Any, revision: int | None) -> "Person":  # noqa: ANN401 - as above.
    """Let a person be as written; who is not active any more has left."""
    person = directory.change(number, described(wanted), revision=revision)
    if wanted.active is False:
        return employment.end(number=number)
    return directory.begin_again(number, revision=person.revision) if wanted.active else person
