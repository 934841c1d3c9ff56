"""The browser's recorder in a real chromium: an extension, its agent, a form with secrets in it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from remit_agent.browser.setup import EXTENSION
from remit_agent.cli import main
from remit_conformance.service import AgentServer
from remit_conformance.serving import serving
from tests.infrastructure.browser import arguments, require_chromium
from tests.infrastructure.canary import Canary

pytestmark = [pytest.mark.real, pytest.mark.browser, pytest.mark.once]

PASSWORD = "Passwort-4711-Kajuete"
CARD = "4111-1111-1111-1111"
HIDDEN = "Token-9f3b-Hafenkante"
UNNAMED = "Notiz-0815-Leuchtfeuer"
WORDS = "Absatz-1789-Persoenlich"
FOREIGN = "Gehalt-2342-Fremdseite"
PAUSED = "Pausiert-5150-Gedicht"
FORM = f"""<!doctype html><html lang=en><title>Vendor</title><h1>Vendor</h1><p>{WORDS}</p>
<form><label>Amount <input name=amount></label><label>Note <input name=note></label>
<label>Country <select name=country><option value=''>-</option><option value=DE>Germany</option>
<option value=XX>Narnia</option></select></label>
<label>Password <input name=pw type=password></label>
<label>Pin <input name=pin type=Password></label>
<label><input type=checkbox id=show onclick="pw=this.form.pw;pw.type='text';pin=this.form.pin;
pin.outerHTML='<input name=pin type=text>'">Show</label>
<label>Card <input name=card autocomplete="billing cc-number"></label>
<input type=hidden name=csrf value="{HIDDEN}"><button type=button>Save</button></form></html>"""
OTHER = f"<!doctype html><html lang=en><title>Payroll</title><p>{FOREIGN}</p><input name=amount>"


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = (OTHER if "payroll" in self.path else FORM).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def pages() -> Iterator[str]:
    """Serve the form and the payroll; the latter is on another origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def application(host: str) -> dict[str, Any]:
    keys = ("pointer", "click", "menu-navigation", "keystroke-text", "window-metadata",
            "ui-structure")  # fmt: skip
    return {
        "id": "freight-desk",
        "kind": "web",
        "policy_version": "freight-desk@1",
        "matchers": [{"kind": "origin", "pattern": f"http://{host}", "id": "desk"}],
        "titles": [],
        "urls": [{"id": "form", "pattern": f"http://{host}/form*"}],
        "labels": ["Germany", "Amount"],
        "categories": [{"key": key, "rules": {}} for key in keys],
        # Naming a password does not open it.
        "fields": [{"id": key, "selector": f"#{key}"} for key in ("amount", "pw", "pin")],
        "masks": [],
    }


@contextmanager
def chromium(profile: Path, home: Path) -> Iterator[BrowserContext]:
    clients = Path(__file__).parents[2] / "clients"
    more = [f"--load-extension={EXTENSION}", f"--disable-extensions-except={EXTENSION}",
            "--disable-features=DisableLoadExtensionCommandLineSwitch"]  # fmt: skip
    with sync_playwright() as tool:
        context = tool.chromium.launch_persistent_context(
            profile, executable_path=require_chromium(), args=[*arguments(), *more],
            env={"HOME": str(profile), "PYTHONPATH": str(clients), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        yield context
        context.close()
    wait(lambda: not (home / "lock").exists() or not _is_held(home), what="the agent's end")


def _is_held(home: Path) -> bool:
    import fcntl

    with (home / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def wait(is_so: Any, *, what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.1)


def fill(page: Page) -> None:
    page.fill("[name=pw]", "")
    page.click("[name=amount]")
    page.keyboard.type("99 Euro", delay=20)
    page.click("[name=note]")
    page.keyboard.type(UNNAMED, delay=5)
    page.select_option("[name=country]", "DE")
    page.click("[name=pw]")
    page.keyboard.type(PASSWORD, delay=5)
    page.click("#show")
    for name in ("pw", "pin"):
        page.click(f"[name={name}]")
        page.keyboard.type(PASSWORD, delay=5)
    page.click("[name=card]")
    page.keyboard.type(CARD, delay=5)
    page.click("button")
    page.select_option("[name=country]", "XX")
    page.wait_for_timeout(400)


def test_r49_r50_a_form_in_chromium_is_recorded_as_far_as_the_policy_goes(tmp_path: Path) -> None:
    home, profile = tmp_path / "agent", tmp_path / "profile"
    with pages() as host, serving([application(host)]) as server:
        enrol = ["enrol", "--server", server.origin, "--code", "GOOD-CODE", "--home", str(home)]
        assert main(enrol) == 0
        assert main(["browser", "--profile", str(profile), "--home", str(home)]) == 0
        with chromium(profile, home) as context:
            page = context.new_page()
            page.goto(f"http://{host}/form.html")
            wait(lambda: 200 in server.polls, what="the policy")
            page.wait_for_timeout(1500)
            fill(page)
            other = context.new_page()
            other.goto(f"http://insecure.test:{host.partition(':')[2]}/payroll")
            other.fill("[name=amount]", FOREIGN)
            other.close()
            assert main(["pause", "--home", str(home)]) == 0
            page.wait_for_timeout(500)
            page.click("[name=amount]")
            page.keyboard.type(PAUSED, delay=5)
            page.click("button")
        check(server, home)


def test_r50_the_extension_never_reads_a_password_that_became_a_text_even_where_it_is_named() -> (
    None
):
    record, masking = EXTENSION / "rrweb" / "record.min.js", EXTENSION / "masking.js"
    rules = {"labels": ["Amount"], "fields": ["amount", "pw", "pin", "card"], "masks": []}
    start = "r => {window.seen=[]; rrwebRecord.record(remitOptions(r, e => seen.push(e)))}"
    with pages() as host, sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=require_chromium(), args=arguments())
        page = browser.new_page()
        for script in (record, masking):
            page.add_init_script(script.read_text())
        page.goto(f"http://{host}/form.html")
        # The page has shown its password before anybody records.
        page.click("#show")
        page.evaluate(start, rules)
        fill(page)
        seen = page.evaluate("JSON.stringify(seen)")
        browser.close()
    assert "99 Euro" in seen
    assert Canary(PASSWORD).scan(seen.encode()) == []
    assert Canary(CARD).scan(seen.encode()) == []


def check(server: AgentServer, home: Path) -> None:
    events = server.opened()
    kinds = {event["type"] for event in events}
    assert {"dom.rrweb", "mouse.down", "menu.select", "text.input", "nav.url"} <= kinds
    texts = [(e["field"], e["text"]) for e in events if e["type"] == "text.input"]
    assert texts == [("amount", "99 Euro")]
    chosen = [event for event in events if event["type"] == "menu.select"]
    assert {event.get("control_label") for event in chosen} <= {"Germany", None}
    assert any(event.get("control_label") == "Germany" for event in chosen)
    assert {event["url_pattern"] for event in events if "url_pattern" in event} == {"form"}
    for secret in (PASSWORD, CARD, HIDDEN, UNNAMED, WORDS, FOREIGN, PAUSED):
        assert Canary(secret).scan(repr(events).encode()) == []
        assert Canary(secret).scan_tree(home) == []
    assert {"capturing", "paused"} <= {each["state"] for each in server.heartbeats}
