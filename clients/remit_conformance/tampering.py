"""Signed policies, spoiled in one way each."""

import base64
import json
from collections.abc import Callable
from typing import Any, Final


def _envelope(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    def spoil(envelope: bytes) -> bytes:
        parts = json.loads(envelope)
        change(parts)
        return json.dumps(parts).encode()

    return spoil


def _unsigned(parts: dict[str, Any]) -> None:
    parts["signatures"] = []


def _no_signatures(parts: dict[str, Any]) -> None:
    del parts["signatures"]


def _flipped(parts: dict[str, Any]) -> None:
    signature = bytearray(base64.b64decode(parts["signatures"][0]["sig"]))
    signature[7] ^= 1
    parts["signatures"][0]["sig"] = base64.b64encode(signature).decode()


def _changed(parts: dict[str, Any]) -> None:
    document = json.loads(base64.b64decode(parts["payload"]))
    document["policy_epoch"] += 1
    parts["payload"] = base64.b64encode(json.dumps(document, sort_keys=True).encode()).decode()


def _typed(parts: dict[str, Any]) -> None:
    parts["payloadType"] = "application/json"


def _named(parts: dict[str, Any]) -> None:
    parts["signatures"][0]["keyid"] = "nobody-s-key"


SPOILED: Final[dict[str, Callable[[bytes], bytes]]] = {
    "unsigned": _envelope(_unsigned),
    "no-signatures": _envelope(_no_signatures),
    "bit-flipped": _envelope(_flipped),
    "changed-after-signing": _envelope(_changed),
    "another-type": _envelope(_typed),
    "unknown-key-id": _envelope(_named),
    "truncated": lambda envelope: envelope[: len(envelope) // 2],
    "empty": lambda _: b"",
    "not-json": lambda _: b"<html>Please sign in to this network</html>",
}
