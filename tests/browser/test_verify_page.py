"""The page of proofs and the list of accesses as people use them: served, saved, tampered with."""

import contextlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from audit import own, selectors
from audit.models import SubjectIndex
from governance.capture import gate
from governance.capture.errors import AccessDeniedError
from governance.rights import takeaway
from governance.web import standalone
from tests import make
from tests.browser.test_pages import press_until, sign_in
from tests.browser.verify_cases import AT, LOG, PROOF, PURPOSE
from tests.browser.verify_cases_trust import RECEIPT_KEY, receipt
from tests.reference_log import Log

pytestmark = [pytest.mark.browser, pytest.mark.once]

NO_ALGORITHM = """const own = crypto.subtle.importKey.bind(crypto.subtle);
crypto.subtle.importKey = (format, key, algorithm, ...rest) => algorithm.name === "%s"
  ? Promise.reject(new DOMException("unknown", "NotSupportedError"))
  : own(format, key, algorithm, ...rest);"""
KEYS = standalone.TrustedFiles(vkeys=f"{LOG.vkeys}{RECEIPT_KEY.vkey}\n", policy=LOG.policy)


def save(folder: Path, trusted: standalone.TrustedFiles = KEYS) -> str:
    path = folder / standalone.NAME
    path.write_bytes(standalone.page(trusted))
    return path.as_uri()


@pytest.fixture
def offline(chromium: Browser) -> Iterator[Page]:
    """A browser without a network; whatever goes wrong inside the page fails the test."""
    context = chromium.new_context(offline=True)
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text))
    yield page
    context.close()
    assert said == []


def give(page: Page, file: bytes, name: str = "entry.tlog-proof") -> None:
    payload: Any = {"name": name, "mimeType": "application/octet-stream", "buffer": file}
    page.locator("[data-verify-file]").set_input_files(payload)
    expect(page.locator("[data-verify-name]")).to_contain_text(name)


def stands(page: Page, state: str) -> None:
    expect(page.locator(".verify")).to_have_attribute("data-state", state, timeout=15_000)


def checks(page: Page, ok: str = "true") -> list[str]:
    return page.locator(f"[data-verify-checks] li[data-ok={ok}]").all_inner_texts()


def test_a_saved_page_checks_a_proof_without_a_network_and_says_each_step(
    offline: Page, tmp_path: Path
) -> None:
    offline.goto(save(tmp_path))
    assert len(offline.locator("[data-verify-keys] li").all()) == 4
    witness = LOG.signers[2]
    expect(offline.locator("[data-verify-keys]")).to_contain_text(
        f"{witness.name}, Ed25519, key id {witness.id.hex()}"
    )
    give(offline, PROOF.encode())
    stands(offline, "verified")
    told = "\n".join(checks(offline))
    for words in (
        f"proof of entry {AT}",
        "counts 300 entries",
        "lead to the signed root",
        "The entry is in its one form: access:allowed",
        "Disclosed: application = freight-desk",
        "Ed25519 signature of log.example/remit holds",
        "ML-DSA-44 signature of log.example/remit holds",
        "Witness witness.example/one signed at",
    ):
        assert words in told
    give(offline, PROOF.replace(f"index {AT}\n", "index 5\n").encode(), "changed.tlog-proof")
    stands(offline, "failed")
    assert checks(offline, "false") == [
        "It does not hold: the path leads to another root: the entry was changed or is not there"
    ]


def test_a_saved_page_says_that_it_proves_nothing_against_its_operator(
    offline: Page, tmp_path: Path
) -> None:
    offline.goto(save(tmp_path))
    expect(offline.get_by_text("proves nothing against the operator")).to_be_visible()
    policy = offline.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    offline.set_viewport_size({"width": 390, "height": 800})
    assert offline.evaluate("document.documentElement.scrollWidth") == 390, "it fits a phone"


def test_a_page_without_keys_trusts_nobody_until_they_are_pasted(
    offline: Page, tmp_path: Path
) -> None:
    offline.goto(save(tmp_path, standalone.TrustedFiles()))
    give(offline, PROOF.encode())
    stands(offline, "failed")
    assert "no key is trusted" in checks(offline, "false")[0]
    offline.get_by_text("Trust other keys").click()
    offline.get_by_label("Policy (C2SP").fill(LOG.policy)
    give(offline, PROOF.encode(), "again.tlog-proof")
    stands(offline, "verified")


def test_receipts_own_entries_and_copies_are_told_apart_and_checked(
    offline: Page, tmp_path: Path
) -> None:
    offline.goto(save(tmp_path))
    give(offline, json.dumps(receipt()).encode(), "receipt.json")
    stands(offline, "verified")
    assert any("signed receipt" in line for line in checks(offline))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as held:
        held.writestr("receipts/1.json", json.dumps(receipt()))
        held.writestr("entry.tlog-proof", PROOF)
    give(offline, packed.getvalue(), "copy.zip")
    stands(offline, "verified")
    assert checks(offline) == ["receipts/1.json holds", "entry.tlog-proof holds"]
    with zipfile.ZipFile(packed, "a") as held:
        held.writestr("receipts/2.json", json.dumps(receipt(proof=PROOF)))
    give(offline, packed.getvalue(), "changed.zip")
    stands(offline, "failed")
    assert checks(offline, "false") == [
        "receipts/2.json does not hold: receipt and entry are not about each other"
    ]


@pytest.mark.parametrize(
    ("algorithm", "state"), [("ML-DSA-44", "verified"), ("Ed25519", "partial")]
)
def test_what_a_browser_cannot_check_it_says(
    offline: Page, tmp_path: Path, algorithm: str, state: str
) -> None:
    offline.add_init_script(NO_ALGORITHM % algorithm)
    offline.goto(save(tmp_path))
    give(offline, PROOF.encode())
    stands(offline, state)
    assert any(
        line.startswith(f"This browser cannot check {algorithm}")
        for line in checks(offline, "unknown")
    )


def test_without_a_witness_that_is_known_the_seal_stays_grey(offline: Page, tmp_path: Path) -> None:
    offline.goto(save(tmp_path, standalone.TrustedFiles(vkeys=LOG.vkeys)))
    give(offline, Log(LOG.entries, signers=LOG.signers[:2]).proof(AT, [PURPOSE]))
    stands(offline, "partial")
    assert checks(offline, "unknown") == [
        f"witness.example/one (key id {LOG.signers[2].id.hex()}, Ed25519) did not sign"
    ]


def test_the_file_is_the_same_each_time_and_changes_with_its_keys() -> None:
    assert standalone.page(KEYS) == standalone.page(KEYS)
    assert standalone.page(KEYS) != standalone.page(standalone.TrustedFiles())


# The service's own pages.


@pytest.fixture
def site(
    live_server: LiveServer, real_transactions: None, open_log: Callable[[], None]
) -> tuple[str, make.House, Callable[[], None]]:
    made = make.house()
    open_log()
    return str(live_server.url).replace("localhost", "127.0.0.1"), made, open_log


def look(made: make.House) -> None:
    """Let mira and somebody else ask for her captures: one line each in her list."""
    for actor, purpose in ((made.actor("mira"), "own-access"), (made.jonas, make.TRAIN)):
        with contextlib.suppress(AccessDeniedError):
            gate.list_frames(
                actor=actor,
                purpose=purpose,
                filters=gate.FrameFilter(subject=made.subject("mira")),
            )


@pytest.fixture
def mira(
    chromium: Browser, site: tuple[str, make.House, Callable[[], None]]
) -> Iterator[tuple[Page, make.House]]:
    address, made, turn = site
    look(made)
    turn()
    context = chromium.new_context(base_url=address, viewport={"width": 390, "height": 900})
    page = sign_in(context, address, "mira")
    turn()
    yield page, made
    context.close()


def check_list(page: Page) -> None:
    page.goto("/access/")
    page.get_by_role("button", name="Check now").click()


def test_each_line_and_the_numbers_of_all_own_entries_are_checked(
    mira: tuple[Page, make.House],
) -> None:
    page, made = mira
    page.goto("/access/")
    expect(page.locator(".seal").first).to_have_attribute("data-state", "recorded")
    press_until(page, "[data-verify-run]")
    page.keyboard.press("Enter")
    stands(page, "verified")
    last = own.proofs_of(subject=made.subject("mira")).proofs
    assert any(f"from 1 to {len(last)} without a gap" in line for line in checks(page))
    for seal in page.locator(".proofline .seal").all():
        expect(seal).to_have_attribute("data-state", "verified")
    expect(page.locator("[data-verify-title]")).to_have_text(
        "Every line on this page is in the signed log"
    )


def test_an_entry_that_was_hidden_is_missed(mira: tuple[Page, make.House]) -> None:
    page, made = mira
    hidden = selectors.entries_about(subject=made.subject("mira"))[1]
    SubjectIndex.objects.filter(entry__uuid=hidden.uuid).delete()
    check_list(page)
    stands(page, "failed")
    expect(page.locator("[data-verify-text]")).to_contain_text(
        f"entries about you are missing (numbers {hidden.seq})"
    )
    expect(page.locator("[data-verify-title]")).to_have_text("Something on this page does not hold")


def rewritten(page: Page, address: str, change: Callable[[str], str]) -> None:
    """Let the operator serve something else at an address."""

    def answer(route: Route) -> None:
        fetched = route.fetch()
        route.fulfill(response=fetched, body=change(fetched.text()))

    page.route(address, answer)


CHANGES: dict[str, tuple[str, Callable[[str], str], str]] = {
    "another purpose": (
        "**/access/",
        lambda text: text.replace("&quot;pur&quot;: &quot;", "&quot;pur&quot;: &quot;x", 1),
        "a line shows something else",
    ),
    "another time": (
        "**/access/",
        lambda text: re.sub(r'(data-fact="t">)\d{4}', r"\g<1>2001", text, count=1),
        "a line shows something else",
    ),
    "an invented line": (
        "**/access/",
        lambda text: re.sub(r'(data-line=")[0-9a-f]{8}', r"\g<1>00000000", text, count=1),
        "not among your entries",
    ),
    "another index": (
        "**/access/proofs",
        lambda text: re.sub(r"\\nindex (\d+)", lambda found: f"\\nindex {int(found[1]) - 1}", text),
        "the path leads to another root",
    ),
    "somebody else's entries": (
        "**/access/proofs",
        lambda text: re.sub(r"index \d+", "index 0", text),
        "it does not hold",
    ),
}


def test_what_the_operator_shows_differently_fails(mira: tuple[Page, make.House]) -> None:
    page, _ = mira
    for address, alter, words in CHANGES.values():
        rewritten(page, address, alter)
        check_list(page)
        stands(page, "failed")
        assert words.lower() in "\n".join(checks(page, "false")).lower()
        page.unroute(address)
    check_list(page)
    stands(page, "verified")


def test_the_served_page_checks_what_the_service_hands_out(
    mira: tuple[Page, make.House], tmp_path: Path
) -> None:
    page, made = mira
    page.goto("/verify")
    printed = page.locator(".kv .mono").inner_text()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the page").click()
    file = Path(waiting.value.path()).read_bytes()
    assert waiting.value.suggested_filename == standalone.NAME
    assert standalone.digest(file) == printed
    taken = takeaway.take(subject=made.subject("mira"), actor=made.actor("mira"))
    packed = takeaway.archive(taken, subject=made.subject("mira"))
    give(page, packed, "my-log-key.zip")
    stands(page, "verified")
    assert checks(page) == ["log/entries.json holds"]
    # The entry about the taking itself.
    assert checks(page, "unknown") == [
        "1 are not signed into the log yet; that takes a few minutes"
    ]
    (tmp_path / standalone.NAME).write_bytes(file)
    page.goto((tmp_path / standalone.NAME).as_uri())
    give(page, packed, "again.zip")
    stands(page, "verified")


def test_a_page_without_a_secure_context_says_what_to_do(
    chromium: Browser, site: tuple[str, make.House, Callable[[], None]], settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["insecure.test"]
    page = chromium.new_page()
    page.goto(site[0].replace("127.0.0.1", "insecure.test") + "/verify")
    expect(page.locator("[data-verify-text]")).to_contain_text("Open the page over https")
    expect(page.locator("[data-verify-fallback]")).to_be_visible()
    page.close()


def test_the_key_and_the_question_work_without_javascript(
    chromium: Browser, site: tuple[str, make.House, Callable[[], None]]
) -> None:
    address, made, turn = site
    look(made)
    turn()
    context: BrowserContext = chromium.new_context(base_url=address, java_script_enabled=False)
    page = sign_in(context, address, "mira")
    page.goto("/access/")
    assert "JavaScript is off" in page.content()
    expect(page.get_by_role("button", name="Check now")).to_be_hidden()
    page.get_by_role("link", name="Ask about this").first.click()
    expect(page.get_by_label("Your question")).to_have_value(re.compile("About the log entry "))
    page.get_by_role("button", name="Send").click()
    expect(page.locator("h1")).to_have_text("Information about my data")
    page.goto("/access/key/")
    page.get_by_role("button", name="Download my log key").click()
    expect(page.get_by_role("alert")).to_contain_text("Tick the box first")
    page.get_by_label("I know that this file links").check()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download my log key").click()
    names = zipfile.ZipFile(waiting.value.path()).namelist()
    assert {"READ-ME.txt", "log/tag-key.txt", "log/disclosures.json"} <= set(names)
    context.close()
