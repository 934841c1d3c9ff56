"""Fifteen kinds of messages that somebody who holds the broker may send to the workers."""

import base64
import json
import pickle
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

RUN, SWEEP = "governance.jobs.tasks.run_job", "governance.jobs.tasks.sweep_jobs"
EXPIRE = "governance.capture.tasks.expire_captures"


class _Trap:
    """Runs a command where it is unpickled."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        import os

        return os.system, (self._command,)


def _message(
    task: str,
    arguments: object,
    *,
    body: bytes | None = None,
    kind: str = "application/json",
    **headers: object,
) -> str:
    content = body if body is not None else json.dumps([arguments, {}, {}]).encode()
    identity = str(uuid4())
    properties = {
        "correlation_id": identity,
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": "default"},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid4()),
    }
    return json.dumps(
        {
            "body": base64.b64encode(content).decode(),
            "content-encoding": "utf-8",
            "content-type": kind,
            "headers": {"lang": "py", "task": task, "id": identity, **headers},
            "properties": properties,
        }
    )


def messages(*, job: str, trap: str) -> Mapping[str, bytes | str]:
    """Return each kind by name; `job` is a job done before, `trap` a file a pickle would make."""
    run = pickle.dumps(_Trap(f"touch {trap}"))
    whole = _message(RUN, [job])
    bare = json.loads(whole)
    return {
        "no JSON": b"\x00\xffgarbage",
        "half a message": whole[: len(whole) // 2],
        "nothing": b"",
        "JSON, but no message": "[1, 2, 3]",
        "no body": json.dumps({k: v for k, v in bare.items() if k != "body"}),
        "no headers": json.dumps(bare | {"headers": {}}),
        "no properties": json.dumps(bare | {"properties": {}}),
        "a pickle": _message(RUN, [], body=run, kind="application/x-python-serialize"),
        "an unknown task": _message("os.system", [f"touch {trap}"]),
        "too many arguments": _message(RUN, [job, job, job]),
        "an argument of another kind": _message(RUN, [{"job": [None] * 1000}]),
        "a forged id": _message(RUN, [str(uuid4())]),
        "a replay": whole,
        "another task's time": _message(EXPIRE, []),
        "a date beyond time": _message(SWEEP, [], eta="9999-99-99T99:99:99"),
    }
