"""A receipt on paper: one PDF with what was decided, and the signed receipt inside as a file.

The page is for people; what proves anything is the attached `receipt.json`, which every PDF reader
can save and `remit-verify.pyz receipt` checks. Nothing is fetched, and the type lies beside us.
"""

import json
from pathlib import Path
from typing import Final

from django.template.loader import render_to_string
from fpdf import FPDF, FontFace, TextStyle

_FONTS: Final = Path(__file__).parent / "fonts"
_FAMILY: Final = "print"
_INK: Final = (23, 26, 31)
_TITLE: Final = TextStyle(font_size_pt=20, font_style="B", color=_INK, t_margin=0, b_margin=0.4)
_PART: Final = TextStyle(font_size_pt=13, font_style="B", color=_INK, t_margin=6, b_margin=0.2)


def pdf(
    *, context: dict[str, object], receipt: dict[str, object], language: str, title: str
) -> bytes:
    """Return the PDF of a receipt; `context` is what `portal/receipt-print.html` reads."""
    made = FPDF(format="A4")
    made.set_lang(language)
    made.set_title(title)
    made.set_creator("Remit")
    for style, name in (("", "regular"), ("B", "bold")):
        made.add_font(_FAMILY, style, _FONTS / f"remit-print-{name}.ttf")
    made.set_font(_FAMILY, size=10.5)
    made.set_text_color(*_INK)
    made.set_margins(22, 20)
    made.add_page()
    made.write_html(
        render_to_string("portal/receipt-print.html", context),
        font_family=_FAMILY,
        li_prefix_color=_INK,
        tag_styles={"h1": _TITLE, "h2": _PART, "a": FontFace(color=_INK)},
    )
    made.embed_file(
        bytes=json.dumps(receipt, indent=1, sort_keys=True).encode(),
        basename="receipt.json",
        desc=title,
        compress=True,
    )
    return bytes(made.output())
