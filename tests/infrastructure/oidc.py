"""A real provider of OpenID Connect that nobody here wrote, as a process of its own on loopback."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.infrastructure.servers import free_port, running


@dataclass(frozen=True, slots=True)
class Provider:
    """Where the provider is; everybody it is told of may sign in there."""

    issuer: str

    def app(self, **changes: object) -> dict[str, object]:
        """Return the provider as the settings hold it."""
        own = {"server_url": self.issuer, "fetch_userinfo": False, "scope": ["openid"]}
        return {
            "provider_id": "sso",
            "name": "Nordhafen",
            "client_id": "remit",
            "secret": "of the client",
            "settings": own | {"oauth_pkce_enabled": True} | changes,
        }

    def sign_in(self, address: str, *, subject: str) -> str:
        """Sign in there as somebody, and return the address to which the browser is sent back."""
        sent = httpx.post(unescape(address), data={"sub": subject})
        assert sent.status_code == 302, sent.text
        return sent.headers["Location"]


@contextlib.contextmanager
def running_provider() -> Iterator[Provider]:
    """Run the provider until the block ends."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        try:
            return httpx.get(f"{issuer}/.well-known/openid-configuration").status_code == 200
        except httpx.TransportError:
            return False

    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    with (
        TemporaryDirectory(prefix="remit-oidc-") as folder,
        running(command, log=Path(folder) / "log", user={}, is_ready=is_ready),
    ):
        yield Provider(issuer)
