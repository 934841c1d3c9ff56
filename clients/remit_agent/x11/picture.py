"""Pictures of the window in front, masked before anything else sees them.

Promises: by default a picture is drawn from the structure alone (boxes, roles, geometry; bars of
the same length class for words) and no pixel of the screen is read; a policy may name regions whose
pixels it wants, and there, password fields, images (faces are images), masked fields and every
window of another program are painted over in memory; what moved while the picture was taken, or
has no structure to say what is what, gives no picture. Nothing here touches a disk.
"""

from dataclasses import dataclass
from typing import Final

import xcffib
from xcffib.xproto import ImageFormat

from remit_agent import selectors
from remit_agent.canvas import Canvas, Colour
from remit_agent.observed import Element, Node
from remit_agent.policy import Application
from remit_agent.x11.display import Display, Rectangle

PAPER: Final[Colour] = (244, 244, 244)
LINE: Final[Colour] = (150, 150, 150)
BAR: Final[Colour] = (120, 120, 120)
BUTTON: Final[Colour] = (215, 215, 215)
MASK: Final[Colour] = (0, 0, 0)
_BAR_SHARES: Final = {"short": 0.3, "medium": 0.6, "long": 0.9}
_PRESSED: Final = frozenset({"button", "combobox", "checkbox", "radio", "tab", "menuitem"})
_UNWORDED: Final = frozenset({"image", "figure"})
_EVERY_PLANE: Final = 0xFFFFFFFF
# So many objects of an application are asked for; a window that may have more shows no pixel.
MOST_PARTS: Final = 250
_DEPTHS: Final = frozenset({24, 32})


@dataclass(frozen=True, slots=True)
class Part:
    """One object of the application, as its tree tells it; `field` is its id where it has one."""

    node: Node
    is_secure: bool
    field: str = ""

    @property
    def place(self) -> Rectangle:
        """Where it lies on the screen."""
        return Rectangle(*(self.node.bounds or (0, 0, 0, 0)))


def draw(window: Rectangle, parts: list[Part]) -> Canvas:
    """Return the window drawn from its structure: no word and no pixel of it."""
    canvas = Canvas.blank(window.width, window.height, PAPER)
    for part in parts:
        place = _within(window, part.place)
        if part.is_secure:
            canvas.paint(*place, MASK)
            continue
        if part.node.role in _PRESSED:
            canvas.paint(*place, BUTTON)
        canvas.frame(*place, LINE)
        if share := _BAR_SHARES.get(part.node.text_class):
            x, y, width, height = place
            thick = max(2, min(8, height // 3))
            canvas.paint(x + 3, y + (height - thick) // 2, int((width - 6) * share), thick, BAR)
    return canvas


def with_regions(
    drawn: Canvas,
    shot: Canvas,
    window: Rectangle,
    parts: list[Part],
    own: Application,
    *,
    seen: Rectangle,
) -> Canvas:
    """Return the drawing with the pixels of the regions a policy names, masks painted over.

    Both canvases show what is `seen` of the window, which may lie partly beside the screen. A tree
    that was cut short does not say where every password field is: then the drawing stays as it is.
    """
    if len(parts) >= MOST_PARTS:
        return drawn
    for region in _regions(window, parts, own.screen_regions):
        drawn.copy(shot, *_within(seen, region))
    for part in parts:
        if part.is_secure or part.node.role in _UNWORDED or _is_masked(part, own):
            drawn.paint(*_within(seen, part.place), MASK)
    for mask in own.masks:
        if named := selectors.place(mask.selector):
            drawn.paint(*_within(seen, _placed(window, named)), MASK)
    return drawn


def shoot(display: Display, window: Rectangle, strangers: list[Rectangle]) -> Canvas | None:
    """Return the pixels of a window's place, those of other programs painted over."""
    core = display.core
    image = core.GetImage(
        ImageFormat.ZPixmap, display.root, window.x, window.y, window.width, window.height,
        _EVERY_PLANE,
    )  # fmt: skip
    try:
        reply = image.reply()
    except xcffib.XcffibException:
        return None
    data = bytes(reply.data.buf())
    if reply.depth not in _DEPTHS or len(data) != 4 * window.width * window.height:
        return None
    pixels = bytearray(3 * window.width * window.height)
    pixels[0::3], pixels[1::3], pixels[2::3] = data[2::4], data[1::4], data[0::4]
    canvas = Canvas(window.width, window.height, pixels)
    for each in strangers:
        canvas.paint(*_within(window, each), MASK)
    return canvas


def _regions(window: Rectangle, parts: list[Part], wanted: list[str]) -> list[Rectangle]:
    found: list[Rectangle] = []
    for selector in wanted:
        if named := selectors.place(selector):
            found.append(window.cut(_placed(window, named)))
            continue
        found += [
            part.place
            for part in parts
            if selectors.selects(selector, Element(part.field, part.node.role)) is True
        ]
    return found


def _is_masked(part: Part, own: Application) -> bool:
    """Whether a mask means this part; one that cannot be read here means everything with words."""
    for mask in own.masks:
        if selectors.place(mask.selector) is not None:
            continue
        meant = selectors.selects(mask.selector, Element(part.field, part.node.role))
        if meant or (meant is None and part.node.role not in {"window", "dialog", "group"}):
            return True
    return False


def _placed(window: Rectangle, named: selectors.Place) -> Rectangle:
    """Return where on the screen a place of a window lies."""
    return Rectangle(window.x + named.x, window.y + named.y, named.width, named.height)


def _within(window: Rectangle, place: Rectangle) -> tuple[int, int, int, int]:
    return place.x - window.x, place.y - window.y, place.width, place.height
