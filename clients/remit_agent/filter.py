"""The policy applied: from what was seen to what may be sent.

Promises: an event leaves only if its surface is mapped, every surface it may belong to is in the
policy and recognised by it, and the event's one category is open in all of them; what is not
understood is left out. Raw titles and URLs are matched here and go no further. Each thing left out
comes out as a reason.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from remit_agent.keyboard import Body, Keyboard
from remit_agent.mapping import Directory, MappedSurface
from remit_agent.observed import (
    Button,
    Choice,
    Focus,
    Key,
    Move,
    Node,
    Observation,
    Screen,
    Scroll,
    Source,
    Structure,
    Surface,
    Typed,
    Withheld,
)
from remit_agent.policy import Application, Policy
from remit_agent.settle import Settled

MAX_TEXT: Final = 4096
MAX_LABEL: Final = 120
MAX_NODES: Final = 5000
MAX_PICTURE_OCTETS: Final = 600 << 10
_MAX_PIXEL: Final = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An event that may be sent, still in recording time. `body` holds its type and leaves."""

    t_ns: int
    application: str
    category: str
    body: Body
    quantum_ns: int = 1
    # The bytes that a screen.frame names.
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that may not be sent, and why (the reasons of `capture.gap`)."""

    t_ns: int
    reason: str
    source: Source


Outcome = Kept | LeftOut


@dataclass(slots=True)
class Filter:
    """Applies one map and the policies in force; remembers held keys and the window in front."""

    mapping: Directory
    keyboard: Keyboard = field(default_factory=Keyboard)
    application: str | None = None

    def apply(self, seen: Iterable[Settled], policies: Sequence[Policy]) -> Iterator[Outcome]:
        """Yield what becomes of each observation; an event must be allowed by every policy."""
        for settled in seen:
            yield from self._judge(settled, policies)

    def _judge(self, settled: Settled, policies: Sequence[Policy]) -> Iterator[Outcome]:
        seen = settled.observation
        offers = list(self._offers(seen))
        source = _source(seen)
        if isinstance(seen, Withheld):
            yield LeftOut(seen.t_ns, seen.reason, seen.source)
            return
        applications = [
            found
            for policy in policies
            for surface in (seen.surface, *settled.others)
            if (found := self._allowed(surface, policy)) is not None
        ]
        mapped = self.mapping.find(seen.surface)
        wanted = len(policies) * (1 + len(settled.others))
        if not policies or mapped is None or len(applications) < wanted:
            if isinstance(seen, Focus):
                self.application = None
            yield LeftOut(seen.t_ns, "app_not_allowed", source)
            return
        if isinstance(seen, Structure) and not _is_own_tree(seen, mapped):
            yield LeftOut(seen.t_ns, "app_not_allowed", source)
            return
        yield from self._keep(seen, offers, applications)

    def _keep(
        self,
        seen: Observation,
        offers: Sequence[tuple[str, Body]],
        applications: Sequence[Application],
    ) -> Iterator[Outcome]:
        own = applications[0]
        if isinstance(seen, Focus):
            offers = list(self._focus_offers(seen, own))
        kept = 0
        for category, body in offers:
            if all(
                category in each.open_categories
                and _is_allowed_field(seen, category, each)
                and _is_masked_for(seen, each)
                for each in applications
            ):
                kept += 1
                timing = category == "keystroke-timing"
                yield Kept(
                    t_ns=seen.t_ns,
                    application=own.id,
                    category=category,
                    body=_listed_label(body, own),
                    quantum_ns=own.timing_quantum_ns if timing else 1,
                    picture=seen.picture if isinstance(seen, Screen) else None,
                )
        if not kept and (offers or not isinstance(seen, Focus | Key)):
            yield LeftOut(seen.t_ns, "category_denied", _source(seen))

    def _allowed(self, surface: Surface | None, policy: Policy) -> Application | None:
        mapped = self.mapping.find(surface)
        if mapped is None or surface is None:
            return None
        application = policy.application(mapped.application)
        if application is None or not application.recognises(mapped.completed(surface)):
            return None
        return application

    def _offers(self, seen: Observation) -> Iterator[tuple[str, Body]]:  # noqa: C901 - one table.
        """Yield (category, body) for all that an observation could become; one category each."""
        match seen:
            case Key():
                kind = "key.down" if seen.is_down else "key.up"
                for category, leaves in self.keyboard.read(seen):
                    yield category, {"type": kind} | leaves
            case Move():
                yield "pointer", {"type": "mouse.move"} | _place(seen.x, seen.y)
            case Scroll():
                yield "pointer", _scroll(seen)
            case Button():
                yield "click", _click(seen)
            case Typed() if len(seen.text.encode()) <= MAX_TEXT:
                yield "keystroke-text", _typed(seen)
            case Choice():
                yield "menu-navigation", _choice(seen)
            case Screen() if len(seen.picture) <= MAX_PICTURE_OCTETS:
                yield "screenshot", _screen(seen)
            case Structure() if 0 < len(seen.nodes) <= MAX_NODES:
                yield "ui-structure", _structure(seen)

    def _focus_offers(self, seen: Focus, own: Application) -> Iterator[tuple[str, Body]]:
        surface = seen.surface
        if surface is None:
            return
        if self.application != own.id:
            self.application = own.id
            yield "window-metadata", {"type": "app.focus"}
        title = surface.value if surface.kind == "window-title" else surface.title
        if title and (title := own.pattern_of(own.titles, title)):
            yield "window-metadata", {"type": "window.focus", "title_pattern": title}
        if surface.url and (page := own.pattern_of(own.urls, surface.url)):
            yield "window-metadata", {"type": "nav.url", "url_pattern": page}


def _source(seen: Observation) -> Source:
    match seen:
        case Key() | Typed():
            return "keyboard"
        case Move() | Scroll() | Button():
            return "pointer"
        case Focus():
            return "window"
        case Screen():
            return "screen"
        case Structure() | Choice():
            return "structural"
        case _:
            return "input"


def _is_own_tree(seen: Structure, mapped: MappedSurface) -> bool:
    """Tell whether a tree belongs to its surface: a page does, a desktop tree when it is mapped."""
    return mapped.kind == "origin" or seen.root in mapped.roots


def _is_allowed_field(seen: Observation, category: str, application: Application) -> bool:
    if category != "keystroke-text" or not isinstance(seen, Key | Typed):
        return True
    return application.may_type_into(seen.element)


def _is_masked_for(seen: Observation, application: Application) -> bool:
    """Whether a picture was masked by the very rules that are in force now."""
    return not isinstance(seen, Screen) or seen.policy_version == application.policy_version


def _listed_label(body: Body, own: Application) -> Body:
    """Return the body without a control label that the policy does not list."""
    if "control_label" in body and body["control_label"] not in own.labels:
        return {name: value for name, value in body.items() if name != "control_label"}
    return body


def _pixel(value: int) -> int:
    return max(-_MAX_PIXEL, min(_MAX_PIXEL, value))


def _place(x: int, y: int) -> Body:
    return {"x": _pixel(x), "y": _pixel(y)}


def _scroll(seen: Scroll) -> Body:
    turn: Body = {"dx": _pixel(seen.dx), "dy": _pixel(seen.dy)}
    return {"type": "mouse.scroll"} | _place(seen.x, seen.y) | turn


def _choice(seen: Choice) -> Body:
    label: Body = {"control_label": seen.label} if seen.label else {}
    return {"type": "menu.select", "control_role": seen.role} | label


def _click(seen: Button) -> Body:
    kind = "mouse.down" if seen.is_down else "mouse.up"
    role: Body = {"element_role": seen.role} if seen.role else {}
    return {"type": kind, "button": seen.button} | _place(seen.x, seen.y) | role


def _typed(seen: Typed) -> Body:
    element = seen.element
    label: Body = {"field_label": element.label[:MAX_LABEL]} if element.label else {}
    named: Body = {"field": element.field, "field_role": element.role} | label
    return {"type": "text.input", "text": seen.text} | named


def _screen(seen: Screen) -> Body:
    return {"type": "screen.frame", "blob_id": hashlib.sha256(seen.picture).hexdigest()}


def _structure(seen: Structure) -> Body:
    nodes = [_node(node) for node in seen.nodes]
    if seen.kind == "tree":
        return {"type": "ui.tree", "nodes": nodes}
    return {"type": "dom.rrweb", "kind": seen.kind, "nodes": nodes}


def _node(node: Node) -> Body:
    body: Body = {"id": node.id, "role": node.role, "text_class": node.text_class}
    if node.parent is not None:
        body["parent"] = node.parent
    if node.bounds is not None:
        body["bounds"] = [_pixel(each) for each in node.bounds]
    return body
