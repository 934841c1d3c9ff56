"""The machine's chromium, driven by playwright; closed to every network but loopback."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

_ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A name that is not loopback, to see pages as a browser without a secure context does.
    (
        "--host-resolver-rules=MAP insecure.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, "
        "EXCLUDE localhost"
    ),
]


def require_chromium() -> str:
    """Return chromium's path. Without it: fail where the tests must run, skip elsewhere."""
    if os.environ.get("REMIT_SKIP_BROWSER") == "1":
        pytest.skip("browser tests skipped by choice (REMIT_SKIP_BROWSER=1)")
    if found := shutil.which("chromium"):
        return found
    if os.environ.get("CI") == "true" or os.geteuid() == 0:
        pytest.fail("The browser tests need Debian's chromium: apt-get install chromium")
    pytest.skip("there is no chromium on this machine")


def arguments() -> list[str]:
    """Return what every chromium here is started with."""
    return [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@contextlib.contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run a headless chromium with an empty profile."""
    path = require_chromium()
    with tempfile.TemporaryDirectory(prefix="remit-chromium-") as home, sync_playwright() as tool:
        browser = tool.chromium.launch(
            executable_path=path, args=arguments(), env={**os.environ, "HOME": home}
        )
        try:
            yield browser
        finally:
            browser.close()
