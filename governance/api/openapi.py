"""What drf-spectacular cannot see by itself: how one signs in, and that every door may refuse."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from governance.api.problem_types import TYPES
from governance.api.problems import CONTENT_TYPE

_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_NUMBER: Final = {"type": "integer", "minimum": 400, "maximum": 599}
PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457. Further members are named at /problems/<slug>.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "enum": [f"/problems/{slug}" for slug in sorted(TYPES)]},
        "title": {"type": "string"},
        "status": _NUMBER,
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


class PersonSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # Its registry is untyped.
    target_class = "governance.api.authentication.PersonSession"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ANN401 - untyped.
        del auto_schema
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sid",
            "description": "POST /api/v1/session sets it; a change needs X-CSRFToken.",
        }


class _DeviceScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # As above.
    """One scheme for each signature a device makes; the descriptions say what it covers."""

    target_class: Any = None
    description = ""

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ANN401 - untyped.
        del auto_schema
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Signature",
            "description": "RFC 9421, profile remit-agent-1, RFC 9530. " + self.description,
        }


class HandshakeScheme(_DeviceScheme):  # type: ignore[no-untyped-call]  # As above.
    target_class = "governance.api.device_authentication.DeviceKeyOnce"
    name = "deviceHandshake"
    description = "Ed25519 by the device's key; each nonce once."


class UploadScheme(_DeviceScheme):  # type: ignore[no-untyped-call]  # As above.
    target_class = "governance.api.device_authentication.DeviceKeyForUpload"
    name = "deviceUpload"
    description = "Ed25519 by the device's key, over the Idempotency-Key too."


class SessionKeyScheme(_DeviceScheme):  # type: ignore[no-untyped-call]  # As above.
    target_class = "governance.api.device_authentication.DeviceSession"
    name = "deviceSession"
    description = "HMAC-SHA-256 by the key of the last handshake."


_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})


def add_problems(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Give every operation the problem document as its default answer."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    answer = {"description": "A problem.", "content": {CONTENT_TYPE: {"schema": _PROBLEM}}}
    for operations in result.get("paths", {}).values():
        for method, operation in operations.items():
            if method in _METHODS:
                operation["responses"].setdefault("default", answer)
    return result
