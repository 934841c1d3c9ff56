"""When a policy is followed, and all the ways in which it is not."""

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from remit_agent import globs
from remit_agent.errors import PolicyError
from remit_agent.home import Seen
from remit_agent.observed import Element, Surface
from remit_agent.policy import Application, Policy, read
from remit_agent.x11 import programs
from remit_agent.x11.programs import Programs
from remit_conformance.service import AgentServer, FakeClock, signing_key
from tests.clients.conftest import application

# The same cases that the service's matcher answers (tests/governance/policies/test_dry_run.py).
_KIT = Path(__file__).parents[2] / "clients" / "remit_conformance"
PATTERNS, SURFACES, FIELDS = (
    json.loads((_KIT / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    for name in ("patterns", "surfaces", "fields")
)


def _read(server: AgentServer, *, seen: Seen | None = None, now_s: float = 0) -> Policy:
    return read(
        server.policy(),
        etag='"e"',
        keys={"policy-key-1": signing_key("policy").public_key().public_bytes_raw()},
        device_id=server.device_id,
        seen=seen or Seen(),
        now=server.clock.now() + timedelta(seconds=now_s),
    )


def test_a_signed_current_policy_is_followed_and_its_digest_is_of_the_signed_bytes(
    server: AgentServer,
) -> None:
    policy = _read(server, seen=Seen(3, 7))
    assert {each.id for each in policy.document.applications} == {
        "freight-desk",
        "warehouse-terminal",
    }
    payload = base64.b64decode(json.loads(server.policy())["payload"])
    assert policy.digest == hashlib.sha256(payload).hexdigest()


def _other_key(server: AgentServer) -> None:
    server.signer = signing_key("mallory")


def _unknown_key_id(server: AgentServer) -> None:
    server.key_id = "policy-key-2"


def _set(**fields: Any) -> Callable[[AgentServer], None]:
    return lambda server: server.overrides.update(fields)


def _attributes(**fields: Any) -> Callable[[AgentServer], None]:
    def change(server: AgentServer) -> None:
        for name, value in fields.items():
            setattr(server, name, value)

    return change


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_other_key, "cannot be trusted"),
        (_unknown_key_id, "cannot be trusted"),
        (_set(device_id="0199-other"), "another device"),
        (_attributes(policy_epoch=2), "older than one seen"),
        (_attributes(consent_epoch=6), "older than one seen"),
        (_attributes(lease=timedelta(minutes=15, seconds=1)), "longer than fifteen minutes"),
        (_attributes(lease=timedelta(0)), "expired"),
        (_set(extra=1), "does not know"),
        (_set(schema="agent-policy/2"), "does not know"),
        (_set(applications=[application("freight-desk", unknown=1)]), "does not know"),
        (_set(policy_epoch=-1), "does not know"),
        (_set(expires_at="2026-01-01T00:00:00"), "name no zone"),
    ],
)
def test_anything_else_is_no_policy(
    server: AgentServer, spoil: Callable[[AgentServer], None], words: str
) -> None:
    assert _read(server, seen=Seen(3, 7)).document.policy_epoch == 3
    spoil(server)
    with pytest.raises(PolicyError, match=words):
        _read(server, seen=Seen(3, 7))


def test_a_changed_byte_of_the_signed_document_is_noticed(server: AgentServer) -> None:
    envelope = json.loads(server.policy())
    body = base64.b64decode(envelope["payload"]).replace(b'"click"', b'"pointer"', 1)
    envelope["payload"] = base64.b64encode(body).decode()
    keys = {"policy-key-1": signing_key("policy").public_key().public_bytes_raw()}
    with pytest.raises(PolicyError, match="No pinned key"):
        read(
            json.dumps(envelope).encode(),
            etag=None,
            keys=keys,
            device_id=server.device_id,
            seen=Seen(),
            now=server.clock.now(),
        )


@pytest.mark.parametrize("garbage", [b"", b"{}", b"[" * 100_000, b"\xff", b'{"payload":"%%"}'])
def test_garbage_is_no_policy_and_no_other_error(server: AgentServer, garbage: bytes) -> None:
    with pytest.raises(PolicyError):
        read(garbage, etag=None, keys={}, device_id="d", seen=Seen(), now=server.clock.now())


def test_a_lease_ends_at_its_end_and_not_before_it(server: AgentServer, clock: FakeClock) -> None:
    policy = _read(server)
    end = policy.document.expires_at
    assert policy.is_in_force(end - timedelta(microseconds=1))
    assert not policy.is_in_force(end)
    assert not policy.is_in_force(policy.document.not_before - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("until", "paused"),
    [
        (None, False),
        ("indefinite", True),
        ("2000-01-01T00:00:00Z", False),
        ("2999-01-01T00:00:00Z", True),
        ("some other word", True),
    ],
)
def test_a_pause_holds_until_its_end_and_an_unknown_end_is_none(
    server: AgentServer, until: str | None, paused: bool
) -> None:
    server.paused_until = until
    assert _read(server).is_paused(server.clock.now()) is paused


def _application(**more: Any) -> Application:
    return msgspec.convert(application("freight-desk") | more, Application)


def test_a_rule_this_agent_does_not_know_closes_its_category() -> None:
    timing = {"key": "keystroke-timing", "rules": {"quantise-ms": 100}}
    unknown = {"key": "click", "rules": {"only-on-mondays": True}}
    pictures = {"key": "screenshot", "rules": {"mode": "everything"}}
    opened = _application(categories=[timing, unknown, pictures, {"key": "telepathy"}])
    assert opened.open_categories == {"keystroke-timing"}
    assert opened.timing_quantum_ns == 100_000_000
    finer = _application(categories=[{"key": "keystroke-timing", "rules": {"quantise-ms": 1}}])
    assert finer.timing_quantum_ns == 20_000_000


def test_fields_and_masks_decide_on_text_and_what_cannot_be_read_means_no() -> None:
    email, notes = Element("email", "textbox"), Element("notes", "textbox")
    free = _application()
    assert free.may_type_into(email)
    assert free.may_type_into(None)
    only = _application(fields=[{"id": "e", "selector": "input[name=email]"}])
    assert only.may_type_into(email)
    assert not only.may_type_into(notes)
    assert not only.may_type_into(None)
    masked = _application(masks=[{"id": "e", "selector": "#email"}])
    assert not masked.may_type_into(email)
    assert masked.may_type_into(notes)
    assert not masked.may_type_into(None)
    unreadable = _application(masks=[{"id": "e", "selector": "form > :nth-child(2)"}])
    assert not unreadable.may_type_into(notes)


@pytest.mark.parametrize("case", PATTERNS, ids=lambda case: case["pattern"])
def test_r49_a_pattern_matches_whole_texts_and_knows_only_the_star(case: dict[str, Any]) -> None:
    assert globs.matches(case["pattern"], case["text"]) is case["matches"]


def test_a_matcher_is_of_one_kind() -> None:
    desk = _application()
    assert desk.recognises(Surface("origin", "http://127.0.0.1:38749").facts)
    assert not desk.recognises(Surface("window-title", "http://127.0.0.1:38749").facts)
    assert not desk.recognises(Surface("origin", "http://127.0.0.1:38749.example").facts)


@pytest.mark.parametrize("case", SURFACES, ids=lambda case: case["says"])
def test_r49_an_application_is_recognised_by_each_kind_of_fact_that_is_named(
    case: dict[str, Any],
) -> None:
    assert _application(matchers=case["matchers"]).recognises(case["facts"]) is case["recognised"]


@pytest.mark.parametrize("case", FIELDS, ids=lambda case: case["says"])
def test_r50_text_is_taken_from_the_fields_that_are_named(case: dict[str, Any]) -> None:
    element = Element(**case["element"]) if case["element"] else None
    asked = _application(fields=case["fields"], masks=case["masks"])
    assert asked.may_type_into(element) is case["may"]


def test_r49_an_identity_is_of_the_file_that_runs_whatever_stands_under_its_name(
    tmp_path: Path,
) -> None:
    known = Programs()
    program = tmp_path / "ledger"
    shutil.copy2("/bin/sleep", program)
    build = f"sha256:{hashlib.sha256(program.read_bytes()).hexdigest()}"
    with subprocess.Popen([program, "60"]) as running:
        assert known.identity(running.pid) == (build,)
        assert programs.name(running.pid) == "ledger"
        program.unlink()
        program.write_bytes(b"another one")
        assert known.identity(running.pid) == (build,)
        assert programs.name(running.pid) is None, "its name says nothing any more"
        running.kill()
    assert known.identity(running.pid) == ()
