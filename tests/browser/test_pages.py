"""The pages in a real browser: by keyboard alone, without JavaScript, under the strict CSP."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from governance.accounts import services
from governance.accounts.models import Person
from governance.policies import selectors as policies
from governance.policies import suspending
from tests import make

MOST_TABS = 120
PORTAL = ("/", "/consent/", "/data/", "/access/", "/uses/", "/requests/", "/devices/", "/pause/")
OFFICE = ("/office/", "/office/policies/", "/office/log/", "/office/requests/", "/office/releases/")
OPEN = ("/", "/log", "/verify", "/problems/")

# Commands that run out of their box.
CUT_OFF = "[...document.querySelectorAll('pre')].filter(e => e.scrollWidth > e.clientWidth).length"

pytestmark = [pytest.mark.browser, pytest.mark.once]


@pytest.fixture
def site(live_server: LiveServer, real_transactions: None, open_log: Callable[[], None]) -> str:
    make.house()
    return str(live_server.url).replace("localhost", "127.0.0.1")


def sign_in(context: BrowserContext, site: str, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{site}/sign-in/")
    page.locator(f"button[name=persona][value={name}]").last.click()
    return page


def press_until(page: Page, selector: str) -> None:
    """Walk with the Tab key until the element has the focus, as a person without a mouse does."""
    for _ in range(MOST_TABS):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} cannot be reached by keyboard")


class Keys:
    """A person without a mouse: Tab to get there, then a key; each key that does something counts.

    Tabs do not count: how many there are is the order of the page, not what is asked of somebody.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.acts: list[str] = []

    def press(self, key: str, *, at: str, then: str = "") -> None:
        press_until(self.page, at)
        self.acts.append(f"{key} {at}")
        self.page.keyboard.press(key)
        if then:
            self.page.wait_for_url(then)

    def counted(self) -> list[str]:
        """Return what was done since this was last asked."""
        done, self.acts = self.acts, []
        return done


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def ticked(page: Page) -> int:
    return page.locator("main input[type=checkbox]:checked").count()


SAVED = "Ihre Entscheidung ist gespeichert"
POINTER = f'[name="cell.{make.TRAIN}.{make.DESK}.pointer"]'
MINE = "nav a[href='/consent/']"


def test_r04_a_whole_consent_visit_by_keyboard_in_german_on_a_phone_without_javascript(
    chromium: Browser, site: str
) -> None:
    """From the door to the way out, and never a mouse: no way back is longer than the way in."""
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 390, "height": 800}, locale="de-DE"
    )
    page = context.new_page()
    keys = Keys(page)
    page.goto(f"{site}/sign-in/")
    keys.press("Enter", at="button[name=persona][value=tariq]", then=f"{site}/")
    keys.press("Enter", at=MINE, then="**/consent/")
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator("main input:checked").count() == 0
    keys.press("Enter", at=f"main a[href='/consent/notice/{make.TRAIN}/']", then="**/notice/**")
    assert page.locator("main").get_by_text("Am Kai 1, 20457 Hamburg").count() > 0
    keys.press("Enter", at=MINE, then="**/consent/")
    keys.counted()
    give = _gives(page, keys)
    one = _takes_one_back(page, keys)
    assert _gives(page, keys) == give
    everything = _takes_all_back(page, keys)
    assert len(one) <= len(give)
    assert len(everything) < len(give)
    context.close()


def _gives(page: Page, keys: Keys) -> list[str]:
    """From the form to the receipt, which can be kept."""
    keys.press("ArrowRight", at=f"#answer-{make.TRAIN}-no")
    keys.press("Space", at=POINTER)
    keys.press("Enter", at=".savebar [value=review]", then="**/consent/review/")
    assert "noch nichts gespeichert" in page.locator(".lead").inner_text()
    keys.press("Enter", at="[value=save]", then="**/consent/done/**")
    done = keys.counted()
    assert heading(page) == SAVED
    press_until(page, "a[href$='receipt.json']")
    press_until(page, "a[href$='receipt.pdf']")
    keys.press("Enter", at=MINE, then="**/consent/")
    assert ticked(page) == 1
    keys.counted()
    return done


def _takes_one_back(page: Page, keys: Keys) -> list[str]:
    keys.press("ArrowLeft", at=f"#answer-{make.TRAIN}-yes")
    keys.press("Enter", at=".savebar [value=review]", then="**/consent/review/")
    keys.press("Enter", at="[value=save]", then="**/consent/done/**")
    done = keys.counted()
    assert heading(page) == SAVED
    keys.press("Enter", at=MINE, then="**/consent/")
    assert ticked(page) == 0
    keys.counted()
    return done


def _takes_all_back(page: Page, keys: Keys) -> list[str]:
    keys.press("Enter", at="main a[href='/withdraw/']", then="**/withdraw/")
    keys.press("Enter", at="form[action='/withdraw/'] button", then="**/consent/done/**")
    done = keys.counted()
    assert heading(page) == SAVED
    keys.press("Enter", at=MINE, then="**/consent/")
    assert ticked(page) == 0
    return done


def test_r02_r107_refusing_and_allowing_are_the_same_component_and_size(
    chromium: Browser, site: str
) -> None:
    context = chromium.new_context()
    page = sign_in(context, site, "tariq")
    page.goto(f"{site}/consent/")
    options = page.locator(".decide").first.locator("label")
    no, yes = options.nth(0), options.nth(1)
    assert no.get_attribute("class") == yes.get_attribute("class")
    small, large = no.bounding_box(), yes.bounding_box()
    assert small is not None
    assert large is not None
    assert abs(small["width"] - large["width"]) < 1
    assert small["height"] == large["height"]
    style = (
        "element => { const s = getComputedStyle(element); return [s.color, s.backgroundColor] }"
    )
    assert no.evaluate(style) == yes.evaluate(style)
    context.close()


@pytest.mark.parametrize(
    ("name", "paths"), [("mira", PORTAL), ("ines", OFFICE), (None, OPEN)], ids=str
)
def test_no_page_breaks_the_csp_or_the_small_screen(
    chromium: Browser, site: str, name: str | None, paths: tuple[str, ...]
) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 800})
    page = sign_in(context, site, name) if name else context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in paths:
        answer = page.goto(f"{site}{path}")
        assert answer is not None
        assert answer.status == 200
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert too_wide <= 0, path
        assert page.evaluate(CUT_OFF) == 0, path
        assert page.locator("h1").count() == 1, path
    assert said == []
    context.close()


def test_menu_and_filters_fold_on_a_small_screen_and_stand_open_on_a_large_one(
    chromium: Browser, site: str
) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 390, "height": 800}
    )
    page = sign_in(context, site, "ines")
    page.goto(f"{site}/office/log/")
    for folded, inside in ((".sidenav", "a"), (".facets", "label")):
        part = page.locator(f"{folded} {inside}").first
        assert not part.is_visible()
        page.locator(f"{folded} > summary").click()
        assert part.is_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{site}/office/log/")
    assert page.locator(".sidenav a").first.is_visible()
    assert page.locator(".facets label").first.is_visible()
    page.goto(f"{site}/office/log/?text=nothing")
    assert page.locator(".explore button").count() == 0, "no filters, nothing to apply"
    context.close()


def test_the_stop_switch_keeps_itself_up_to_date_but_not_from_under_a_hand(
    chromium: Browser, site: str
) -> None:
    people = make.House({each.username: each for each in Person.objects.all()})
    devices = [make.endpoint(people, name).device for name in ("mira", "tariq", "carla")]
    suspending.stop(reason="A drill.", actor=people.wanda)

    def obeys(number: int) -> None:
        services.record_heartbeat(
            device_id=devices[number].id, policy_epoch=policies.generation(), consent_epoch=0
        )

    page = sign_in(chromium.new_context(), site, "ines")
    page.clock.install()
    page.goto(f"{site}/office/stop/")
    page.evaluate("window.isTheSame = true")
    said = page.locator("label[for=progress]")
    expect(page.get_by_role("link", name="Look again")).to_be_visible()
    obeys(0)
    page.clock.run_for(5_000)
    expect(said).to_have_text("1 of 3 computers said that they obey it.")
    page.locator("#live button").focus()
    obeys(1)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(30_000)
    expect(said).to_have_text("1 of 3 computers said that they obey it.")
    assert asked == [], "somebody is about to press the button"
    page.locator("#live button").blur()
    page.clock.run_for(5_000)
    expect(said).to_have_text("2 of 3 computers said that they obey it.")
    obeys(2)
    page.clock.run_for(5_000)
    expect(page.get_by_role("link", name="Certificate that all have stopped")).to_be_visible()
    assert page.locator("#live").count() == 0, "it is over, and nothing asks any more"
    assert page.evaluate("window.isTheSame")
