"""When the window in front is looked at as a whole: its tree, and the picture of it.

Promises: only a window that some application of the policy recognises, at rest for half a second,
after its person did something, and no oftener than the policy's budget; nothing is looked at that
no open category asks for. A window that moved while it was looked at is forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from remit_agent.canvas import Canvas
from remit_agent.mapping import LIVE
from remit_agent.observed import Observation, Screen, Structure
from remit_agent.policy import Application, Policy
from remit_agent.x11 import picture
from remit_agent.x11.desk import Desk
from remit_agent.x11.display import Rectangle
from remit_agent.x11.picture import MOST_PARTS, Part

REST_NS: Final = 500_000_000
TREE_NS: Final = 10_000_000_000
_MINUTE_NS: Final = 60_000_000_000


@dataclass(slots=True)
class Camera:
    """Looks at the window in front when it is time."""

    desk: Desk
    _tree_ns: int = -TREE_NS
    _shot_ns: int = -_MINUTE_NS
    _seen_input_ns: int = -1
    _last: list[Part] = field(default_factory=list)

    def due(self, now_ns: int, *, policy: Policy | None, own: Application | None) -> Iterator[
        Observation
    ]:  # fmt: skip
        """Yield what is to be seen now (monotonic time), mostly nothing."""
        desk = self.desk
        if policy is None or own is None or desk.bus is None or desk.front_pid is None:
            return
        is_at_rest = now_ns - desk.quiet_since_ns > REST_NS
        if not is_at_rest or desk.input_ns == self._seen_input_ns:
            return
        most = policy.document.budgets.max_screens_per_minute
        wants_tree = "ui-structure" in own.open_categories and now_ns - self._tree_ns >= TREE_NS
        wants_shot = (
            "screenshot" in own.open_categories
            and most > 0
            and now_ns - self._shot_ns >= _MINUTE_NS // most
        )
        if wants_tree or wants_shot:
            self._seen_input_ns = desk.input_ns
            yield from self._look(now_ns, own, wants=(wants_tree, wants_shot))

    def _look(
        self, now_ns: int, own: Application, *, wants: tuple[bool, bool]
    ) -> Iterator[Observation]:
        parts = self.desk.parts(most=MOST_PARTS)
        if not parts:
            return
        at = {"t_ns": max(0, now_ns - self.desk.start_ns), "surface": self.desk.front}
        if wants[1] and (taken := self._shoot(parts, own)) is not None:
            self._shot_ns = now_ns
            yield Screen(**at, picture=taken, policy_version=own.policy_version)  # type: ignore[arg-type]  # as built above.
        if wants[0]:
            self._tree_ns = now_ns
            nodes = [part.node for part in parts if not part.is_secure]
            yield Structure(**at, kind="tree", nodes=nodes, root=LIVE)  # type: ignore[arg-type]  # as built above.

    def _shoot(self, parts: list[Part], own: Application) -> bytes | None:
        desk = self.desk
        if desk.front is None or desk.front.window is None:
            return None
        window = desk.display.place(desk.front.window)
        if window is None or (seen := window.cut(desk.display.size)).is_empty:
            return None
        drawn = picture.draw(seen, parts)
        if not own.screen_regions:
            return drawn.png()
        shot = self._pixels(seen)
        # What moved meanwhile is not where the tree says: then nothing of it is shown.
        if shot is None or [each.node for each in desk.parts(most=MOST_PARTS)] != [
            each.node for each in parts
        ]:
            return None
        return picture.with_regions(drawn, shot, window, parts, own, seen=seen).png()

    def _pixels(self, window: Rectangle) -> Canvas | None:
        """Return the pixels of the window, taken while no window may move."""
        desk, core = self.desk, self.desk.display.core
        core.GrabServer()
        try:
            strangers = desk.above(window)
            return None if strangers is None else picture.shoot(desk.display, window, strangers)
        finally:
            core.UngrabServer()
            desk.display.connection.flush()
