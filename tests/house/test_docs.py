"""What is documented exists, and what exists is documented."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from audit.actions import Action
from governance.decisions import Reason

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
LOG_FORMAT = (ROOT / "docs/log-format.md").read_text()


def test_every_setting_that_is_read_is_documented() -> None:
    source = (ROOT / "governance/settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    assert read
    assert {name for name in read if f"`{name}`" not in OPERATIONS} == set()


@pytest.mark.parametrize("action", list(Action))
def test_every_action_of_the_log_is_documented(action: Action) -> None:
    assert f"`{action.value}`" in LOG_FORMAT


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_documented(reason: Reason) -> None:
    assert f"`{reason.value}`" in (ROOT / "docs/reasons.md").read_text()


def test_the_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", readme, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_links_between_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_no_migration_imports_the_code_it_outlives() -> None:
    for path in ROOT.glob("**/migrations/*.py"):
        if ".venv" not in path.parts:
            assert not re.search(
                r"^(?:from|import) (?:audit(?!\.migrations)|consent|governance)\b",
                path.read_text(),
                re.MULTILINE,
            ), path


def test_the_api_document_is_the_api(tmp_path: Path) -> None:
    fresh = tmp_path / "openapi.yaml"
    subprocess.run(
        [sys.executable, "manage.py", "spectacular", "--file", str(fresh), "--validate"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={"REMIT_VAR": str(tmp_path / "var"), "PATH": "/usr/bin:/bin"},
    )
    assert fresh.read_text() == (ROOT / "docs/openapi.yaml").read_text(), "Run `make schema`."


def test_production_settings_pass_the_deploy_check(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env={
            "PATH": "/usr/bin:/bin",
            "REMIT_VAR": str(tmp_path / "var"),
            "REMIT_EXTERNAL_ORIGIN": "https://remit.example",
            "ALLOWED_HOSTS": "remit.example",
            "SECRET_KEY": "x" * 20 + "Kq7!vD2#pL9$wZ4%tB6^nM8&cF1*hJ3(gS5)" * 2,
            "DATABASE_URL": "postgres://remit@127.0.0.1/remit",
            "REMIT_KEYSTORE_URL": "postgres://keys@127.0.0.1/keys",
            "REDIS_URL": "redis://127.0.0.1:6379/0",
        },
    )
    assert done.returncode == 0, done.stderr


def test_the_tests_run_on_the_service_s_own_settings() -> None:
    assert settings.ROOT_URLCONF == "governance.urls"
    assert settings.ATOMIC_REQUESTS is False
