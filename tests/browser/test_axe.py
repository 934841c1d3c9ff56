"""What axe-core finds on each page of the portal, in light and in dark: nothing."""

import re
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django import Settings

from governance.accounts.models import Person
from governance.accounts.roles import Role
from governance.jobs import services as jobs
from governance.rights import services as rights
from governance.rights.states import Kind
from tests import make
from tests.browser.test_pages import PORTAL, press_until, sign_in, site  # noqa: F401
from tests.governance.releases.conftest import Office
from tests.house.test_doors import COLUMNS, DOORS, TABLE

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What one comes to by following links: each by its own way.
FURTHER = (
    "/withdraw/",
    "/pressure/",
    f"/consent/notice/{make.TRAIN}/",
    "/access/key/",
    "/requests/ask/",
    "/others/",
    "/work-notice/",
    "/account/",
    "/account/app/",
    "/account/passkey/",
    "/account/confirm/",
    "/verify",
    "/log",
    "/problems/",
    "/problems/notice-outdated",
)
# Doors that answer with no page: files and data to keep, signs of life, other programs' ways.
FILES = (
    r"/\.well-known/.*|/healthz/.*|/metrics|/log/.*|/public/log/|/verify\.html|/access/proofs|/access/.*/proof"
    r"|.*/receipt\.(json|jsonld|pdf)|/requests/certificates/.*|/sign-in/.*/callback/"
    r"|/sign-in/passkey/"
)
# Looked at where somebody has a second factor: tests/browser/test_signing_in.py.
ELSEWHERE = {"/sign-in/second/"}

pytestmark = [pytest.mark.browser, pytest.mark.once]


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


def pages() -> set[str]:
    """Return the address of every page outside the offices that an employee may open."""
    employee = COLUMNS.index(Role.EMPLOYEE)
    return {
        door.address
        for door in DOORS
        if door.method == "GET"
        and not door.address.startswith(("/api/", "/office/"))
        and TABLE[door.key].split()[employee] != "405"
        and not re.fullmatch(FILES, door.address)
    }


def unseen(looked_at: list[str]) -> set[str]:
    """Return the pages of the portal that none of these addresses is."""
    patterns = {page: re.sub(r"<\w+:\w+>", "[^/]+", page) for page in pages()}
    paths = {urlsplit(address).path for address in looked_at}
    return {
        page
        for page, pattern in patterns.items()
        if not any(re.fullmatch(pattern, path) for path in paths)
    }


def something_to_see(name: str) -> list[str]:
    """Let somebody have been recorded and have asked; return the pages that it gave them."""
    house = make.House({person.username: person for person in Person.objects.all()})
    office = Office(house)
    office.contribute(name, "pointer")
    jobs.run_due()
    (frame,) = office.frames(name)
    asked = rights.request(
        subject=house.subject(name), kind=Kind.ACCESS, actor=house.actor(name), words="What?"
    )
    Client().post("/others/", {"address": "jane.doe@example.com", "kind": "access"})
    (link,) = re.findall(r"http\S+(/others/\S+/)", str(mail.outbox[-1].body))
    return [f"/data/event/{frame}/", f"/data/event/{frame}/delete/", f"/requests/{asked.id}/", link]


def test_axe_finds_nothing_on_any_page_of_the_portal(
    chromium: Browser,
    site: str,  # noqa: F811
    settings: Settings,
) -> None:
    """Every page there is: whoever adds one adds it here."""
    settings.REMIT_MAIL_FROM = "remit@nordhafen.example"
    context = chromium.new_context(viewport={"width": 390, "height": 800}, locale="de-DE")
    page = context.new_page()
    looked_at, lines = [], []

    def look() -> None:
        looked_at.append(page.url)
        lines.extend(found(page))

    page.goto(f"{site}/sign-in/")
    look()
    page.locator("button[name=persona][value=tariq]").last.click()
    for path in (*PORTAL, *FURTHER, *something_to_see("tariq")):
        answer = page.goto(f"{site}{path}")
        assert answer is not None
        assert answer.status == 200, path
        look()
    page.goto(f"{site}/consent/")
    page.locator(f"#answer-{make.IMPROVE}-yes").check()
    page.locator(".savebar [value=review]").click()
    look()  # Nothing was ticked: the page with its mistakes.
    page.locator(f'[name="cell.{make.IMPROVE}.{make.DESK}.pointer"]').check()
    page.locator(".savebar [value=review]").click()
    look()
    page.locator("[value=save]").click()
    look()
    assert page.locator("h1").inner_text() == "Ihre Entscheidung ist gespeichert"
    assert lines == []
    assert unseen(looked_at) == ELSEWHERE
    context.close()


# Every page of the office that opens for whom; the first of each stand for the others.
OFFICE = {
    "ines": (
        "/office/policies/new/?from=freight-desk@1",
        "/office/computers/",
        "/office/assessments/new/",
        "/office/assessments/",
        f"/office/assessments/{make.DESK}-v1/1/",
        "/office/agreements/",
        "/office/applications/",
        "/office/bases/",
        "/office/purposes/",
        "/office/retention/",
        "/office/requests/",
        "/office/endings/",
        "/office/releases/",
        "/office/stop/",
        "/office/log/",
    ),
    "wanda": (
        "/office/",
        f"/office/policies/{make.DESK}/2/",
        f"/office/policies/{make.DESK}/",
        "/office/policies/",
        "/office/places/",
        "/office/records/",
    ),
}
SAMPLE = 2


def written(page: Page, site: str) -> list[str]:  # noqa: F811
    """Write and submit a draft that is tried meanwhile; return what axe finds on the way."""
    page.goto(f"{site}/office/policies/new/?from={make.DESK}@1")
    assert "It names no place" not in page.locator("#preview").inner_text()
    page.locator("#f-places").fill("")
    page.locator("#preview :text('It names no place where people work')").wait_for()
    page.locator("#f-places").fill("Germany")
    page.locator("#preview :text('A place is a code')").wait_for()
    page.locator("[value=store]").click()
    assert page.locator("#f-places").get_attribute("aria-invalid") == "true"
    lines = found(page)
    page.locator("#f-places").fill("DE, FR")
    page.locator("[value=store]").click()
    page.wait_for_url(f"**/office/policies/{make.DESK}/2/")
    assert "France (FR)" in page.locator(".diff [data-change=wider]").inner_text()
    page.locator("form[action$='/submit/'] button").click()
    return lines


def tried_without_script(chromium: Browser, site: str) -> None:  # noqa: F811
    context = chromium.new_context(java_script_enabled=False)
    page = sign_in(context, site, "ines")
    page.goto(f"{site}/office/policies/new/?from={make.DESK}@1")
    page.locator("#f-places").fill("")
    page.locator("[value=preview]").click()
    assert "It names no place" in page.locator("#preview").inner_text()
    context.close()


@pytest.mark.parametrize("most", [SAMPLE, pytest.param(99, marks=pytest.mark.soak)])
def test_axe_finds_nothing_in_the_office_and_a_draft_is_tried_while_it_is_written(
    chromium: Browser,
    site: str,  # noqa: F811
    most: int,
) -> None:
    lines = []
    for name, paths in OFFICE.items():
        context = chromium.new_context(viewport={"width": 390, "height": 800}, locale="en-GB")
        page = sign_in(context, site, name)
        if name == "ines":
            lines += written(page, site)
            tried_without_script(chromium, site)
        for path in paths[:most]:
            page.goto(f"{site}{path}")
            assert page.locator("h1").count() == 1, path
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
            lines += found(page)
        if name == "wanda":
            page.goto(f"{site}/office/stop/")
            page.locator("#why").fill("A drill.")
            page.locator("form[action$='/stop/'] button").click()
            lines += found(page)
        context.close()
    assert lines == []
