"""Passkeys in a real browser with an authenticator of its own, and the pages without JavaScript."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from audit.actors import Actor
from audit.models import Entry
from governance.accounts import services
from governance.accounts.models import HeldSession
from tests.browser.test_axe import found

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture
def site(live_server: LiveServer, real_transactions: None, settings: Settings) -> str:
    address = str(live_server.url).replace("127.0.0.1", "localhost")
    settings.REMIT_EXTERNAL_ORIGIN = address
    services.create_person(
        username="adam", display_name="Adam", password="right", actor=Actor.system("seed")
    )
    return address


def with_authenticator(page: Page) -> None:
    """Give the browser a passkey store that says yes, as a finger on a reader does."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def listen(page: Page) -> list[str]:
    """Return what the browser complains of, such as a breach of the CSP."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def by_password(page: Page, site: str) -> None:
    page.goto(f"{site}/sign-in/")
    page.fill("#username", "adam")
    page.fill("#password", "right")
    page.press("#password", "Enter")
    page.wait_for_url(f"{site}/")


def test_a_passkey_is_made_signs_in_and_confirms_by_keyboard_alone(
    chromium: Browser,
    site: str,
    settings: Settings,
    time_machine: Callable[[datetime], None],
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    said = listen(page)
    with_authenticator(page)
    by_password(page, site)
    page.goto(f"{site}/account/passkey/")
    page.fill("#name", "Adam's phone")
    page.focus("form[data-passkey] button")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/account/")
    assert page.get_by_text("Adam's phone", exact=True).first.is_visible()
    context.clear_cookies()
    page.goto(f"{site}/sign-in/")
    page.focus("form[data-passkey] button")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/")
    assert set(HeldSession.objects.values_list("way", flat=True)) == {"password", "passkey"}
    settings.REMIT_STEP_UP_SECONDS = 300
    time_machine(timezone.now() + timedelta(minutes=6))
    page.goto(f"{site}/account/app/")
    assert page.url.endswith("/account/confirm/?next=%2Faccount%2Fapp%2F")
    assert page.locator("#password").count() == 0
    page.focus("form[data-passkey] button")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}/account/app/")
    assert Entry.objects.latest("id").event == "private:told"
    assert said == []
    context.close()


def test_a_password_is_followed_by_the_passkey(chromium: Browser, site: str) -> None:
    context = chromium.new_context()
    page = context.new_page()
    with_authenticator(page)
    by_password(page, site)
    page.goto(f"{site}/account/passkey/")
    assert found(page) == []
    page.click("form[data-passkey] button")
    page.wait_for_url(f"{site}/account/")
    for path in ("/account/", "/account/confirm/"):  # As they are for who has a passkey.
        page.goto(f"{site}{path}")
        assert found(page) == []
    context.clear_cookies()
    page.goto(f"{site}/sign-in/")
    page.fill("#username", "adam")
    page.fill("#password", "right")
    page.press("#password", "Enter")
    page.wait_for_url(f"{site}/sign-in/second/")
    assert found(page) == []
    page.click("form[data-passkey] button")
    page.wait_for_url(f"{site}/")
    context.close()


def test_without_javascript_each_page_names_another_way(chromium: Browser, site: str) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 390, "height": 800}
    )
    page = context.new_page()
    by_password(page, site)
    page.goto(f"{site}/account/passkey/")
    assert not page.locator("form[data-passkey]").is_visible()
    page.click("a[href='/account/app/']")
    assert page.locator(".qr svg").is_visible()
    context.close()
