"""What axe-core finds on each page of the portal, in light and in dark: nothing."""

from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import make
from tests.browser.test_pages import PORTAL, press_until, sign_in, site  # noqa: F401

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What one comes to by following links: each by its own way.
FURTHER = (
    "/withdraw/",
    "/pressure/",
    f"/consent/notice/{make.TRAIN}/",
    "/access/key/",
    "/requests/ask/",
)

pytestmark = pytest.mark.browser


def found(page: Page) -> list[str]:
    """Return what axe finds in both themes, one line each: the rule and where."""
    page.evaluate(AXE)
    lines = []
    # Without motion: a colour on its way from one theme to the other is neither.
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        result: dict[str, Any] = page.evaluate(
            "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", TAGS
        )
        lines += [
            f"{page.url} {scheme} {violation['id']}: {node['html'][:160]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
    return lines


def test_axe_finds_nothing_on_any_page_of_the_portal(
    chromium: Browser,
    site: str,  # noqa: F811
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 800}, locale="de-DE")
    page = sign_in(context, site, "tariq")
    lines = []
    for path in (*PORTAL, *FURTHER):
        page.goto(f"{site}{path}")
        lines += found(page)
    page.goto(f"{site}/consent/")
    page.locator(f"#answer-{make.TRAIN}-yes").check()
    page.locator(".savebar [value=review]").click()
    lines += found(page)  # Nothing was ticked: the page with its mistakes.
    page.locator(f'[name="cell.{make.TRAIN}.{make.DESK}.pointer"]').check()
    page.locator(".savebar [value=review]").click()
    lines += found(page)
    page.locator("[value=save]").click()
    lines += found(page)
    assert page.locator("h1").inner_text() == "Ihre Entscheidung ist gespeichert"
    assert lines == []
    context.close()
