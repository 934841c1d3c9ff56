"""An unsafe installation is refused before it serves anyone."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.checks import CheckMessage

from governance import checks, env
from governance.capture import recipes


def ids(found: list[CheckMessage]) -> set[str]:
    return {str(message.id) for message in found}


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A sound production installation, for each test to spoil."""
    vault = tmp_path / "vault"
    vault.mkdir(mode=0o700)
    settings = SimpleNamespace()
    settings.REMIT_EXTERNAL_ORIGIN = "https://remit.example"
    settings.REMIT_DEMO = False
    settings.REMIT_PASSWORD_LOGIN = False
    settings.REMIT_STEP_UP_SECONDS = 300
    settings.REMIT_OFFICE_SECOND_FACTOR = True
    settings.REMIT_OFFICE_IDLE_SECONDS = 1800
    settings.REMIT_MAIL_FROM = "privacy@remit.example"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.DEBUG = False
    settings.SECRET_KEY = "s" * 64
    settings.REMIT_KEYS_DIR = settings.REMIT_VAULT_DIR = vault
    settings.REMIT_STORAGE_URL = str(tmp_path / "objects")
    settings.REMIT_MIN_CONTRIBUTORS = 20
    settings.REMIT_SCREENS = True
    settings.REMIT_REDACTION_PROFILE = "fast"
    settings.REMIT_REDACTION_MODEL = settings.REMIT_EMPLOYEE_NUMBER = ""
    settings.DATABASES = {
        "default": env.sqlite(tmp_path / "data.sqlite3"),
        "keys": env.sqlite(vault / "keys.sqlite3", journal="TRUNCATE"),
    }
    monkeypatch.setattr(checks, "settings", settings)
    monkeypatch.setattr(recipes, "settings", settings)
    return settings


ALL = [
    checks.origin,
    checks.mail,
    checks.secrets_kept,
    checks.keys_apart,
    checks.sqlite_durable,
    checks.redaction,
    checks.pictures_refused,
    checks.releases_large_enough,
]


def found(setup: Any) -> set[str]:
    return set().union(*(ids(check(None)) for check in ALL))


def test_a_sound_installation_passes(setup: Any) -> None:
    assert found(setup) == set()


def _same_database(setup: Any) -> None:
    setup.DATABASES = dict.fromkeys(("default", "keys"), setup.DATABASES["keys"])


def _lazy_sqlite(setup: Any) -> None:
    setup.DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA synchronous=NORMAL"


def _deferred_sqlite(setup: Any) -> None:
    setup.DATABASES["default"]["OPTIONS"]["transaction_mode"] = "DEFERRED"


def _keys_in_wal(setup: Any) -> None:
    setup.DATABASES["keys"] = env.sqlite(Path("/nowhere"), journal="WAL")


def _open_directory(setup: Any) -> None:
    setup.REMIT_VAULT_DIR.chmod(0o750)


def _keys_among_objects(setup: Any) -> None:
    setup.REMIT_STORAGE_URL = str(setup.REMIT_VAULT_DIR.parent)


def _mail_into_files(setup: Any) -> None:
    setup.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"


def _a_strange_model(setup: Any) -> None:
    setup.REMIT_REDACTION_PROFILE = "full"
    setup.REMIT_REDACTION_MODEL = str(setup.REMIT_VAULT_DIR)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda s: setattr(s, "REMIT_EXTERNAL_ORIGIN", "http://remit.example"), "remit.E001"),
        (lambda s: setattr(s, "REMIT_DEMO", True), "remit.E002"),
        (lambda s: setattr(s, "REMIT_PASSWORD_LOGIN", True), "remit.W003"),
        (lambda s: setattr(s, "REMIT_STEP_UP_SECONDS", 0), "remit.E014"),
        (lambda s: setattr(s, "REMIT_OFFICE_SECOND_FACTOR", False), "remit.W019"),
        (lambda s: setattr(s, "REMIT_OFFICE_IDLE_SECONDS", 0), "remit.W019"),
        (lambda s: setattr(s, "SECRET_KEY", "short"), "remit.E004"),
        (lambda s: setattr(s, "DEBUG", True), "remit.E005"),
        (_open_directory, "remit.E006"),
        (_same_database, "remit.E007"),
        (_keys_among_objects, "remit.E008"),
        (_lazy_sqlite, "remit.E009"),
        (_deferred_sqlite, "remit.E009"),
        (_keys_in_wal, "remit.E009"),
        (lambda s: setattr(s, "REMIT_MIN_CONTRIBUTORS", 3), "remit.W010"),
        (lambda s: setattr(s, "REMIT_REDACTION_PROFILE", "best"), "remit.E011"),
        (_a_strange_model, "remit.E012"),
        (lambda s: setattr(s, "REMIT_EMPLOYEE_NUMBER", "EMP-["), "remit.E013"),
        (lambda s: setattr(s, "REMIT_SCREENS", False), "remit.I014"),
        (_mail_into_files, "remit.E020"),
    ],
)
def test_each_fault_is_named(setup: Any, spoil: Callable[[Any], None], expected: str) -> None:
    spoil(setup)
    assert found(setup) == {expected}


def test_the_demo_is_fine_on_this_machine(setup: Any) -> None:
    setup.REMIT_DEMO = setup.REMIT_PASSWORD_LOGIN = True
    for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000"):
        setup.REMIT_EXTERNAL_ORIGIN = f"http://{host}"
        assert found(setup) == set()


def test_postgresql_is_not_measured_by_sqlites_rules(setup: Any) -> None:
    setup.DATABASES = {
        "default": env.database("postgres://u:p@db:5432/remit"),
        "keys": env.database("postgres://u:p@keys:5432/remit"),
    }
    assert found(setup) == set()
