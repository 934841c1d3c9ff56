"""What a person keeps of a decision: a page, a signed file, a PDF with that file inside."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from pypdf import PdfReader
from rdflib import Graph

from audit.verifier.__main__ import main
from tests import make
from tests.governance.portal.test_pages import choose, signed_in

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),
]


def is_verified(folder: Path, receipt: bytes) -> bool:
    """Ask `remit-verify.pyz receipt`, which has the file and the published keys alone."""
    (folder / "receipt.json").write_bytes(receipt)
    keys = str(Path(settings.REMIT_LOG_DIR) / "vkeys")
    return main(["receipt", str(folder / "receipt.json"), "--vkey", keys]) == 0


def test_r11_a_decision_yields_a_signed_receipt_that_is_checked_without_the_service(
    nordhafen: make.House, open_log: Callable[[], None], tmp_path: Path
) -> None:
    tariq = signed_in("tariq")
    place = choose(tariq, "pointer", answer="yes")
    early = tariq.get(f"{place}receipt.json")
    assert not is_verified(tmp_path, early.content), "its entry waits for its place in the log"
    open_log()
    saved = tariq.get(f"{place}receipt.json")
    assert saved["Content-Disposition"].startswith("attachment;")
    assert is_verified(tmp_path, saved.content)
    envelope = json.loads(saved.content)
    forged = json.dumps(envelope | {"payload": envelope["payload"][:-8] + "AAAAAAA="})
    assert not is_verified(tmp_path, forged.encode())
    linked = tariq.get(f"{place}receipt.jsonld")
    assert linked["Content-Type"] == "application/ld+json"
    assert len(Graph().parse(data=linked.content, format="json-ld")) > 50
    # It stays listed for good, on the page of consent and over the API.
    assert f'href="{place}"' in tariq.get("/consent/").text
    held = tariq.get("/api/v1/me/receipts").json()["receipts"]
    assert [each["id"] for each in held] == [place.split("/")[-2]]


@pytest.mark.parametrize(
    ("language", "said"), [("en", "allowed"), ("de", "erlaubt"), ("fr", "permis")]
)
def test_r11_the_receipt_on_paper_reads_like_the_page_and_carries_the_signed_one(
    nordhafen: make.House,
    open_log: Callable[[], None],
    tmp_path: Path,
    language: str,
    said: str,
) -> None:
    tariq = signed_in("tariq")
    place = choose(tariq, "pointer", answer="yes")
    open_log()
    tariq.post("/language/", {"language": language, "next": "/"})
    answer = tariq.get(f"{place}receipt.pdf")
    assert answer["Content-Type"] == "application/pdf"
    paper = PdfReader(io.BytesIO(answer.content))
    text = " ".join(page.extract_text() for page in paper.pages)
    words = " ".join(text.split())
    assert said in words.lower()
    assert "Freight Desk" in words
    assert place.split("/")[-2] in words
    assert str(paper.metadata.title if paper.metadata else "").endswith(place.split("/")[-2])
    (inside,) = paper.attachments["receipt.json"]
    assert is_verified(tmp_path, inside)


def test_nobody_else_gets_a_receipt_in_any_form(nordhafen: make.House) -> None:
    place = choose(signed_in("tariq"), "pointer", answer="yes")
    for name in ("", "receipt.json", "receipt.jsonld", "receipt.pdf"):
        assert signed_in("mira").get(f"{place}{name}").status_code == 404
        assert signed_in("petra").get(f"{place}{name}").status_code == 404
        assert Client().get(f"{place}{name}").status_code == 302
