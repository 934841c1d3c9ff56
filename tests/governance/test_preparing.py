"""What `serve` prepares may be repeated, and two of them never share a state directory."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from governance.management import preparing


def test_one_serve_at_a_time_holds_a_state_directory(tmp_path: Path) -> None:
    with preparing.alone(tmp_path / "var"):
        with (
            pytest.raises(CommandError, match="Another `serve`"),
            preparing.alone(tmp_path / "var"),
        ):
            pass
        with preparing.alone(tmp_path / "other"):
            pass
    with preparing.alone(tmp_path / "var"):
        pass
    assert (tmp_path / "var").stat().st_mode & 0o077 == 0


def test_pages_are_collected_again_only_when_something_changed(
    tmp_path: Path, settings: Any
) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    preparing.pages()
    collected = [path for path in settings.STATIC_ROOT.rglob("*.css") if path.is_file()]
    assert collected
    collected[0].unlink()
    preparing.pages()
    assert not collected[0].exists(), "Nothing changed, so nothing was done."
    (settings.STATIC_ROOT / ".collected").write_text("older", encoding="ascii")
    preparing.pages()
    assert collected[0].exists()


@pytest.mark.django_db
def test_keys_are_made_once(tmp_path: Path, settings: Any) -> None:
    for name in ("KEYS", "LOG", "VAULT"):
        setattr(settings, f"REMIT_{name}_DIR", tmp_path / name.lower())
    settings.REMIT_WITNESS_POLICY = str(tmp_path / "log" / "policy")

    def secrets() -> dict[str, bytes]:
        files = [*(tmp_path / "keys").rglob("*"), *(tmp_path / "vault").rglob("*")]
        return {str(path): path.read_bytes() for path in files if path.is_file()}

    preparing.keys()
    made = secrets()
    assert made
    assert all(Path(path).stat().st_mode & 0o077 == 0 for path in made)
    preparing.keys()
    assert secrets() == made
