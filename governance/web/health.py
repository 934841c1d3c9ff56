"""Whether the service lives and whether it is ready. Neither answer tells anything else.

Promise: ready means that the tables are up to date, the log takes and publishes entries, a worker
does what is due, and, in the demo, that the story is told to its end.
"""

from typing import Final

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from audit import health
from governance.jobs import selectors as jobs
from governance.web.doors import public

DEMO_SIGN: Final = "demo"
_PATIENCE_SECONDS: Final = 30.0
# Tables do not go back: once they were up to date, this process need not ask again.
_migrated: set[str] = set()


@public
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Say that this process answers."""
    del request
    return _answer(status="live", code=200)


@public
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Say whether everything that an answer may need is there; 503 until it is."""
    del request
    if missing := waiting_for():
        answer = _answer(status=f"waiting for {missing}", code=503)
        answer.headers["Retry-After"] = "1"
        # Waiting is no fault: Django would write each such answer down as an error.
        answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - as above.
        return answer
    return _answer(status="ready", code=200)


def waiting_for() -> str | None:
    """Return the first thing that is missing, in a word or two; None when nothing is."""
    try:
        if not _is_migrated():
            return "the databases"
        if health.why_closed() is not None:
            return "the log"
        if not _is_recent(jobs.seconds_since(jobs.WORKER)):
            return "the worker"
        if settings.REMIT_DEMO and jobs.seconds_since(DEMO_SIGN) is None:
            return "the demo"
    except DatabaseError:
        return "the databases"
    return None


def _is_migrated() -> bool:
    for alias in connections:
        if alias in _migrated:
            continue
        executor = MigrationExecutor(connections[alias])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _migrated.add(alias)
    return True


def _is_recent(seconds: float | None) -> bool:
    return seconds is not None and seconds < settings.REMIT_SWEEP_SECONDS * 3 + _PATIENCE_SECONDS


def _answer(*, status: str, code: int) -> JsonResponse:
    answer = JsonResponse({"status": status}, status=code)
    answer.headers["Cache-Control"] = "no-store"
    return answer
