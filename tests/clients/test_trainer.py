"""A training team's client: a release counts when a pinned key signed it and nothing changed."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from remit_conformance.service import ORIGIN, dsse, problem, signing_key
from remit_trainer.cli import main

KIND = "application/vnd.remit.release-manifest.v1+json"
FILES = {"episodes.jsonl": b'{"step":1}\n' * 4000, "images/one.png": b"\x89PNG"}
PURPOSE = "train-computer-use-agents"


class Releases:
    """A service with one release, in memory."""

    def __init__(self) -> None:
        self.files = dict(FILES)
        self.signer = signing_key("release")
        self.attested: list[dict[str, Any]] = []
        self.changed: dict[str, Any] = {}

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        if path == "session":
            return self._sign_in(json.loads(request.content))
        if "sid=s1" not in request.headers.get("Cookie", ""):
            return problem("not-authenticated", 401)
        if path.startswith("releases/r1/files/"):
            return self._file(path.removeprefix("releases/r1/files/"), request)
        if path == "recalls/c1/attestations" and request.headers["X-CSRFToken"] == "c1":
            self.attested.append(json.loads(request.content))
            return httpx.Response(201, json={})
        documents = {"releases/r1/manifest": self.manifest, "releases/r1/keys": self._keys}
        found = documents.get(path)
        return httpx.Response(200, content=found()) if found else problem("not-found", 404)

    def _sign_in(self, asked: dict[str, str]) -> httpx.Response:
        if asked != {"username": "jonas", "password": "demo"}:
            return problem("not-authenticated", 401)
        cookie = {"Set-Cookie": "sid=s1; HttpOnly; Path=/"}
        return httpx.Response(200, json={"csrf": "c1"}, headers=cookie)

    def _file(self, name: str, request: httpx.Request) -> httpx.Response:
        if request.url.params["purpose"] != PURPOSE:
            return problem("purpose-not-permitted", 403)
        return httpx.Response(200, content=self.files[name])

    def _keys(self) -> bytes:
        public = base64.b64encode(signing_key("release").public_key().public_bytes_raw()).decode()
        key = {"key_id": "release-1", "alg": "ed25519", "public": public}
        return json.dumps({"keys": [key]}).encode()

    def manifest(self) -> bytes:
        document = {
            "schema": "release-manifest/1",
            "release_id": "r1",
            "purpose": PURPOSE,
            "created_at": "2026-11-21T09:00:00Z",
            "contributors": 20,
            "files": [
                {
                    "name": name,
                    "media_type": "application/jsonl",
                    "length": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "episodes": 2,
                    "steps": 4000,
                    "consent_commitments": ["x"],
                }
                for name, content in FILES.items()
            ],
            "redaction": {},
            "governance": {},
        } | self.changed
        body = json.dumps(document).encode()
        return dsse(body, key=self.signer, key_id="release-1", kind=KIND)


@pytest.fixture
def service() -> Releases:
    return Releases()


Run = Callable[..., int]


@pytest.fixture
def run(service: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("REMIT_TRAINER_PASSWORD", "demo")

    def call(*argv: str) -> int:
        at = ("--home", str(tmp_path / "trainer"))
        return main([*argv, *at], transport=service.transport())

    assert call("enrol", "--server", ORIGIN, "--user", "jonas") == 0
    return call


def _pull(run: Run, folder: Path, *, purpose: str = PURPOSE) -> int:
    return run("pull", "--release", "r1", "--purpose", purpose, "--out", str(folder))


def test_a_release_is_pulled_checked_and_checked_again(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert _pull(run, out) == 0
    assert {name: (out / name).read_bytes() for name in FILES} == FILES
    assert run("verify", str(out)) == 0
    assert "2 files of 20 contributors, all as signed" in capsys.readouterr().out
    session = tmp_path / "trainer" / "session.json"
    assert session.stat().st_mode & 0o777 == 0o600
    assert b"demo" not in session.read_bytes()


def _flip(folder: Path) -> None:
    content = bytearray((folder / "episodes.jsonl").read_bytes())
    content[5] ^= 1
    (folder / "episodes.jsonl").write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_flip, "episodes.jsonl is not what was released"),
        (lambda folder: (folder / "images/one.png").unlink(), "images/one.png is missing"),
        (lambda folder: (folder / "more.txt").write_text("x"), "more.txt is not part"),
        (lambda folder: (folder / "manifest.dsse.json").write_bytes(b"{}"), "cannot be trusted"),
        (lambda folder: (folder / "manifest.dsse.json").unlink(), "holds no"),
    ],
)
def test_a_changed_folder_does_not_verify(
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], object],
    words: str,
) -> None:
    out = tmp_path / "out"
    assert _pull(run, out) == 0
    spoil(out)
    assert run("verify", str(out)) == 1
    assert words in capsys.readouterr().err


def test_a_file_that_changed_on_the_way_is_not_written(
    run: Run, service: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in (b"short", FILES["episodes.jsonl"] + b"more", FILES["episodes.jsonl"][::-1]):
        service.files["episodes.jsonl"] = content
        assert _pull(run, tmp_path / "out") == 1
        assert "not what was released" in capsys.readouterr().err
        assert [p.name for p in (tmp_path / "out").iterdir()] == ["manifest.dsse.json"]


def test_another_key_than_the_pinned_one_is_refused(
    run: Run, service: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _pull(run, tmp_path / "one") == 0
    service.signer = signing_key("mallory")
    assert _pull(run, tmp_path / "two") == 1
    assert "No pinned key" in capsys.readouterr().err
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../b", ".hidden", "a//b", "a\\b"])
def test_a_manifest_cannot_name_a_file_outside_the_folder(
    run: Run, service: Releases, tmp_path: Path, name: str
) -> None:
    entry = {"name": name, "length": 1, "sha256": "0" * 64}
    service.changed = {"files": [entry]}
    assert _pull(run, tmp_path / "out") == 1
    assert not (tmp_path / "out").exists()


def test_a_release_for_another_purpose_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _pull(run, tmp_path / "out", purpose="improve-redaction") == 1
    assert "another release or purpose" in capsys.readouterr().err


def test_a_key_given_at_enrolment_is_the_only_one_trusted(
    service: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMIT_TRAINER_PASSWORD", "demo")
    other = base64.b64encode(signing_key("other").public_key().public_bytes_raw()).decode()
    at = ["--home", str(tmp_path / "t")]
    enrol = ["enrol", "--server", ORIGIN, "--user", "jonas", "--key", f"release-1:{other}", *at]
    assert main(enrol, transport=service.transport()) == 0
    pull = ["pull", "--release", "r1", "--purpose", PURPOSE, "--out", str(tmp_path / "o"), *at]
    assert main(pull, transport=service.transport()) == 1


def test_failures_are_one_line_and_a_recall_is_attested(
    run: Run, service: Releases, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert run("attest", "--recall", "c1") == 0
    assert service.attested == [{"statement": "deleted"}]
    assert run("pull", "--release", "r2", "--purpose", PURPOSE, "--out", str(tmp_path)) == 1
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("REMIT_TRAINER_PASSWORD", "wrong")
    assert run("enrol", "--server", ORIGIN, "--user", "jonas") == 1
    assert "401" in capsys.readouterr().err
    assert main(["verify", str(tmp_path), "--home", str(tmp_path / "none")]) == 1
    assert main(["pull"]) == 2
