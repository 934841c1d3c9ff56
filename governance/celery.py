"""Celery, used as a doorbell only: no results, no remote control, nothing that must not be lost.

Whoever can write to the broker can at worst make a worker look at the job table (the settings
are those of the processing contract; tests/governance/jobs/test_celery.py holds them still).
"""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.beat import PersistentScheduler
from celery.schedules import crontab
from django.conf import settings
from kombu.entity import Queue
from kombu.transport import TRANSPORT_ALIASES

from governance.vault import files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

_TIMEOUT_SECONDS = 1.0
# What redacts must not wait behind what builds releases and exports, nor the other way round.
_QUEUES = ("redact", "default")
_HOUR = 3600.0


def _every(seconds: float, task: str) -> dict[str, Any]:
    """Return a beat entry. It never expires: beat and worker need not agree what time it is."""
    return {"task": task, "schedule": seconds}


def _filesystem() -> dict[str, Any]:
    """Return options of the broker that needs no server: a directory of small files."""
    base = Path(settings.REMIT_BROKER_DIR)
    folders = {name: base / name for name in ("messages", "control", "processed")}
    for folder in folders.values():
        files.make_directory(folder)
    return {
        "data_folder_in": str(folders["messages"]),
        "data_folder_out": str(folders["messages"]),
        "control_folder": str(folders["control"]),
        "processed_folder": str(folders["processed"]),
        "store_processed": False,
        "polling_interval": 0.1,
    }


def _redis() -> dict[str, Any]:
    return {
        "socket_connect_timeout": _TIMEOUT_SECONDS,
        "socket_timeout": _TIMEOUT_SECONDS,
        "max_retries": 0,
    }


class Scheduler(PersistentScheduler):  # type: ignore[misc]  # Celery ships no types.
    """Beat that no clock can stall: what it started "later than now" counts as started now.

    Celery's own waits until the time comes again that a clock told before it was put right.
    """

    def setup_schedule(self) -> None:
        """Read what was started last."""
        super().setup_schedule()
        self.put_right()

    def tick(self, *words: object, **named: object) -> float:
        """Start what is due; return for how long there is nothing to do."""
        self.put_right()
        return float(super().tick(*words, **named))

    def put_right(self) -> None:
        """Let nothing have been started in the future."""
        for entry in self.schedule.values():
            now = entry.default_now()
            if entry.last_run_at > now:
                entry.last_run_at = now
                self._heap = None


# Beat remembers here what it started last, whatever the broker is.
files.make_directory(Path(settings.REMIT_BROKER_DIR))

TRANSPORT_ALIASES["filesystem"] = "governance.jobs.messages:Transport"
for _scheme in ("redis", "rediss"):
    TRANSPORT_ALIASES[_scheme] = "governance.jobs.messages:RedisTransport"

app = Celery("remit", set_as_current=True)
app.conf.update(
    broker_url=settings.REDIS_URL or "filesystem://localhost",
    broker_transport_options=_redis() if settings.REDIS_URL else _filesystem(),
    broker_connection_timeout=_TIMEOUT_SECONDS,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    accept_content=["json"],
    task_serializer="json",
    result_backend=None,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_acks_late=False,
    task_reject_on_worker_lost=False,
    task_publish_retry=False,
    task_default_queue="default",
    task_queues=[Queue(name) for name in _QUEUES],  # type: ignore[no-untyped-call] # kombu has no types.
    # A job of another queue than these is found by the sweep.
    task_create_missing_queues=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=200,
    worker_max_memory_per_child=400_000,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    enable_utc=True,
    timezone="UTC",
    beat_scheduler="governance.celery:Scheduler",
    beat_schedule_filename=str(Path(settings.REMIT_BROKER_DIR) / "beat-schedule"),
    beat_schedule={
        "sweep": _every(settings.REMIT_SWEEP_SECONDS, "governance.jobs.tasks.sweep_jobs"),
        "guard policies": _every(_HOUR, "governance.policies.tasks.suspend_unguarded"),
        "expire captures": _every(_HOUR, "governance.capture.tasks.expire_captures"),
        "redact again": _every(_HOUR, "governance.capture.tasks.reread_captures"),
        "collect orphans": _every(24 * _HOUR, "governance.capture.tasks.collect_orphans"),
        "close cut reads": _every(_HOUR, "governance.capture.tasks.close_cut_reads"),
        "expire consents": _every(60.0, "governance.rights.tasks.expire_consents"),
        "end exports": _every(_HOUR, "governance.rights.tasks.end_exports"),
        "publish participation": _every(_HOUR, "governance.rights.tasks.publish_participation"),
        "end seal keys": _every(_HOUR, "governance.rights.tasks.end_seal_keys"),
        "renew keys": {
            "task": "governance.rights.tasks.renew_keys",
            "schedule": crontab(hour="2", minute="17"),
        },
    },
)
app.autodiscover_tasks()
