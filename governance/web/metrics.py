"""What a monitoring system may read, in the text format of Prometheus, with a token.

Promise: numbers about the service alone. None counts people, choices or kinds of work, and work
shows only once it is late: whoever watches them learns nothing of who decided what (R18).
"""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from audit import health as log
from governance.jobs import selectors as jobs
from governance.web import failures, health
from governance.web.doors import public

_SCHEME: Final = "Bearer "


@public
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer who shows the token; without one in the settings there is no such page."""
    if not settings.REMIT_METRICS_TOKEN:
        return failures.not_found(request)
    shown = request.headers.get("Authorization", "")
    if not constant_time_compare(shown, _SCHEME + settings.REMIT_METRICS_TOKEN):
        answer = HttpResponse(
            "Show the token of REMIT_METRICS_TOKEN as Authorization: Bearer.\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": "Bearer"},
        )
    else:
        answer = _told()
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _told() -> HttpResponse:
    # Read when somebody asks: it would take a fifth of a process's start.
    import prometheus_client as prometheus  # noqa: PLC0415

    registry = prometheus.CollectorRegistry()
    for name, (meaning, value) in _measured().items():
        prometheus.Gauge(f"remit_{name}", meaning, registry=registry).set(value)
    text = prometheus.generate_latest(registry)
    return HttpResponse(text, content_type=prometheus.CONTENT_TYPE_LATEST)


def _measured() -> dict[str, tuple[str, float]]:
    """Return what each number means, and the number; NaN for what was never heard of."""
    state, work = log.freshness(), jobs.backlog()
    silence = jobs.seconds_since(jobs.WORKER)
    return {
        "ready": ("1 when /healthz/ready says so, else 0", health.waiting_for() is None),
        "log_halted": ("1 when the log has halted, else 0", state.is_halted),
        "log_entries": ("entries under the published head", state.published),
        "log_late_seconds": ("for how long something has not been published", state.late_seconds),
        "log_silence_seconds": ("since the sequencer's last sign", state.silence_seconds),
        "worker_silence_seconds": (
            "since a worker's last sign",
            float("nan") if silence is None else silence,
        ),
        "jobs_late": ("jobs due for more than a minute", work.late),
        "jobs_quarantined": ("jobs given up after five attempts", work.quarantined),
    }
