"""The page as rrweb rebuilt it: enough to know what a node is, and never what it says.

Promises: a field that was a password field once stays secure for the life of the page, whatever
its type becomes, and so does the one that the page puts in its place under the same name; what the
page blocks (`rr-block`) or masks (`rr-mask`) stays so, although rrweb's own masking of inputs has
been seen to fail (infra.md §6, fact 4).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from remit_agent.observed import Element, Node, text_class

ELEMENT: Final = 2
TEXT: Final = 3
_UNSEEN: Final = frozenset({"head", "script", "style", "meta", "title", "link", "noscript", "base"})
_FIELD_ID: Final = re.compile(r"[^A-Za-z0-9_.:#/-]+")
_ROLES: Final = {
    "a": "link", "article": "article", "aside": "complementary", "body": "document",
    "button": "button", "dialog": "dialog", "fieldset": "group", "figure": "figure",
    "footer": "contentinfo", "form": "form", "h1": "heading", "h2": "heading", "h3": "heading",
    "h4": "heading", "h5": "heading", "h6": "heading", "header": "banner", "hr": "separator",
    "html": "document", "img": "image", "li": "listitem", "main": "main", "meter": "meter",
    "nav": "navigation", "ol": "list", "option": "option", "p": "paragraph",
    "progress": "progressbar", "section": "region", "select": "combobox", "svg": "image",
    "table": "table", "tbody": "rowgroup", "td": "cell", "textarea": "textbox",
    "th": "columnheader", "thead": "rowgroup", "tr": "row", "ul": "list",
}  # fmt: skip
_INPUT_ROLES: Final = {
    "button": "button", "checkbox": "checkbox", "image": "button", "number": "spinbutton",
    "radio": "radio", "range": "slider", "reset": "button", "search": "searchbox",
    "submit": "button",
}  # fmt: skip


# What a page hides from its person is not theirs to show, and a file is not what they did.
_SECRET_KINDS: Final = frozenset({"password", "hidden", "file"})
_NAMES: Final = ("name", "id")


def _is_secret(autocomplete: str) -> bool:
    """Whether a word of `autocomplete` says password, one-time code, or payment card."""
    return (
        autocomplete.endswith("-password")
        or autocomplete == "one-time-code"
        or autocomplete.startswith("cc-")
    )


@dataclass(slots=True)
class PageNode:
    """One node of the page; `text` stays inside the adapter."""

    id: int
    kind: int
    tag: str
    attributes: dict[str, str]
    text: str
    parent: int | None
    children: list[int] = field(default_factory=list)

    @property
    def classes(self) -> frozenset[str]:
        """The classes of the element."""
        return frozenset(self.attributes.get("class", "").split())

    @property
    def role(self) -> str:
        """The ARIA role of the element; `generic` for what has none."""
        if self.kind == TEXT:
            return "other"
        if self.tag == "input":
            return _INPUT_ROLES.get(self.attributes.get("type", "text").lower(), "textbox")
        return _ROLES.get(self.tag, "generic")


@dataclass(slots=True)
class Page:
    """All nodes by id, and which of them are secure for good."""

    nodes: dict[int, PageNode] = field(default_factory=dict)
    secure: set[int] = field(default_factory=set)
    # Of passwords, codes and cards; a new layout of the page forgets none.
    secret_names: set[str] = field(default_factory=set)

    def load(self, root: Mapping[str, Any]) -> None:
        """Take a full snapshot; a new page forgets the old one's nodes."""
        self.nodes.clear()
        self.secure.clear()
        self.add(root, parent=None)

    def add(self, raw: Mapping[str, Any], *, parent: int | None) -> list[int]:
        """Take a serialised node and all below it; return the ids, parents first.

        ValueError for a node below itself.
        """
        added: list[int] = []
        waiting: list[tuple[Mapping[str, Any], int | None]] = [(raw, parent)]
        while waiting:
            each, above = waiting.pop()
            node = self._node(each, above)
            added.append(node.id)
            children = each.get("childNodes", [])
            waiting.extend((child, node.id) for child in reversed(children))
        return added

    def _node(self, raw: Mapping[str, Any], parent: int | None) -> PageNode:
        attributes = {str(k): str(v) for k, v in raw.get("attributes", {}).items()}
        node = PageNode(
            id=int(raw["id"]),
            kind=int(raw["type"]),
            tag=str(raw.get("tagName", "")).lower(),
            attributes=attributes,
            text=str(raw.get("textContent", "")),
            parent=parent,
        )
        if parent is not None and self._is_above(node.id, parent):
            # Whoever looks upwards would never come to an end.
            raise ValueError("A node of the page stands below itself.")
        self.nodes[node.id] = node
        if parent is not None and parent in self.nodes:
            self.nodes[parent].children.append(node.id)
        self._note_secure(node)
        return node

    def change(self, node_id: int, attributes: Mapping[str, Any]) -> None:
        """Take changed attributes; becoming a password field is remembered, ceasing is not."""
        node = self.nodes.get(node_id)
        if node is None:
            return
        for name, value in attributes.items():
            if isinstance(value, str):
                node.attributes[name] = value
        self._note_secure(node)

    def remove(self, node_id: int) -> None:
        """Forget a node and what hangs below it; a secure id stays secure."""
        waiting = [node_id]
        while waiting:
            node = self.nodes.pop(waiting.pop(), None)
            if node is not None:
                waiting.extend(node.children)

    def _note_secure(self, node: PageNode) -> None:
        kind = node.attributes.get("type", "").lower()
        completes = node.attributes.get("autocomplete", "").lower().split()
        names = {name for each in _NAMES if (name := node.attributes.get(each))}
        is_secret = kind == "password" or any(_is_secret(each) for each in completes)
        if is_secret:
            self.secret_names |= names
        if is_secret or kind in _SECRET_KINDS or names & self.secret_names:
            self.secure.add(node.id)

    def is_withheld(self, node_id: int) -> bool:
        """Whether nothing that happens on this node may be told: secure, blocked, or unknown."""
        if node_id in self.secure or node_id not in self.nodes:
            return True
        return any("rr-block" in node.classes for node in self._upwards(node_id))

    def is_masked(self, node_id: int) -> bool:
        """Whether the page asked that the text of this node be masked."""
        return any("rr-mask" in node.classes for node in self._upwards(node_id))

    def link_of(self, node_id: int) -> str | None:
        """Return where a click on this node leads, when it is in a link."""
        for node in self._upwards(node_id):
            if node.tag == "a" and "href" in node.attributes:
                return node.attributes["href"]
        return None

    def element(self, node_id: int) -> Element:
        """Return the field a node is: a stable id, its role, the words of its label."""
        node = self.nodes[node_id]
        name = node.attributes.get("name") or node.attributes.get("id") or f"n{node_id}"
        clean = _FIELD_ID.sub("-", name)[:64].strip("-") or f"n{node_id}"
        return Element(clean, node.role, self._label(node_id))

    def option(self, node_id: int, value: str) -> str | None:
        """Return the label of a select's option by its value."""
        for child in self._below(node_id):
            if child.tag == "option" and child.attributes.get("value") == value:
                return self._words(child)
        return None

    def visible(self, ids: Iterator[int]) -> Iterator[Node]:
        """Yield nodes as structure: elements by role, text by its length class, nothing unseen."""
        for node_id in ids:
            node = self.nodes[node_id]
            if self._is_unseen(node):
                continue
            yield Node(
                id=node.id,
                parent=node.parent,
                role=node.role,
                text_class=text_class(node.text) if node.kind == TEXT else "none",
            )

    def _is_unseen(self, node: PageNode) -> bool:
        if node.kind not in {ELEMENT, TEXT} or (node.kind == TEXT and not node.text.strip()):
            return True
        if node.id in self.secure:
            return True
        return any(
            each.tag in _UNSEEN or "rr-block" in each.classes for each in self._upwards(node.id)
        )

    def _is_above(self, node_id: int, parent: int) -> bool:
        return node_id == parent or any(each.parent == node_id for each in self._upwards(parent))

    def _upwards(self, node_id: int) -> Iterator[PageNode]:
        node = self.nodes.get(node_id)
        while node is not None:
            yield node
            node = self.nodes.get(node.parent) if node.parent is not None else None

    def _below(self, node_id: int) -> Iterator[PageNode]:
        waiting = list(self.nodes[node_id].children)
        while waiting:
            node = self.nodes.get(waiting.pop(0))
            if node is not None:
                yield node
                waiting.extend(node.children)

    def _label(self, node_id: int) -> str | None:
        own = self.nodes[node_id].attributes.get("aria-label", "").strip()
        if own:
            return own[:120]
        label = next((each for each in self._upwards(node_id) if each.tag == "label"), None)
        return (self._words(label) or None) if label else None

    def _words(self, node: PageNode) -> str:
        """Return the text directly inside an element: the application's words, not a person's."""
        texts = [self.nodes[each].text for each in node.children if each in self.nodes]
        words = " ".join("".join(texts).split())[:120]
        return "" if set(words) <= {"•", "*", " "} else words
