"""Draw the test screens anew: `python -m tests.governance.redaction.screens.draw`, needs chromium.

The pictures are committed beside this file, so that tests need no browser; each page says itself
(`data-pii`) what of it may not be seen. Everyone on them is invented.
"""

import json
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
BOXES = """() => [...document.querySelectorAll('[data-pii]')].flatMap(one =>
  [...one.getClientRects()].map(r => ({type: one.dataset.pii, text: one.textContent,
    x: r.x, y: r.y, w: r.width, h: r.height})))"""
TEXTS = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    if (node.parentElement.closest('style') || !node.textContent.trim()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) if (r.width > 3) found.push({
      text: node.textContent.trim(), pii: !!node.parentElement.closest('[data-pii]'),
      x: r.x, y: r.y, w: r.width, h: r.height});
  }
  return found;
}"""
STYLE = """<!doctype html><meta charset="utf-8"><style>body{margin:0;width:900px;height:420px;
overflow:hidden;font:14px 'Liberation Sans';background:#fff;color:#222}.bar{background:#e7e7ea;
padding:7px 12px;font-size:13px}td,th{border:1px solid #d6d6d6;padding:5px 12px;text-align:left}
table{border-collapse:collapse;margin:14px}label{font-size:12px;color:#555;display:block}
.in{border:1px solid #999;padding:6px 9px;width:300px;margin:2px 0 10px}</style>"""


def pii(kind: str, text: str) -> str:
    return f'<span data-pii="{kind}">{text}</span>'


PAGES = {
    "form": f"""<div class="bar">Shipment - {pii("PERSON", "Henrike Wollbrandt")}
- Freight desk</div>
<div style="padding:18px;columns:2"><label>Consignee name</label><div class="in">
{pii("PERSON", "Henrike Wollbrandt")}</div><label>Email</label><div class="in">
{pii("EMAIL", "h.wollbrandt@werft-sued.example")}</div><label>Mobile phone</label><div class="in">
{pii("PHONE", "+49 171 2300 458")}</div><label>Weight</label><div class="in">120 kg</div>
<label>IBAN</label><div class="in">{pii("IBAN", "DE89 3704 0044 0532 0130 00")}</div>
<label>Incoterms</label><div class="in">delivered at place</div></div>
<p style="padding:0 18px">Please call the customer before the delivery.</p>""",
    "table": """<div class="bar">Loading list - Warehouse</div><table><tr><th>Driver</th>
<th>Licence plate</th><th>Phone</th><th>Status</th></tr>"""
    + "".join(
        f"""<tr><td>{pii("PERSON", name)}</td><td>{plate}</td><td>{pii("PHONE", phone)}</td>
<td>{status}</td></tr>"""
        for name, plate, phone, status in (
            ("Jonte Aldershof", "open", "+31 6 12808939", "ready"),
            ("Mirela Constantin", "closed", "+40 721 555 018", "waiting"),
            ("Thorvald Brekke", "open", "+47 412 34 560", "ready"),
        )
    )
    + "</table><p style='padding:0 14px'>Three trucks are waiting at the gate.</p>",
    "dark": f"""<div style="background:#1e1e1e;color:#ccc;height:420px">
<pre style="margin:0;padding:14px;font:14px 'DejaVu Sans Mono';line-height:22px">
# author: {pii("EMAIL", "ruben.falkenau@example.org")}
def charge(amount, currency):
    return True
client = connect(token="{pii("SECRET", "ghp_q8ZrT2mK5vXw9LpB4nYc7HdJ1sFg6A0eUiOa")}")
</pre></div>""",
}


def main() -> None:
    screens = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 900, "height": 420})
        for name, body in PAGES.items():
            page.set_content(STYLE + body)
            page.screenshot(path=HERE / f"{name}.png")
            screens.append(
                {"file": f"{name}.png", "pii": page.evaluate(BOXES), "text": page.evaluate(TEXTS)}
            )
        browser.close()
    (HERE / "boxes.json").write_text(json.dumps(screens, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
