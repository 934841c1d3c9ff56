"""What a web process remembers of policies: never longer than it holds, in no process."""

import importlib.util
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

import consent.services
from consent.models import SubjectEpoch
from consent.status import ConsentStatus
from governance.accounts import services as accounts
from governance.capture import agent_policy, cells, expiry, known_policies
from governance.capture.models import IssuedPolicy, PolicyChange
from governance.compliance import monitoring
from governance.policies import selectors, suspending
from governance.policies import services as policies
from governance.policies.categories import WITHOUT_PICTURES
from tests import make

CELLS = [(make.TRAIN, make.DESK, "pointer")]
# Each change of what somebody's policy says, and what it rests on.
CHANGES: dict[str, Callable[[make.House, make.Endpoint], object]] = {
    "withdrawal": lambda h, _: make.decide(h, "mira", CELLS, ConsentStatus.WITHDRAWN),
    "consent": lambda h, _: make.decide(h, "mira", [(make.TRAIN, make.DESK, "click")]),
    "pause": lambda h, a: consent.services.pause(
        subject=a.subject, device_id=None, until=None, actor=h.actor("mira")
    ),
    "employment": lambda _, a: consent.services.end_employment(subject=a.subject),
    "place": lambda h, a: monitoring.record_place(subject=a.subject, place="FR", actor=h.ines),
    "deletion": lambda _, a: consent.services.stir(subject=a.subject),
    "revocation": lambda h, a: accounts.revoke_device(device_id=a.device.id, actor=h.actor("mira")),
    "suspension": lambda h, _: suspending.suspend(
        application=make.DESK, number=1, reason="Test.", actor=h.ines
    ),
    "stop": lambda h, _: suspending.stop(reason="Test.", actor=h.wanda),
    "activation": lambda h, _: make.activate(h, make.policy_content(make.DESK)),
    "retention": lambda h, _: policies.set_retention(
        application=make.DESK,
        days=dict.fromkeys(WITHOUT_PICTURES, 5),
        actor=h.ines,
    ),
    "notice": lambda h, _: policies.publish_notice(
        purpose=make.TRAIN,
        texts={language: make.notice(make.TRAIN) for language in ("en", "de", "fr")},
        actor=h.ines,
    ),
}


@pytest.fixture
def agent(nordhafen: make.House) -> make.Endpoint:
    make.decide(nordhafen, "mira", CELLS)
    return make.endpoint(nordhafen, "mira")


@pytest.fixture
def processes() -> Iterator[list[ModuleType]]:
    """Two web processes, as far as memory goes."""
    spec = importlib.util.find_spec("governance.capture.known_policies")
    assert spec
    assert spec.loader
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    known_policies.forget()
    yield [known_policies, other]
    known_policies.forget()


def current(agent: make.Endpoint) -> str:
    return agent_policy.current(device_id=agent.device.id, subject=agent.subject).etag


@pytest.mark.parametrize("change", CHANGES)
def test_r05_every_change_reaches_every_process_in_a_moment(
    nordhafen: make.House, agent: make.Endpoint, processes: list[ModuleType], change: str
) -> None:
    before, name = current(agent), str(agent.device.id)
    for each in processes:
        assert each.etag(name) == each.etag(name) == before
    CHANGES[change](nordhafen, agent)
    time.sleep(known_policies.LOOK_SECONDS)
    for each in processes:
        assert each.etag(name) is None
    if change == "revocation":
        return
    after = current(agent)
    assert after != before
    assert [each.etag(name) for each in processes] == [after, after]


def test_what_is_known_is_not_read_again(
    agent: make.Endpoint,
    processes: list[ModuleType],
    django_assert_num_queries: Callable[..., object],
) -> None:
    before, name = current(agent), str(agent.device.id)
    assert known_policies.etag(name) == before
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        assert known_policies.etag(name) == before


def test_a_lease_is_known_until_it_is_renewed_and_no_longer(
    agent: make.Endpoint, processes: list[ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, name, now = current(agent), str(agent.device.id), time.time()
    assert known_policies.etag(name) == before
    renewed = agent_policy.RENEW.total_seconds()
    for offset, expected in ((renewed - 5, before), (renewed + 1, None), (-60, None)):
        monkeypatch.setattr(time, "time", lambda o=offset: now + o)
        assert known_policies.etag(name) == expected


def test_after_a_step_back_of_the_clock_one_policy_more_is_signed_and_not_one_with_each_poll(
    agent: make.Endpoint, processes: list[ModuleType]
) -> None:
    """What was signed before the step holds again only when its time comes once more."""
    name, later = str(agent.device.id), timezone.now() + timedelta(seconds=60)
    early = agent_policy.current(device_id=agent.device.id, subject=agent.subject, now=later).etag
    assert [each.etag(name) for each in processes] == [None, None]
    after = current(agent)
    assert after != early
    assert current(agent) == after
    assert [each.etag(name) for each in processes] == [after, after]
    assert IssuedPolicy.objects.filter(device_id=agent.device.id).count() == 2


def test_a_process_that_cannot_look_knows_nothing(
    agent: make.Endpoint, processes: list[ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, name = current(agent), str(agent.device.id)
    assert known_policies.etag(name) == before
    with known_policies._memory.reading:  # Somebody else looks, and looks.
        time.sleep(known_policies.LOOK_SECONDS)
        assert known_policies.etag(name) == before
        time.sleep(known_policies.STALE_SECONDS)
        assert known_policies.etag(name) is None
    monkeypatch.setitem(known_policies._CHANGES, connection.vendor, "SELECT nothing FROM nowhere")
    with transaction.atomic():
        assert known_policies.etag(name) is None
        transaction.set_rollback(True)
    monkeypatch.undo()
    assert known_policies.etag(name) == before


def test_changes_are_read_in_bounds(
    agent: make.Endpoint, processes: list[ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, name = current(agent), str(agent.device.id)
    assert known_policies.etag(name) == before
    monkeypatch.setattr(known_policies, "_MOST_CHANGES", 2)
    for _ in range(3):
        SubjectEpoch.objects.create(subject=str(timezone.now()))
    IssuedPolicy.objects.all().delete()
    time.sleep(known_policies.LOOK_SECONDS)
    # Too much changed to say whose policy it was: all is asked anew.
    assert known_policies.etag(name) is None


@pytest.mark.usefixtures("db")
def test_every_table_that_an_answer_rests_on_is_watched() -> None:
    """Who lets an answer rest on one more table lays triggers on it, or reads it each time."""
    read = set(re.findall(r"(?:FROM|JOIN) ([a-z_]+)", known_policies.LATEST))
    looked_at = set(re.findall(r"(?:FROM|JOIN) ([a-z_]+)", known_policies._CHANGES["sqlite"]))
    assert "policies_generation" in looked_at
    # It is only ever added to; what is removed was over two days before.
    assert read - looked_at - {"capture_issuedpolicy"} == _watched()


def _watched() -> set[str]:
    statement = (
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%%_noted_%%'"
        if connection.vendor == "postgresql"
        else "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%%_noted_%%'"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [])
        found = [table for (table,) in cursor.fetchall()]
    assert all(found.count(table) == 3 for table in found), found
    return set(found)


def test_a_change_is_noted_where_it_can_change_an_answer_and_is_soon_gone(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    PolicyChange.objects.all().delete()
    accounts.record_heartbeat(device_id=agent.device.id, policy_epoch=1, consent_epoch=1)
    assert not PolicyChange.objects.exists()
    consent.services.stir(subject=agent.subject)
    assert set(PolicyChange.objects.values_list("subject", flat=True)) == {agent.subject}
    now = timezone.now()
    for later, is_left in ((0, True), (9, True), (11, False)):
        expiry._drop_leftovers(now + timedelta(minutes=later))
        assert PolicyChange.objects.exists() is is_left


@pytest.mark.usefixtures("real_transactions")
def test_a_change_that_began_before_the_last_look_and_ended_after_it_is_seen(
    processes: list[ModuleType],
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("Whoever writes is alone on SQLite.")
    known_policies.etag("0" * 8 + "-0000-4000-8000-" + "0" * 12)
    written, may_end = threading.Event(), threading.Event()

    def slowly() -> None:
        try:
            with transaction.atomic():
                SubjectEpoch.objects.create(subject="early")
                written.set()
                may_end.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=slowly)
    thread.start()
    assert written.wait(10)
    SubjectEpoch.objects.create(subject="late")
    seen = []
    for _ in range(2):
        time.sleep(known_policies.LOOK_SECONDS)
        known_policies.etag("0" * 8 + "-0000-4000-8000-" + "0" * 12)
        seen.append(set(known_policies._memory.marks.new))
        may_end.set()
        thread.join()
    assert seen == [{"late"}, {"late", "early"}]


# What a policy is made of, and which of the two epochs each change of it raises.
MADE_OF = {
    "consent_epoch": "itself",
    "consent_event": "consent",
    "consent_notice_version": "consent",
    "consent_pause": "consent",
    "consent_record": "consent",
    "consent_state": "consent",
    "capture_forgottenspan": "consent",
    "compliance_work_place": "consent",
    "compliance_acknowledgement": "consent",
    "compliance_monitoring_notice": "policies",
    "policies_generation": "itself",
    "policies_transition": "policies",
    "policies_capture_policy_version": "policies",
    "policies_cell_scope": "policies",
    "policies_stop": "policies",
    "policies_stop_lift": "policies",
    "capture_issuedpolicy": "only added to",
    # Another seal key is offered with the next lease; the old one still opens.
    "vault_sealkey": "renewal",
}


def test_a_policy_is_made_of_nothing_whose_change_raises_no_epoch(
    nordhafen: make.House, agent: make.Endpoint
) -> None:
    """Who makes policies of one more table says here how agents learn that it changed."""
    current(agent)
    IssuedPolicy.objects.all().delete()
    for memory in (cells._told, selectors._newest):
        memory.clear()
    read: set[str] = set()

    def listen(run: Callable[..., object], statement: str, *rest: object) -> object:
        read.update(re.findall(r'(?:FROM|JOIN) "?([a-z_]+)"?', statement))
        return run(statement, *rest)

    with (
        connections["default"].execute_wrapper(listen),
        connections["keys"].execute_wrapper(listen),
    ):
        current(agent)
    assert read - set(MADE_OF) == set()
    assert {"consent_pause", "policies_transition", "vault_sealkey"} <= read
