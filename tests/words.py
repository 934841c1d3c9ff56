"""What `make words` runs: finds every marked text, brings the catalogues up to it, compiles them.

    python -m tests.words

The exit status is 0 only when every text has its words in every language. The compiled files are
committed, so that nothing that serves pages needs a compiler; a test keeps them and the catalogues
in step with the source.
"""

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.template.base import FilterExpression, Node, NodeList, Template, Variable
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ROOT / "governance" / "locale"
LANGUAGES = ("de", "fr")
PACKAGES = ("audit", "consent", "governance")
TEMPLATES = ROOT / "templates"
# A catalogue changes when its words do, not when the clock does.
DATED = datetime(2026, 1, 1, tzinfo=UTC)
WIDTH = 100

# What a text is looked up by: itself, or one and many, and the context it was marked with.
Marked: TypeAlias = tuple[str | tuple[str, str], str | None]

_KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}


def in_source() -> Iterator[tuple[str, Marked]]:
    """Yield each text that Python code marks, with the file it stands in."""
    for path in sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")):
        with path.open("rb") as file:
            for _, text, _, context in extract("python", file, keywords=_KEYWORDS):
                found = (text[0], text[1]) if isinstance(text, tuple) else text
                yield path.relative_to(ROOT).as_posix(), (found, context)


def in_templates() -> Iterator[tuple[str, Marked]]:
    """Yield each text that a template marks, with the template it stands in."""
    for path in sorted(TEMPLATES.rglob("*.html")):
        name = path.relative_to(TEMPLATES).as_posix()
        template = get_template(name).template  # type: ignore[attr-defined]
        for marked in of_template(template):
            yield f"templates/{name}", marked


def of_template(template: Template) -> Iterator[Marked]:
    """Yield what one compiled template marks: tags, and `_("...")` in expressions."""
    for node in _nodes(template.nodelist):
        if isinstance(node, TranslateNode):
            context = node.message_context
            yield _literal(node.filter_expression), None if context is None else _literal(context)
        elif isinstance(node, BlockTranslateNode):
            yield _block(node)
        for expression in _expressions(vars(node).values()):
            yield from ((text, None) for text in _translated(expression))


def _nodes(nodes: NodeList) -> Iterator[Node]:
    # `get_nodes_by_type` forgets the branches of tags that keep them elsewhere; these keep all.
    yield from nodes.get_nodes_by_type(Node)


def _literal(expression: FilterExpression) -> str:
    # The tag for texts makes a variable of a constant, the others leave it as it stands.
    text = expression.var.literal if isinstance(expression.var, Variable) else expression.var
    if not isinstance(text, str):
        raise TypeError(f"{expression.token}: only a plain text can be translated")
    return str(text)


def _block(node: BlockTranslateNode) -> Marked:
    context = None if node.message_context is None else _literal(node.message_context)
    one, _ = node.render_token_list(node.singular)
    if not node.plural:
        return one, context
    many, _ = node.render_token_list(node.plural)
    return (one, many), context


def _expressions(values: Iterable[object]) -> Iterator[FilterExpression]:
    for value in values:
        if isinstance(value, FilterExpression):
            yield value
        elif isinstance(value, dict):
            yield from _expressions(value.values())
        elif isinstance(value, list | tuple):
            yield from _expressions(value)


def _translated(expression: FilterExpression) -> list[str]:
    return [quoted for _, quoted in re.findall(r"_\((['\"])(.*?)\1\)", expression.token)]


def template_catalogue() -> Catalog:
    """Return every marked text of the repository, without words."""
    found = Catalog(project="Remit", creation_date=DATED, header_comment="")
    for place, (text, context) in (*in_source(), *in_templates()):
        if text:
            found.add(text, locations=[(place, 1)], context=context, flags=())
    return found


def path_of(language: str, ending: str) -> Path:
    """Return where a language's catalogue lies."""
    return LOCALES / language / "LC_MESSAGES" / f"django.{ending}"


def catalogue(language: str) -> Catalog:
    """Return a language's words as they stand."""
    path = path_of(language, "po")
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def brought_up(language: str) -> Catalog:
    """Return a language's words for exactly the marked texts; new ones are empty, old ones gone."""
    held = catalogue(language)
    fresh = Catalog(
        locale=language,
        project="Remit",
        creation_date=DATED,
        revision_date=DATED,
        last_translator="Remit",
        language_team=language,
        header_comment="",
        fuzzy=False,
    )
    for message in template_catalogue():
        if message.id:
            words = held.get(message.id, message.context)
            fresh.add(
                message.id,
                words.string if words else None,
                locations=message.locations,
                flags=message.flags,
                context=message.context,
            )
    return fresh


def written(words: Catalog) -> bytes:
    """Return a catalogue as its file has it."""
    file = io.BytesIO()
    write_po(file, words, width=WIDTH, sort_output=True, include_lineno=False)
    return file.getvalue()


def compiled(words: Catalog) -> bytes:
    """Return a catalogue as programs read it."""
    file = io.BytesIO()
    write_mo(file, words)
    return file.getvalue()


def missing(words: Catalog) -> list[Message]:
    """Return the texts without words, or without one of their plural forms."""
    return [
        message
        for message in words
        if message.id
        and not all(message.string if isinstance(message.string, tuple) else (message.string,))
    ]


def main() -> int:
    """Bring the catalogues up to the source and say what still wants words."""
    wanted = 0
    for language in LANGUAGES:
        words = brought_up(language)
        path_of(language, "po").parent.mkdir(parents=True, exist_ok=True)
        path_of(language, "po").write_bytes(written(words))
        path_of(language, "mo").write_bytes(compiled(words))
        for message in missing(words):
            sys.stdout.write(f"{language}: {message.id!r} has no words yet\n")
            wanted += 1
        sys.stdout.write(f"{language}: {len(words)} texts, {len(missing(words))} without words\n")
    return 1 if wanted else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    raise SystemExit(main())
