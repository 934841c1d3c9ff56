"""verify.js in a real browser under our CSP: untouched it turns green, one byte changed it says no.

The page is made here after the contract in the script's header; it is not the service's own page,
so that the script is tested for what it promises and nothing else.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.reference_log import Log, Signer, disclosure, entry

pytestmark = [pytest.mark.browser, pytest.mark.real]

SCRIPT = Path(__file__).parents[2] / "governance" / "web" / "static" / "verify.js"
CSP = "default-src 'none'; script-src 'self'; connect-src 'self'"
PURPOSE = disclosure("application", "freight-desk")
LINES = (3, 4, 299)
LOG = Log([entry(number, disclosures=[PURPOSE]) for number in range(300)])
PROOF = LOG.proof(4, [PURPOSE])
TEXTS = {
    "running": "Checking",
    "verified": "All {good} lines are in the log of {size} entries, {witnesses} witness signed",
    "partial": "Not everything could be checked here",
    "failed": "{good} of {total} lines hold",
    "empty": "There is nothing to check",
    "unsupported": "This browser cannot check",
    "found": "{good} of {total} lines found",
    "pending": "{pending} too new",
    "valid": "{name} signed",
    "missing": "{name} did not sign",
    "unchecked": "{name} cannot be checked here",
    "bad": "{name} is wrong",
    "entry": "Entry {index} {event}",
    "reason": "Because: {reason}",
    "again": "Check again",
}


def _id(number: int) -> str:
    return str(json.loads(LOG.entries[number])["id"])


def _page(lines: tuple[int, ...]) -> str:
    texts = " ".join(f'data-text-{name}="{text}"' for name, text in TEXTS.items())
    items = "".join(
        f'<li id="line{one}" data-proof="/proof/{one}" data-entry="{_id(one)}" '
        'data-state="recorded" data-text-verified="In the log" data-text-failed="Not in the log">'
        '<span data-seal data-state="recorded"><span data-proof-word>Recorded</span></span></li>'
        for one in lines
    )
    return f"""<!doctype html><html lang="en"><title>Check</title>
<script src="/verify.js" defer></script>
<section data-verify-panel data-state="idle" data-vkeys-url="/vkeys" {texts}
 data-reason-root="the entry was changed">
<p data-verify-text aria-live="polite">Not checked yet</p>
<button data-verify-run hidden><span data-verify-label>Check now</span></button>
<ol data-verify-checks hidden></ol>
<label>Proof <input type="file" data-verify-file></label>
<p data-verify-fallback hidden>Download the file</p></section><ol>{items}</ol></html>"""


@dataclass
class Site:
    """Files by path; change them to be dishonest. A path mapped to None answers 503."""

    files: dict[str, bytes | None] = field(default_factory=dict)
    port: int = 0

    def url(self, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/"


@pytest.fixture
def site() -> Iterator[Site]:
    given = Site({"/": _page(LINES).encode(), "/verify.js": SCRIPT.read_bytes()})
    given.files["/vkeys"] = LOG.vkeys.encode()
    given.files |= {f"/proof/{one}": LOG.proof(one, [PURPOSE]) for one in LINES}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = given.files.get(self.path, b"")
            missing = self.path not in given.files
            self.send_response(404 if missing else 503 if body is None else 200)
            kind = {"/": "text/html; charset=utf-8", "/verify.js": "text/javascript"}
            self.send_header("Content-Type", kind.get(self.path, "text/plain; charset=utf-8"))
            self.send_header("Content-Security-Policy", CSP)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    given.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield given
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    fresh = context.new_page()
    problems: list[str] = []
    fresh.on("pageerror", lambda error: problems.append(str(error)))
    fresh.on(
        "console",
        lambda said: problems.append(said.text) if "Security Policy" in said.text else None,
    )
    yield fresh
    context.close()
    assert problems == []


def _check(page: Page, site: Site) -> None:
    page.goto(site.url())
    page.get_by_role("button", name="Check now").click()


def _state(page: Page, state: str) -> None:
    expect(page.locator("[data-verify-panel]")).to_have_attribute("data-state", state)


def test_untouched_lines_turn_green_only_when_they_were_checked(page: Page, site: Site) -> None:
    page.goto(site.url())
    _state(page, "idle")
    expect(page.locator("#line3 [data-seal]")).to_have_attribute("data-state", "recorded")
    page.get_by_role("button", name="Check now").click()
    _state(page, "verified")
    expect(page.locator("[data-verify-text]")).to_have_text(
        "All 3 lines are in the log of 300 entries, 1 witness signed"
    )
    for one in LINES:
        expect(page.locator(f"#line{one} [data-seal]")).to_have_attribute("data-state", "verified")
        expect(page.locator(f"#line{one}")).to_have_text("In the log")
    expect(page.locator("[data-verify-checks] li[data-ok=true]")).to_have_text(
        [
            "3 of 3 lines found",
            "log.example/remit signed",
            "log.example/remit signed",
            "witness.example/one signed",
        ]
    )
    expect(page.get_by_role("button", name="Check again")).to_be_visible()
    expect(page.get_by_text("Download the file")).to_be_hidden()


CHANGES = {
    "the entry": lambda: _with_leaf(4, LOG.entries[4].replace(b"allow", b"denyy", 1)),
    "the index": lambda: PROOF.replace(b"index 4\n", b"index 5\n"),
    "a step": lambda: _with_step(PROOF),
    "another line's proof": lambda: LOG.proof(3, [PURPOSE]),
    "a forged disclosure": lambda: LOG.proof(4, [disclosure("application", "payroll")]),
    "a signature": lambda: _with_signature(PROOF),
    "no signature of the log": lambda: _resigned([LOG.signers[2]]),
    "a stranger's signature": lambda: _resigned([Signer(LOG.origin, 1, b"f" * 32)]),
    "nothing": lambda: b"",
}


def _with_leaf(index: int, leaf: bytes) -> bytes:
    entries = list(LOG.entries)
    honest = Log(entries).proof(index).split(b"\n")
    entries[index] = leaf
    return b"\n".join([honest[0], Log(entries).proof(index).split(b"\n")[1], *honest[2:]])


def _with_step(proof: bytes) -> bytes:
    lines = proof.split(b"\n")
    lines[3], lines[4] = lines[4], lines[3]
    return b"\n".join(lines)


def _with_signature(proof: bytes) -> bytes:
    at = proof.index("\u2014".encode()) + len("\u2014 log.example/remit ".encode()) + 30
    return proof[:at] + (b"A" if proof[at : at + 1] != b"A" else b"B") + proof[at + 1 :]


def _resigned(signers: list[Signer]) -> bytes:
    return Log(LOG.entries, signers=signers).proof(4, [PURPOSE])


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_line_is_named_and_the_others_stay_good(
    page: Page, site: Site, change: object
) -> None:
    assert callable(change)
    site.files["/proof/4"] = change()
    assert site.files["/proof/4"] != PROOF
    _check(page, site)
    _state(page, "failed")
    expect(page.locator("[data-verify-text]")).to_have_text("2 of 3 lines hold")
    expect(page.locator("#line4 [data-seal]")).to_have_attribute("data-state", "failed")
    expect(page.locator("#line4")).to_have_text("Not in the log")
    for one in (3, 299):
        expect(page.locator(f"#line{one}")).to_have_attribute("data-state", "verified")
    expect(page.get_by_text("Download the file")).to_be_visible()


def test_each_flipped_byte_of_a_proof_is_noticed_or_is_no_longer_whole(
    page: Page, site: Site
) -> None:
    """A sample over the whole file, in the browser's own code."""
    site.files["/"] = _page((4,)).encode()
    page.goto(site.url())
    for at in range(3, len(PROOF), len(PROOF) // 40):
        site.files["/proof/4"] = PROOF[:at] + bytes([PROOF[at] ^ 1]) + PROOF[at + 1 :]
        page.locator("[data-verify-run]").click()
        expect(page.locator("[data-verify-panel]")).to_have_attribute("data-state", "failed")


def test_the_reason_is_told_in_the_pages_words(page: Page, site: Site) -> None:
    site.files["/proof/4"] = _with_leaf(4, LOG.entries[4].replace(b"allow", b"denyy", 1))
    _check(page, site)
    expect(page.get_by_text("Because: the entry was changed")).to_be_visible()


def test_a_line_that_is_too_new_is_neither_good_nor_bad(page: Page, site: Site) -> None:
    site.files["/proof/4"] = None
    _check(page, site)
    _state(page, "verified")
    expect(page.locator("#line4 [data-seal]")).to_have_attribute("data-state", "pending")
    expect(page.locator("li[data-ok=unknown]")).to_have_text("1 too new")


def test_without_the_witness_the_seal_stays_grey(page: Page, site: Site) -> None:
    unwitnessed = Log(LOG.entries, signers=LOG.signers[:2])
    for one in LINES:
        site.files[f"/proof/{one}"] = unwitnessed.proof(one)
    _check(page, site)
    _state(page, "partial")
    expect(page.locator("#line3 [data-seal]")).to_have_attribute("data-state", "found")
    expect(page.locator("li[data-ok=unknown]")).to_have_text("witness.example/one did not sign")


def test_a_browser_without_the_algorithms_says_so(page: Page, site: Site) -> None:
    page.add_init_script(
        "crypto.subtle.importKey = () => "
        "Promise.reject(new DOMException('unknown', 'NotSupportedError'));"
    )
    _check(page, site)
    _state(page, "partial")
    expect(page.locator("#line3")).to_have_attribute("data-state", "found")
    expect(page.locator("li[data-ok=unknown]").last).to_have_text(
        "witness.example/one cannot be checked here"
    )
    expect(page.get_by_text("Download the file")).to_be_visible()


def test_a_page_without_a_secure_context_offers_the_file(page: Page, site: Site) -> None:
    page.goto(site.url("insecure.test"))
    expect(page.locator("[data-verify-text]")).to_have_text("This browser cannot check")
    expect(page.get_by_text("Download the file")).to_be_visible()
    expect(page.locator("[data-verify-run]")).to_be_hidden()


def test_a_saved_file_can_be_checked(page: Page, site: Site) -> None:
    page.goto(site.url())
    saved = {"name": "entry.tlog-proof", "mimeType": "text/plain", "buffer": PROOF}
    page.get_by_label("Proof").set_input_files(saved)  # type: ignore[arg-type] # a FilePayload.
    _state(page, "verified")
    expect(page.get_by_text("Entry 4 access:allowed")).to_be_visible()
    page.get_by_label("Proof").set_input_files(
        saved | {"buffer": PROOF.replace(b"index 4\n", b"index 5\n")}  # type: ignore[arg-type]
    )
    _state(page, "failed")


@pytest.mark.parametrize("vkeys", [b"junk", LOG.vkeys.replace("AXz", "AXy").encode(), None])
def test_keys_that_cannot_be_read_verify_nothing(
    page: Page, site: Site, vkeys: bytes | None
) -> None:
    if vkeys is not None and vkeys == site.files["/vkeys"]:
        vkeys = vkeys[:-10] + bytes([vkeys[-10] ^ 1]) + vkeys[-9:]
    site.files["/vkeys"] = vkeys
    _check(page, site)
    _state(page, "failed")
    expect(page.locator("#line3")).to_have_attribute("data-state", "recorded")


def test_a_list_without_lines_is_not_called_verified(page: Page, site: Site) -> None:
    site.files["/"] = _page(()).encode()
    _check(page, site)
    _state(page, "partial")
    expect(page.locator("[data-verify-text]")).to_have_text("There is nothing to check")
