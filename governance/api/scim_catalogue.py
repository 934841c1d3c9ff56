"""What the directory's door says about itself (RFC 7644 §4), and what is not behind it."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions as drf
from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    ETag,
    Filter,
    Meta,
    Patch,
    ResourceType,
    ServiceProviderConfig,
    Sort,
)

from governance.api.scim import ScimView
from governance.api.scim_person import BASE, Enterprise, Member, User
from governance.api.scim_search import MOST_A_PAGE


def _discovery(resource: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 - one of three kinds.
    resource.meta = Meta(resource_type=type(resource).__name__, location=f"{BASE}{path}")
    return dict(resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _types() -> list[dict[str, Any]]:
    one = ResourceType.from_resource(Member)
    return [_discovery(one, f"/ResourceTypes/{one.id}")]


def _schemas() -> list[dict[str, Any]]:
    found = [User.to_schema(), Enterprise.to_schema()]
    return [_discovery(one, f"/Schemas/{one.id}") for one in found]


class _Catalogue(ScimView):
    """A list that describes this door, and each of its parts."""

    parts: ClassVar[Callable[[], list[dict[str, Any]]]]

    def get(self, request: Request, name: str = "") -> Response:
        if "filter" in request.query_params:  # RFC 7644 §4.
            raise drf.PermissionDenied("What describes the service is not filtered.")
        parts = type(self).parts()
        if name:
            found = [one for one in parts if one["id"] == name]
            if not found:
                raise Http404
            return Response(found[0])
        urn = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
        return Response(
            {
                "schemas": [urn],
                "totalResults": len(parts),
                "startIndex": 1,
                "itemsPerPage": len(parts),
                "Resources": parts,
            }
        )


@extend_schema(exclude=True)
class NothingView(ScimView):
    """What is not there, Groups among it, said in SCIM's own shape."""

    def get(self, request: Request, rest: str) -> Response:
        del request, rest
        raise Http404

    post = put = patch = delete = get


@extend_schema(exclude=True)
class ResourceTypesView(_Catalogue):
    """People, and nothing else."""

    parts = staticmethod(_types)


@extend_schema(exclude=True)
class SchemasView(_Catalogue):
    """Which attributes are kept."""

    parts = staticmethod(_schemas)


@extend_schema(exclude=True)
class ConfigView(ScimView):
    """What this door can do."""

    def get(self, request: Request) -> Response:
        del request
        config = ServiceProviderConfig(
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=MOST_A_PAGE),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=True),
            etag=ETag(supported=True),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="Bearer token",
                    description="`manage.py directory_token` makes one.",
                    primary=True,
                )
            ],
        )
        return Response(_discovery(config, "/ServiceProviderConfig"))
