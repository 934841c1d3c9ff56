"""Enrolment codes and devices."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from audit.actors import Actor
from audit.models import Entry
from governance.accounts import enrolment, selectors, services
from governance.accounts.errors import (
    DeviceKeyError,
    EnrolmentCodeError,
    UnknownDeviceError,
    UnknownPersonError,
)
from governance.accounts.models import Device, EnrolmentCode, Person

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, 34, 56, tzinfo=UTC)


@pytest.fixture
def mira() -> str:
    made = services.create_person(
        username="mira", display_name="Mira", actor=Actor.system("seed"), now=NOW
    )
    return made.subject_key


def enrol(code: str, key: bytes = b"k" * 32, minutes: int = 1) -> Device:
    return services.enrol_device(
        code=code,
        public_key=key,
        label="Desk",
        platform="linux",
        now=NOW + timedelta(minutes=minutes),
    )


def test_a_code_enrols_one_device_once(mira: str) -> None:
    code = services.make_enrolment_code(subject=mira, now=NOW)
    device = enrol(code)
    assert selectors.devices_of(mira) == [device]
    assert selectors.device(device.id) == device
    with pytest.raises(EnrolmentCodeError):
        enrol(code, b"l" * 32)
    assert Entry.objects.filter(event="device:enrolled").count() == 1


@pytest.mark.parametrize("minutes", [10, 11, 1440])
def test_a_code_dies_after_ten_minutes(mira: str, minutes: int) -> None:
    code = services.make_enrolment_code(subject=mira, now=NOW)
    with pytest.raises(EnrolmentCodeError):
        enrol(code, minutes=minutes)
    assert not Device.objects.exists()


def test_a_new_code_kills_the_old_one_and_only_a_mac_is_kept(mira: str) -> None:
    first = services.make_enrolment_code(subject=mira, now=NOW)
    second = services.make_enrolment_code(subject=mira, now=NOW)
    stored = [bytes(code.code_mac) for code in EnrolmentCode.objects.all()]
    assert stored == [enrolment.code_mac(second)]
    assert second.encode() not in stored[0]
    with pytest.raises(EnrolmentCodeError):
        enrol(first)
    enrol(second.lower().replace("-", " "))


def test_what_is_no_code_no_key_or_no_person_is_refused(mira: str) -> None:
    code = services.make_enrolment_code(subject=mira, now=NOW)
    with pytest.raises(DeviceKeyError):
        enrol(code, b"short")
    with pytest.raises(EnrolmentCodeError):
        enrol("00000-00000")
    with pytest.raises(UnknownPersonError):
        services.make_enrolment_code(subject=str(uuid4()))
    enrol(code)
    again = services.make_enrolment_code(subject=mira, now=NOW)
    with pytest.raises(DeviceKeyError):
        enrol(again)


def test_who_left_enrols_nothing(mira: str) -> None:
    code = services.make_enrolment_code(subject=mira, now=NOW)
    Person.objects.update(is_active=False)
    with pytest.raises(EnrolmentCodeError):
        enrol(code)


def test_only_the_owner_or_an_officer_revokes_and_another_learns_nothing(mira: str) -> None:
    device = enrol(services.make_enrolment_code(subject=mira, now=NOW))
    tariq = Actor(str(uuid4()), "employee")
    with pytest.raises(UnknownDeviceError) as foreign:
        services.revoke_device(device_id=device.id, actor=tariq, owner=tariq.key)
    with pytest.raises(UnknownDeviceError) as missing:
        services.revoke_device(device_id=UUID(int=1), actor=tariq, owner=tariq.key)
    assert str(foreign.value) == str(missing.value)
    owner = Actor(mira, "employee")
    services.revoke_device(device_id=device.id, actor=owner, owner=mira, now=NOW)
    services.revoke_device(device_id=device.id, actor=owner, owner=mira)
    found = selectors.device(device.id)
    assert found is not None
    assert found.revoked_at == NOW
    assert Entry.objects.filter(event="device:revoked").count() == 1


def test_a_heartbeat_keeps_the_hour_and_not_the_minute(mira: str) -> None:
    device = enrol(services.make_enrolment_code(subject=mira, now=NOW))
    services.record_heartbeat(device_id=device.id, policy_epoch=4, consent_epoch=2, now=NOW)
    device.refresh_from_db()
    assert device.last_seen == NOW.replace(minute=0, second=0)
    assert (device.policy_epoch, device.consent_epoch) == (4, 2)
