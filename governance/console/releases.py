"""Data releases: what was handed out, in which state, with the signed manifest and recalls."""

import base64
import json
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from governance.console.frame import show
from governance.policies import selectors as policies
from governance.releases import selectors
from governance.releases.errors import ReleaseNotFoundError, ReleaseNotReadyError
from governance.web.doors import Visitor, page

SECTION: Final = "releases"


@page("release.read")
@require_GET
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """List the releases this role may see."""
    context = {"releases": selectors.releases(reader=visitor.actor), **_words()}
    return show(request, visitor, "console/releases.html", context, section=SECTION)


def _words() -> dict[str, object]:
    return {
        "purposes": {purpose.key: purpose.name for purpose in policies.purposes()},
        "applications": {one.key: one.name for one in policies.applications()},
    }


@page("release.read")
@require_GET
def detail(request: HttpRequest, visitor: Visitor, release_id: UUID) -> HttpResponse:
    """Show one release with its files as the signed manifest names them."""
    try:
        found = selectors.release(release_id=release_id, reader=visitor.actor)
    except ReleaseNotFoundError as error:
        raise Http404 from error
    context = {
        "release": found,
        "manifest": _manifest(visitor, release_id),
        "recalls": found.recalls,
        "may_download": visitor.may("release.download"),
        **_words(),
    }
    return show(request, visitor, "console/release.html", context, section=SECTION)


def _manifest(visitor: Visitor, release_id: UUID) -> Mapping[str, object] | None:
    try:
        envelope = selectors.manifest(release_id=release_id, reader=visitor.actor)
    except ReleaseNotReadyError:
        return None
    payload = json.loads(base64.b64decode(str(envelope["payload"]), validate=True))
    return payload if isinstance(payload, dict) else None


@page("release.manifest")
@require_GET
def manifest(request: HttpRequest, visitor: Visitor, release_id: UUID) -> HttpResponse:
    """Hand out the signed manifest as a file."""
    del request
    try:
        envelope = selectors.manifest(release_id=release_id, reader=visitor.actor)
    except (ReleaseNotFoundError, ReleaseNotReadyError) as error:
        raise Http404 from error
    response = JsonResponse(envelope, json_dumps_params={"indent": 1, "sort_keys": True})
    response.headers["Content-Disposition"] = f'attachment; filename="manifest-{release_id}.json"'
    return response
