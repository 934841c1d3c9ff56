"""An installation that has none of the extras starts, works, and says what it refuses."""

from pathlib import Path

import pytest

from tests.infrastructure.laid import Tables
from tests.infrastructure.processes import Installation, NotReadyError, installation

pytestmark = [pytest.mark.real, pytest.mark.once]
# Python finds them no more, whoever asks: as where they were never installed.
HIDE = """
import importlib.machinery as m
HIDDEN = {"cv2", "numpy", "tesserocr", "tessdata", "hyperscan", "onnxruntime", "tokenizers"}
find = m.PathFinder.find_spec
def hide(name, path=None, target=None):
    return None if name.partition(".")[0] in HIDDEN else find(name, path, target)
m.PathFinder.find_spec = hide
"""


def without_extras(folder: Path, **settings: str) -> Installation:
    (folder / "hidden").mkdir(exist_ok=True)
    (folder / "hidden" / "sitecustomize.py").write_text(HIDE)
    return Installation(folder / "var", {"PYTHONPATH": str(folder / "hidden"), **settings})


@pytest.mark.soak
def test_it_serves_and_says_at_its_start_that_pictures_are_refused(
    tmp_path: Path, tables: Tables
) -> None:
    hidden = without_extras(tmp_path).settings
    with tables.laid(tmp_path / "var") as urls, installation(tmp_path, **hidden, **urls) as made:
        served = made.start("serve")
        made.wait_ready()
        said = served.log.read_text()
    assert "Pictures of screens are refused. Screens need the extra `ocr`" in said
    assert "requirements-ocr.lock" in said


def test_it_is_told_by_the_checks_and_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    model = {"REMIT_REDACTION_PROFILE": "full", "REMIT_REDACTION_MODEL": str(tmp_path)}
    for wrong, said in (
        (model, "The extra ner is not installed"),
        ({"REMIT_SCREENS": "1"}, "requirements-ocr.lock"),
    ):
        with pytest.raises(NotReadyError, match=said):
            without_extras(tmp_path, **wrong).manage("check")
