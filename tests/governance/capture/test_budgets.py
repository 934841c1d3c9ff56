"""The policy's budgets, refused again by the service where it can count (R26); offline leases."""

import json
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.capture import agent_policy, intake
from governance.capture.errors import DeviceBudgetError, PolicyExpiredError
from governance.capture.models import CaptureBatch, DeviceUse
from governance.policies.document import SignedDocument
from tests import make

MOVE = {"type": "mouse.move", "app": make.DESK, "x": 1, "y": 2}
POINTER = {(make.DESK, "pointer"): 1}
MEGABYTE = 1 << 20


def device(house: make.House, **budgets: object) -> make.Endpoint:
    """Return mira's device, under a policy with these budgets."""
    make.activate(house, make.policy_content(make.DESK) | {"budgets": budgets})
    make.decide(house, "mira", [(make.TRAIN, make.DESK, "pointer")])
    return make.endpoint(house, "mira")


def document(agent: make.Endpoint, now: datetime | None = None) -> Mapping[str, Any]:
    policy = agent_policy.current(device_id=agent.device.id, subject=agent.subject, now=now)
    body: Mapping[str, Any] = json.loads(b64decode(json.loads(policy.envelope)["payload"]))
    return body


def upload(agent: make.Endpoint, *, made: timedelta, now: timedelta) -> CaptureBatch:
    """Send a batch that was made, and comes in, so long from now."""
    t_ns = time.time_ns() + int(made.total_seconds() * 1e9)
    header, wire = make.sealed(agent, make.events(t_ns, MOVE), POINTER, created_ns=t_ns)
    return intake.accept_batch(
        uploader=intake.Uploader(agent.device.id, agent.subject),
        idempotency_key=str(header["batch_id"]),
        wire=wire,
        now=timezone.now() + now,
    ).batch


NOW = timedelta(0)


def test_r26_the_service_takes_no_more_in_a_day_than_the_signed_policy_says(
    nordhafen: make.House,
) -> None:
    agent = device(nordhafen, megabytes_per_day=1)
    assert document(agent)["budgets"]["max_octets_per_day"] == MEGABYTE
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    use = DeviceUse.objects.create(
        device_id=agent.device.id, hour=today - timedelta(hours=1), octets=MEGABYTE
    )
    upload(agent, made=NOW, now=NOW)
    use.hour = today + timedelta(hours=1 if timezone.now().hour != 1 else 2)
    use.save()
    with pytest.raises(DeviceBudgetError) as refused:
        upload(agent, made=NOW, now=NOW)
    assert 0 < refused.value.retry_after_seconds <= 24 * 3600
    agent.next_seq -= 1
    use.delete()
    upload(agent, made=NOW, now=NOW)


def test_a_device_goes_on_alone_only_for_as_long_as_its_policy_says(nordhafen: make.House) -> None:
    agent = device(nordhafen, offline_hours=2)
    said = document(agent)
    issued, until = (datetime.fromisoformat(said[name]) for name in ("issued_at", "offline_until"))
    assert until - issued == timedelta(hours=2)
    upload(agent, made=timedelta(minutes=100), now=timedelta(hours=5))
    with pytest.raises(PolicyExpiredError):
        upload(agent, made=timedelta(minutes=121), now=timedelta(hours=5))


def test_without_such_a_policy_a_lease_ends_after_minutes_and_a_batch_may_still_come_late(
    nordhafen: make.House,
) -> None:
    agent = device(nordhafen)
    assert document(agent)["offline_until"] is None
    upload(agent, made=timedelta(minutes=5), now=timedelta(hours=5))
    with pytest.raises(PolicyExpiredError):
        upload(agent, made=timedelta(minutes=100), now=timedelta(hours=5))


def test_r23_what_a_policy_allows_offline_does_not_show_in_the_length_of_the_answer(
    nordhafen: make.House,
) -> None:
    agent = device(nordhafen, offline_hours=24)
    other = make.endpoint(nordhafen, "tariq")
    sizes = {
        len(agent_policy.current(device_id=each.device.id, subject=each.subject).envelope)
        for each in (agent, other)
    }
    assert len(sizes) == 1


def test_r23_the_length_of_the_answer_follows_what_everybody_may_be_asked(
    nordhafen: make.House,
) -> None:
    agent, other = device(nordhafen), make.endpoint(nordhafen, "tariq")
    before = len(document_bytes(agent))
    content = make.policy_content(make.DESK)
    content["titles"] = [{"id": f"t{n}", "pattern": f"Freight {n} *"} for n in range(60)]
    make.activate(nordhafen, content)
    after = {len(document_bytes(agent)), len(document_bytes(other))}
    assert len(after) == 1
    assert after.pop() > before


def test_r23_the_length_of_the_answer_is_one_wherever_the_step_falls() -> None:
    for longest in range(3000, 3000 + 2048):
        sizes = {
            agent_policy._size_for_all(
                SignedDocument(bytes(own), bytes(500 + len(b64encode(bytes(own)))), ""),
                longest,
            )
            for own in (900, 901, 902, longest)
        }
        assert len(sizes) == 1, longest


def document_bytes(agent: make.Endpoint) -> bytes:
    return agent_policy.current(device_id=agent.device.id, subject=agent.subject).envelope
