"""Enrolment: a device makes its key and proves it, its person's one-time code lets it in."""

import base64
import platform

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_agent.errors import AgentError, HomeError
from remit_agent.home import Home, Identity
from remit_agent.service import Service
from remit_agent.signing import DeviceSigner, thumbprint

_PLATFORMS = {"Linux": "linux", "Windows": "windows", "Darwin": "macos"}


def enrol(*, home: Home, service: Service, code: str, label: str | None = None) -> Identity:
    """Enrol this device and return its identity.

    The private key is made here and stays here. The label defaults to the operating system: no
    host name, no user name. Nothing is written unless the service says yes.
    """
    if home.is_enrolled:
        raise HomeError("This state directory is enrolled already; choose another --home.")
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    system = platform.system()
    answer = service.enrol(
        signer=DeviceSigner(thumbprint(public), key),
        body={
            "code": code,
            "public_key": base64.b64encode(public).decode(),
            "label": label or f"{system or 'Unknown'} workstation",
            "platform": _PLATFORMS.get(system, "other"),
        },
    )
    if not any(pin.alg == "ed25519" for pin in answer.verify_keys):
        raise AgentError("The service named no key that signs policies; nothing was enrolled.")
    identity = Identity(
        device_id=str(answer.device_id),
        server=service.server,
        origin=answer.origin.rstrip("/"),
        label=label or f"{system or 'Unknown'} workstation",
    )
    home.settle(identity=identity, key=key, pins=answer.verify_keys)
    return identity
