"""Pictures before anything else sees them: drawn from structure, or with named regions only."""

import zlib
from typing import Any

import msgspec
import pytest

from remit_agent import selectors
from remit_agent.canvas import Canvas
from remit_agent.machine import is_on_battery
from remit_agent.observed import Element, Node
from remit_agent.policy import Application
from remit_agent.x11.display import Rectangle
from remit_agent.x11.picture import MASK, MOST_PARTS, Part, draw, with_regions
from tests.clients.conftest import application

WINDOW = Rectangle(100, 50, 200, 100)
RED, GREEN = (255, 0, 0), (0, 255, 0)


def part(place: tuple[int, int, int, int], role: str, field: str = "", **more: Any) -> Part:
    node = Node(id=0, role=role, text_class=more.get("text_class", "none"), bounds=place)
    return Part(node, more.get("is_secure", False), field)


SECRET = part((110, 60, 40, 10), "textbox", is_secure=True)
FACE = part((160, 60, 20, 20), "image")
NOTE = part((110, 100, 40, 10), "textbox", "note")
AMOUNT = part((110, 80, 40, 10), "textbox", "amount")
PARTS = [SECRET, FACE, NOTE, AMOUNT, part((200, 60, 30, 10), "label", text_class="short")]


def own(masks: list[str], **regions: str) -> Application:
    rules = {"mode": "regions", **{name.replace("_", "-"): text for name, text in regions.items()}}
    content = application("warehouse-terminal") | {
        "categories": [{"key": "screenshot", "rules": rules}],
        "masks": [{"id": f"m{n}", "selector": text} for n, text in enumerate(masks)],
    }
    return msgspec.convert(content, Application)


def at(canvas: Canvas, x: int, y: int) -> tuple[int, ...]:
    """The colour at a point of the screen."""
    start = 3 * ((y - WINDOW.y) * canvas.width + x - WINDOW.x)
    return tuple(canvas.pixels[start : start + 3])


def taken(policy: Application) -> Canvas:
    shot = Canvas.blank(WINDOW.width, WINDOW.height, RED)
    return with_regions(draw(WINDOW, PARTS), shot, WINDOW, PARTS, policy, seen=WINDOW)


def test_r53_a_drawing_holds_no_pixel_and_a_password_field_is_one_black_box() -> None:
    canvas = draw(WINDOW, PARTS)
    assert at(canvas, 120, 65) == MASK
    assert RED not in {at(canvas, x, y) for x in range(100, 300, 3) for y in range(50, 150, 3)}


@pytest.mark.parametrize("region", ["@rect=0,0,200,100", "@role=textbox"])
def test_r53_only_named_regions_show_pixels_and_what_is_masked_in_them_does_not(
    region: str,
) -> None:
    canvas = taken(own(["#note"], region_1=region))
    assert at(canvas, 120, 85) == RED
    assert at(canvas, 120, 65) == at(canvas, 120, 105) == MASK
    assert at(canvas, 170, 70) == MASK
    outside = taken(own([], region_1="@rect=0,0,5,5"))
    assert at(outside, 102, 52) == RED
    assert at(outside, 120, 85) != RED
    everywhere = taken(own(["@rect=5,25,60,20"], region_1="@rect=0,0,200,100"))
    assert at(everywhere, 120, 85) == MASK
    assert at(everywhere, 290, 140) == RED


def test_r53_masks_and_regions_stay_where_they_are_when_a_window_leaves_the_screen() -> None:
    window = Rectangle(-60, -20, 200, 100)
    seen = window.cut(Rectangle(0, 0, 800, 600))
    shot = Canvas.blank(seen.width, seen.height, RED)
    policy = own(["@rect=70,30,20,20"], region_1="@rect=65,25,60,40")
    canvas = with_regions(draw(seen, []), shot, window, [], policy, seen=seen)

    def colour(x: int, y: int) -> tuple[int, ...]:
        start = 3 * (y * canvas.width + x)
        return tuple(canvas.pixels[start : start + 3])

    assert colour(12, 12) == colour(29, 29) == MASK
    assert colour(6, 6) == colour(60, 40) == RED
    assert RED not in {colour(4, 4), colour(70, 12)}


def test_r53_of_a_window_whose_tree_was_cut_short_no_pixel_is_shown() -> None:
    policy = own([], region_1="@rect=0,0,200,100")
    shot = Canvas.blank(WINDOW.width, WINDOW.height, RED)
    for number, is_shown in ((MOST_PARTS - 1, True), (MOST_PARTS, False)):
        parts = [AMOUNT] * number
        canvas = with_regions(draw(WINDOW, parts), shot, WINDOW, parts, policy, seen=WINDOW)
        assert (at(canvas, 290, 140) == RED) is is_shown


def test_r53_a_mask_that_cannot_be_read_here_hides_whatever_it_may_mean() -> None:
    canvas = taken(own(["div > p:nth-child(2)"], region_1="@role=textbox"))
    assert at(canvas, 120, 85) == at(canvas, 120, 105) == MASK


def test_a_region_that_cannot_be_read_closes_the_category() -> None:
    assert own([], region_1="@rect=0,0,5,5").open_categories == {"screenshot"}
    assert own([], region_1="div > p").open_categories == set()
    assert own([], area_1="@rect=0,0,5,5").open_categories == set()


def test_what_is_painted_over_is_not_in_the_bytes() -> None:
    canvas = Canvas.blank(40, 30, GREEN)
    canvas.paint(-5, -5, 100, 100, MASK)
    png = canvas.png()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    start = png.index(b"IDAT") + 4
    rows = zlib.decompress(png[start : png.index(b"IEND") - 8])
    assert rows == bytes((1 + 3 * 40) * 30)


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        ("#amount", True),
        ('input[name="amount"]', True),
        ("am*", True),
        ("@role=textbox", True),
        ("@role=button", False),
        ("#other", False),
        ("form > input", None),
        ("@rect=1,2,3,4", None),
    ],
)
def test_a_selector_means_yes_no_or_cannot_tell(selector: str, meant: bool | None) -> None:
    assert selectors.selects(selector, Element("amount", "textbox")) is meant


def test_a_machine_is_on_battery_when_it_has_one_and_no_mains(tmp_path: Any) -> None:
    assert is_on_battery(tmp_path) is False
    for name, kind in (("BAT0", "Battery"), ("AC", "Mains")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "type").write_text(kind)
    assert is_on_battery(tmp_path) is True
    (tmp_path / "AC" / "online").write_text("1\n")
    assert is_on_battery(tmp_path) is False
