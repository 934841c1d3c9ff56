"""Pages and files for anyone: the log's files, how to check them, what each problem means."""

import re
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from audit import selectors
from governance.web import checking, failures, standalone
from governance.web.doors import public

# C2SP tlog-tiles: these names and nothing else leave the log directory.
CHANGING: Final = frozenset({"checkpoint", "policy", "vkeys"})
TILE: Final = re.compile(
    r"tile/(?:entries|[0-9]|[1-5][0-9]|6[0-3])(?:/x[0-9]{3})*/[0-9]{3}(?:\.p/(?:[1-9][0-9]{0,2}))?"
)
ENDED: Final = re.compile(r"ended/[0-9a-f]{64}")
IMMUTABLE: Final = "public, max-age=31536000, immutable"
FRESH: Final = "no-cache"
# The day on which what the signal does here last changed.
GPC_SINCE: Final = "2026-11-21"


@public
@require_safe
def log_file(request: HttpRequest, name: str) -> HttpResponse:
    """Serve one file of the published log; tiles and parts of them never change and may be kept."""
    del request
    is_text = name in CHANGING or bool(ENDED.fullmatch(name))
    if not is_text and not TILE.fullmatch(name):
        raise Http404
    path = Path(settings.REMIT_LOG_DIR) / name
    try:
        # Bounded by the format: 256 entries a bundle, 256 hashes a tile.
        content = path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise Http404 from error
    kind = "text/plain; charset=utf-8" if is_text else "application/octet-stream"
    response = HttpResponse(content, content_type=kind)
    response.headers["Cache-Control"] = FRESH if is_text else IMMUTABLE
    # The log is for everybody's tools, on every site.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@public
@require_GET
def global_privacy_control(request: HttpRequest) -> JsonResponse:
    """Say to programs that this service honours Global Privacy Control, and since when (R16)."""
    del request
    return JsonResponse({"gpc": True, "lastUpdate": GPC_SINCE})


@public
@require_GET
def log_page(request: HttpRequest) -> HttpResponse:
    """Say in words what the log is, how large it is, who signs it and how to check it."""
    return render(
        request,
        "web/log.html",
        {"log": selectors.log_state(), "origin": settings.REMIT_EXTERNAL_ORIGIN},
    )


@public
@require_GET
def verify(request: HttpRequest) -> HttpResponse:
    """Check a saved file in the browser, and say what such a check cannot show."""
    file = standalone.page(standalone.published())
    context = {
        "origin": settings.REMIT_EXTERNAL_ORIGIN,
        "texts": checking.texts(),
        "file_name": standalone.NAME,
        "file_digest": standalone.digest(file),
        "file_kib": len(file) // 1024 + 1,
    }
    return render(request, "web/verify.html", context)


@public
@require_GET
def verify_file(request: HttpRequest) -> HttpResponse:
    """Hand out the page of proofs as one file, to be kept and opened without a network."""
    del request
    file = standalone.page(standalone.published())
    response = HttpResponse(file, content_type="text/html; charset=utf-8")
    # Saved, not shown: here the service's own policy would stop its script.
    response.headers["Content-Disposition"] = f'attachment; filename="{standalone.NAME}"'
    response.headers["Cache-Control"] = FRESH
    return response


@public
@require_GET
def problem_list(request: HttpRequest) -> HttpResponse:
    """List every problem type that a page or the API may answer with."""
    return render(request, "problems/list.html", {"problems": failures.explained()})


@public
@require_GET
def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """Explain one problem type; the address of this page is the type's URI."""
    found = failures.explained().get(slug)
    if found is None:
        raise Http404
    return render(request, "problems/type.html", {"problem": found})
