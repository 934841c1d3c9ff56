"""The page of proofs as one file that needs no server: saved once, it checks without a network.

Promises: everything it runs stands in it; its own Content-Security-Policy lets nothing else run and
lets nothing out; the same version in the same language with the same keys gives the same bytes,
so that people can compare its SHA-256. The keys in it are the ones the log's files named when it
was made: the page shows their ids, to be held against a printed list.
"""

import base64
import html
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import json_script
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from governance.web import checking

SCRIPTS: Final = (
    "verify-forms.js",
    "verify.js",
    "verify-fields.js",
    "verify-saved.js",
    "verify-panel.js",
    "verify-page.js",
)
STYLE: Final = "verify-file.css"
NAME: Final = "remit-verify.html"
_STATIC: Final = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class TrustedFiles:
    """What the page trusts: the log's `vkeys` and `policy`, as they stood."""

    vkeys: str = ""
    policy: str = ""


def published() -> TrustedFiles:
    """Return the log's own files; empty ones before the log has begun."""
    folder = Path(settings.REMIT_LOG_DIR)
    read = {
        name: (folder / name).read_text(encoding="utf-8") if (folder / name).exists() else ""
        for name in ("vkeys", "policy")
    }
    return TrustedFiles(**read)


def page(trusted: TrustedFiles) -> bytes:
    """Return the whole file in the language of the request."""
    style, scripts = _static(STYLE), "\n".join(map(_static, SCRIPTS))
    csp = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_source(scripts)}",
            f"style-src {_source(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    body = render_to_string("web/verify-file.html", {"trusted": trusted})
    words = json_script(checking.texts(), "verify-texts")
    return _lines(
        "<!doctype html>",
        f'<html lang="{html.escape(get_language() or "en")}">',
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(csp)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{html.escape(_('Check a proof'))}</title>",
        f"<style>{style}</style>",
        f"<body>{body}",
        str(words),
        f"<script>{scripts}</script>",
        "</html>",
    )


def digest(content: bytes) -> str:
    """Return the SHA-256 as `sha256sum` prints it."""
    return sha256(content).hexdigest()


def _static(name: str) -> str:
    text = (_STATIC / name).read_text(encoding="utf-8")
    if "</script" in text or "</style" in text or "<!--" in text:
        raise ValueError(f"{name} would end the element it stands in.")
    return text


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8")
