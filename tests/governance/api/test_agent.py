"""The agent's door as an agent's author meets it: curl-like requests, signed or badly signed."""

import base64
import hashlib
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from consent import services as consent
from governance.accounts import selectors
from governance.accounts import services as accounts
from governance.capture.models import CaptureBatch, SealedBatch
from remit_agent import signing
from tests import make
from tests.governance.api.door import door_client

BATCHES = "/api/v1/agent/capture-batches"
SEALED = "application/vnd.remit.sealed-batch.v1"
MOVE = {"type": "mouse.move", "app": make.DESK, "x": 1, "y": 2}
POINTER = {(make.DESK, "pointer"): 2}


class Wire:
    """Sends requests as an enrolled device, or with one thing wrong."""

    def __init__(self, endpoint: make.Endpoint) -> None:
        self.endpoint = endpoint
        self.client = door_client()
        self.device = signing.DeviceSigner(str(endpoint.device.id), endpoint.key)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        signer: signing.Signer | None = None,
        changed: dict[str, str] | None = None,
        now_s: int | None = None,
        **headers: str,
    ) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        given |= signing.sign_request(
            target=signing.Target(method=method, uri=settings.REMIT_EXTERNAL_ORIGIN + path),
            headers=given,
            body=body,
            signer=signer or self.device,
            now_s=now_s or int(time.time()),
        )
        given |= changed or {}
        kind = given.pop("Content-Type", "")
        return self.client.generic(method, path, body or b"", content_type=kind, headers=given)

    def session(self, now_s: int | None = None) -> signing.SessionSigner:
        answer = self.send("POST", "/api/v1/agent/sessions", b"{}", now_s=now_s)
        assert answer.status_code == 201, answer.content
        found = answer.json()
        return signing.SessionSigner(found["session_id"], base64.b64decode(found["key"]))

    def upload(self, header: dict[str, object], wire: bytes, **changes: Any) -> Any:
        return self.send(
            "POST",
            BATCHES,
            wire,
            Content_Type=SEALED,
            Idempotency_Key=f'"{header["batch_id"]}"',
            **changes,
        )


@pytest.fixture
def wire(nordhafen: make.House) -> Wire:
    make.decide(nordhafen, "mira", [(make.TRAIN, make.DESK, "pointer")])
    return Wire(make.endpoint(nordhafen, "mira"))


def batch(wire: Wire, **changes: Any) -> tuple[dict[str, object], bytes]:
    found = make.events(time.time_ns(), MOVE, MOVE)
    lines = [{**one, "seq": wire.endpoint.next_seq + n} for n, one in enumerate(found)]
    return make.sealed(wire.endpoint, lines, POINTER, **changes)


def slug(answer: Any) -> str:
    assert answer.headers["Content-Type"].startswith("application/problem+json"), answer.content
    return str(answer.json()["type"]).rpartition("/")[2]


def enrol(code: str, key: Ed25519PrivateKey, **changes: Any) -> Any:
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    body = {
        "code": code,
        "public_key": base64.b64encode(public).decode(),
        "label": "NH-L-0412",
        "platform": "test",
    }
    sender = Wire.__new__(Wire)
    sender.client = door_client()
    sender.device = signing.DeviceSigner(signing.thumbprint(public), key)
    return sender.send("POST", "/api/v1/agent/enrolments", json.dumps(body | changes).encode())


def test_a_device_is_let_in_once_by_a_code_from_its_person(nordhafen: make.House) -> None:
    code = accounts.make_enrolment_code(subject=nordhafen.subject("mira"))
    key = Ed25519PrivateKey.generate()
    answer = enrol(code, key)
    assert answer.status_code == 201, answer.content
    assert answer.json()["verify_keys"][0]["alg"] == "ed25519"
    again = enrol(code, Ed25519PrivateKey.generate())
    assert (again.status_code // 100, slug(again)) == (4, "enrolment-code")
    assert slug(enrol("NONE-SUCH", key)) == "enrolment-code"


def test_enrolment_needs_proof_of_the_key(nordhafen: make.House) -> None:
    code = accounts.make_enrolment_code(subject=nordhafen.subject("mira"))
    other = base64.b64encode(b"\x01" * 32).decode()
    answer = enrol(code, Ed25519PrivateKey.generate(), public_key=other)
    assert (answer.status_code, slug(answer)) == (401, "signature-invalid")


def test_the_policy_is_signed_short_and_says_only_what_is_agreed(wire: Wire) -> None:
    session = wire.session()
    answer = wire.send("GET", "/api/v1/agent/policy", signer=session)
    assert answer.status_code == 200, answer.content
    assert answer.headers["Cache-Control"] == "private, no-cache"
    document = json.loads(base64.b64decode(answer.json()["payload"]))
    (application,) = document["applications"]
    assert application["id"] == make.DESK
    assert [category["key"] for category in application["categories"]] == ["pointer"]
    assert wire.endpoint.subject not in json.dumps(document)
    same = wire.send(
        "GET", "/api/v1/agent/policy", signer=session, If_None_Match=answer.headers["ETag"]
    )
    assert (same.status_code, same.content) == (304, b"")


def test_a_change_of_mind_is_a_new_policy(nordhafen: make.House, wire: Wire) -> None:
    session = wire.session()
    first = wire.send("GET", "/api/v1/agent/policy", signer=session).headers["ETag"]
    consent.pause(
        subject=wire.endpoint.subject, device_id=None, until=None, actor=nordhafen.actor("mira")
    )
    answer = wire.send("GET", "/api/v1/agent/policy", signer=session, If_None_Match=first)
    assert answer.status_code == 200
    document = json.loads(base64.b64decode(answer.json()["payload"]))
    assert document["paused_until"] == "indefinite"


def test_a_wait_is_answered_at_once_when_something_changed(wire: Wire) -> None:
    started = time.monotonic()
    answer = wire.send(
        "GET",
        "/api/v1/agent/policy",
        signer=wire.session(),
        If_None_Match='"old"',
        Prefer="wait=20",
    )
    assert answer.status_code == 200
    assert time.monotonic() - started < 5


def test_an_upload_is_acknowledged_with_its_entry_and_its_end_is_told(wire: Wire) -> None:
    from governance.jobs import services as jobs

    header, body = batch(wire)
    answer = wire.upload(header, body)
    assert answer.status_code == 202, answer.content
    entry, _, leaf = answer.headers["Audit-Entry"].partition("; leaf=")
    assert (entry, leaf) == (answer.json()["entry"], answer.json()["leaf"])
    session = wire.session()
    status = answer.json()["status_url"]
    assert wire.send("GET", status, signer=session).json()["state"] == "queued"
    jobs.run_due()
    assert wire.send("GET", status, signer=session).json() == {
        "batch_id": header["batch_id"],
        "state": "done",
        "accepted": 2,
        "refused": {},
        "redacted": {},
        "missing": 0,
    }


def test_the_status_of_another_device_s_batch_is_not_there(
    nordhafen: make.House, wire: Wire
) -> None:
    header, body = batch(wire)
    status = wire.upload(header, body).json()["status_url"]
    stranger = Wire(make.endpoint(nordhafen, "tariq"))
    missing = stranger.send(
        "GET", f"{BATCHES}/0199a1f0-1d3c-7c11-8a01-3f2b7f0c0001", signer=stranger.session()
    )
    foreign = stranger.send("GET", status, signer=stranger.session())
    assert (foreign.status_code, slug(foreign)) == (404, "not-found")
    assert _without_instance(foreign) == _without_instance(missing)


def _without_instance(answer: Any) -> dict[str, object]:
    return {key: value for key, value in answer.json().items() if key != "instance"}


DIGEST = "sha-256=:" + base64.b64encode(hashlib.sha256(b"other").digest()).decode() + ":"


@pytest.mark.parametrize(
    "changes",
    [
        {"changed": {"Signature": "remit=:" + "A" * 86 + "==:"}},
        {"changed": {"Signature": ""}},
        {"changed": {"Signature-Input": ""}},
        {"changed": {"Content-Digest": DIGEST}},
        {"changed": {"Idempotency-Key": '"0199a1f0-1d3c-7c11-8a01-3f2b7f0c0001"'}},
        {"now_s": int(time.time()) - 86_400},
        {"now_s": int(time.time()) + 86_400},
        {"signer": "0199a1f0-1d3c-7c11-8a01-3f2b7f0c0001"},
    ],
    ids=["forged", "none", "no input", "digest", "key", "yesterday", "tomorrow", "stranger"],
)
def test_a_wrong_signature_is_refused_and_nothing_is_stored(
    wire: Wire, changes: dict[str, Any]
) -> None:
    if stranger := changes.get("signer"):
        changes = {"signer": signing.DeviceSigner(stranger, wire.endpoint.key)}
    header, body = batch(wire)
    started = time.monotonic()
    answer = wire.upload(header, body, **changes)
    assert (answer.status_code, slug(answer)) == (401, "signature-invalid")
    assert time.monotonic() - started < 1
    assert not CaptureBatch.objects.exists()
    wire.endpoint.next_seq = 0
    assert wire.upload(*batch(wire)).status_code == 202


@pytest.mark.parametrize(
    ("changes", "status", "problem"),
    [
        ({"device_id": "0199a1f0-1d3c-7c11-8a01-3f2b7f0c0001"}, 422, "policy-violation"),
        ({"policy_digest": "0" * 64}, 403, "policy-expired"),
        ({"extra": True}, 400, "batch-malformed"),
        ({"frames": []}, 400, "batch-malformed"),
        (
            {
                "frames": [
                    {
                        "application": "customer-desk",
                        "category": "pointer",
                        "count": 1,
                        "t_min": time.time_ns(),
                        "t_max": time.time_ns(),
                    }
                ]
            },
            422,
            "policy-violation",
        ),
        (
            {
                "frames": [
                    {
                        "application": make.DESK,
                        "category": "click",
                        "count": 1,
                        "t_min": time.time_ns(),
                        "t_max": time.time_ns(),
                    }
                ]
            },
            403,
            "consent-required",
        ),
    ],
)
def test_a_header_outside_the_rules_gets_the_problem_that_says_so(
    wire: Wire, changes: dict[str, object], status: int, problem: str
) -> None:
    moved = dict(changes)
    if frames := moved.get("frames"):
        assert isinstance(frames, list)
        now = time.time_ns()
        moved["frames"] = [{**frame, "t_min": now, "t_max": now} for frame in frames]
    answer = wire.upload(*batch(wire, **moved))
    assert (answer.status_code, slug(answer)) == (status, problem), answer.content
    assert not SealedBatch.objects.exists()


def test_the_same_batch_is_the_same_answer_and_other_bytes_are_refused(wire: Wire) -> None:
    header, body = batch(wire)
    first, second = wire.upload(header, body), wire.upload(header, body)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    other = wire.upload(header, body[:-1] + bytes([body[-1] ^ 1]))
    assert (other.status_code, slug(other)) == (422, "idempotency-mismatch")


def test_what_is_too_large_or_of_another_kind_is_refused(wire: Wire) -> None:
    header, body = batch(wire)
    large = wire.upload(header, body + b"\x00" * (1 << 20))
    assert (large.status_code, slug(large)) == (413, "too-large")
    strange = wire.send(
        "POST",
        BATCHES,
        b"{}",
        Content_Type="application/json",
        Idempotency_Key=f'"{header["batch_id"]}"',
    )
    assert (strange.status_code, slug(strange)) == (415, "unsupported-type")


@pytest.mark.parametrize("body", [b"\x00", b"\xff" * 64, b"\x00\x00\x00\x02{}x"])
def test_bytes_that_are_no_batch_are_a_problem_not_a_fault(wire: Wire, body: bytes) -> None:
    answer = wire.send(
        "POST",
        BATCHES,
        body,
        Content_Type=SEALED,
        Idempotency_Key='"0199a1f0-1d3c-7c11-8a01-3f2b7f0c0001"',
    )
    assert (answer.status_code, slug(answer)) == (400, "batch-malformed")


def test_a_handshake_is_good_once(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_urlsafe", lambda _: "the-same-nonce")
    now = int(time.time())
    assert wire.send("POST", "/api/v1/agent/sessions", b"{}", now_s=now).status_code == 201
    again = wire.send("POST", "/api/v1/agent/sessions", b"{}", now_s=now)
    assert slug(again) == "signature-invalid"


def test_a_revoked_device_is_a_stranger_at_once(nordhafen: make.House, wire: Wire) -> None:
    session = wire.session()
    accounts.revoke_device(device_id=wire.endpoint.device.id, actor=nordhafen.actor("mira"))
    assert wire.upload(*batch(wire)).status_code == 401
    assert wire.send("GET", "/api/v1/agent/policy", signer=session).status_code == 401


def test_a_heartbeat_tells_the_epochs_to_obey(wire: Wire) -> None:
    body = {"policy_epoch": 0, "consent_epoch": 0, "state": "capturing", "agent_version": "0.1.0"}
    answer = wire.send(
        "POST", "/api/v1/agent/heartbeats", json.dumps(body).encode(), signer=wire.session()
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["consent_epoch"] > 0


def test_a_device_that_obeys_what_nobody_issued_confirms_no_later_stop(wire: Wire) -> None:
    def beat(policy_epoch: int) -> int:
        body = {"consent_epoch": 0, "state": "capturing", "agent_version": "1"}
        sent = json.dumps(body | {"policy_epoch": policy_epoch}).encode()
        answer = wire.send("POST", "/api/v1/agent/heartbeats", sent, signer=wire.session())
        assert answer.status_code == 200, answer.content
        return int(answer.json()["policy_epoch"])

    newest = beat(0)
    beat(newest + 1)
    assert selectors.fleet(policy_epoch=newest + 1)[1] == 0
    assert selectors.fleet(policy_epoch=newest)[1] == 0
    beat(newest)
    assert selectors.fleet(policy_epoch=newest)[1] == 1
