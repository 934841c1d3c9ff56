"""Ciphertext objects are whole, private, and found by what they are."""

import hashlib
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.utils import timezone

from governance import env
from governance.vault import files, storage
from governance.vault.errors import KeyFileError, StorageUnavailableError, UnsealError
from tests.infrastructure.servers import free_port


@pytest.fixture
def folder(tmp_path: Path, settings: object) -> Path:
    configured: dict[str, Any] = dict(storages.backends)
    configured["captures"] = configured["captures"] | {"OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = configured  # type: ignore[attr-defined] # pytest-django's proxy.
    return tmp_path


def test_an_object_is_named_by_its_digest_and_closed_to_others(folder: Path) -> None:
    ref = storage.put(b"ciphertext")
    path = folder / ref.key
    assert ref.digest == hashlib.sha256(b"ciphertext").digest()
    assert path.name == ref.digest.hex()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert storage.put(b"ciphertext") == ref
    assert storage.get(ref.key) == b"ciphertext"
    assert len([each for each in folder.rglob("*") if each.is_file()]) == 1


@pytest.fixture(params=["a directory", pytest.param("a bucket", marks=pytest.mark.real)])
def store(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    """Each kind of store, empty."""
    if request.param == "a directory":
        url = str(tmp_path)
    else:
        server = request.getfixturevalue("object_store")
        patch = request.getfixturevalue("monkeypatch")
        for name, value in server.environment.items():
            patch.setenv(name, value)
        url = server.url.replace("/remit", f"/{tmp_path.name}")
    settings.STORAGES = dict(storages.backends) | {"captures": env.objects(url)}


@pytest.mark.usefixtures("store")
def test_every_store_keeps_finds_lists_and_forgets() -> None:
    refs = [storage.put(content) for content in (b"one", b"two", b"one")]
    assert refs[0] == refs[2]
    assert storage.get(refs[0].key) == b"one"
    assert sorted(storage.keys()) == sorted({ref.key for ref in refs})
    assert abs(storage.stored_at(refs[1].key) - timezone.now()) < timedelta(minutes=1)
    storage.delete(refs[0].key)
    storage.delete(refs[0].key)
    with pytest.raises(UnsealError):
        storage.get(refs[0].key)
    assert list(storage.keys()) == [refs[1].key]


def test_a_store_that_is_away_is_said_to_be_in_a_moment(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    away = env.objects(f"s3://captures?endpoint=http://127.0.0.1:{free_port()}&region=nowhere")
    settings.STORAGES = dict(storages.backends) | {"captures": away}
    started = time.monotonic()
    with pytest.raises(StorageUnavailableError):
        storage.put(b"x")
    with pytest.raises(StorageUnavailableError):
        storage.get("ab/cd")
    with pytest.raises(StorageUnavailableError):
        storage.delete("ab/cd")
    assert time.monotonic() - started < 10
    (tmp_path / "file").write_bytes(b"")
    settings.STORAGES = dict(storages.backends) | {"captures": env.objects(str(tmp_path / "file"))}
    with pytest.raises(StorageUnavailableError):
        storage.put(b"x")


@pytest.mark.parametrize(
    "url", ["ftp://host/captures", "s3://captures?endpoint=http://h&color=red", "s3://captures?red"]
)
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        env.objects(url)


def test_a_changed_object_is_not_returned(folder: Path) -> None:
    ref = storage.put(b"ciphertext")
    (folder / ref.key).write_bytes(b"ciphertexT")
    with pytest.raises(UnsealError):
        storage.get(ref.key)


def test_a_deleted_object_is_gone_and_may_be_deleted_again(folder: Path) -> None:
    ref = storage.put(b"ciphertext")
    storage.delete(ref.key)
    storage.delete(ref.key)
    with pytest.raises(UnsealError):
        storage.get(ref.key)


def test_file_and_directory_are_on_disk_before_put_returns(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def note(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    ref = storage.put(b"ciphertext")
    target = folder / ref.key
    assert any(name.startswith(f"{target.parent}/.{target.name}.") for name in synced)
    assert synced[-1] == str(target.parent)
    assert str(folder) in synced, "The new directories' names are durable too."


def test_a_write_cut_short_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(_: int) -> None:
        raise OSError

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(OSError):
        files.write_once(tmp_path / "secret", b"s")
    assert list(tmp_path.iterdir()) == []


def test_the_second_writer_of_a_secret_does_not_win(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "secret"
    assert files.write_once(path, b"first")
    assert not files.write_once(path, b"other")
    assert files.read_secret(path, length=5) == b"first"
    assert [each.name for each in path.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize("length", [4, 6])
def test_a_secret_of_another_length_is_damaged(tmp_path: Path, length: int) -> None:
    files.write_once(tmp_path / "secret", b"first")
    with pytest.raises(KeyFileError):
        files.read_secret(tmp_path / "secret", length=length)


def test_a_destroyed_secret_is_overwritten_before_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    files.write_once(path, b"first")
    os.link(path, tmp_path / "second-name")
    files.destroy(path)
    files.destroy(path)
    assert not path.exists()
    left = (tmp_path / "second-name").read_bytes()
    assert len(left) == 5
    assert left != b"first"
