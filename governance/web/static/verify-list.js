/* "Who accessed my data", checked in the reader's browser: each line against the signed log, and
 * whether the person's own numbers run 1, 2, 3, ..., so that an entry that was hidden is missed.
 *
 * Promise: a line is "verified" only when its entry was proved here and what the line shows is what
 * the entry and its disclosures say. The page comes from the operator, so it proves nothing against
 * a dishonest operator. It provides [data-verify-list-panel] with data-vkeys, data-policy and
 * data-proofs (addresses), button[data-verify-run][hidden], and lines [data-line="entry id"] with
 * data-shown (JSON of what it shows), [data-fact="id|t|leaf|release"] around what stands in letters,
 * and a [data-proof] with data-text-verified|failed and a [data-proof-word] and a [data-seal].
 */
(() => {
  "use strict";
  const { parseJson, utf8, canonical } = globalThis.remitForms;
  const { checkOwn } = globalThis.remitSaved;
  const { say, why, fetched, served, trusted, items, witnesses, panelOf, isAble } = globalThis.remitPanel;
  const MOST_PAGES = 40;
  const node = document.querySelector("[data-verify-list-panel]");
  if (!node) return;
  const panel = panelOf(node), { part } = panel;

  async function ownFiles() { // Newest first, page by page, until number 1.
    const files = [];
    for (let url = node.dataset.proofs; url && files.length < MOST_PAGES;) {
      const file = parseJson(utf8(await fetched(url)));
      files.push(file);
      url = file.next ? `${node.dataset.proofs}?before=${file.next}` : "";
    }
    return files;
  }
  function differs(line, { leaf, details, hash }) { // Is what is shown what was committed to?
    const said = { dec: leaf.dec, pur: leaf.pur ?? "", role: leaf.role ?? "", act: leaf.act ?? "", n: leaf.n ?? null,
      own: details.get("actor") === details.get("subject"), cells: details.get("cells") ?? [],
      reason: details.get("reason") ?? null, release: details.get("release") ?? null };
    if (canonical(parseJson(line.dataset.shown)) !== canonical(said)) return true;
    const letters = { id: leaf.id, leaf: hash, t: `${leaf.t.slice(0, 19)}Z`, release: said.release };
    return [...line.querySelectorAll("[data-fact]")].some((fact) => fact.textContent.trim() !== letters[fact.dataset.fact]);
  }
  function mark(line, state, reason = "") {
    const target = line.querySelector("[data-proof]") ?? line;
    for (const each of [target, ...target.querySelectorAll("[data-seal]")]) each.dataset.state = state;
    target.dataset.reason = reason;
    const text = target.dataset[`text${state[0].toUpperCase()}${state.slice(1)}`], word = target.querySelector("[data-proof-word]");
    if (text && word) word.textContent = text;
  }
  function checkLine(line, found, waiting) {
    const proved = found.get(line.dataset.line);
    if (!proved && waiting.has(line.dataset.line)) { mark(line, "pending"); return "pending"; }
    const reason = !proved ? "absent" : differs(line, proved) ? "shown" : "";
    mark(line, reason ? "failed" : proved.whole ? "verified" : "found", reason && say(`reason-${reason}`));
    return reason || (proved.whole ? "verified" : "found");
  }
  async function check() {
    const { vkeys, policy } = await served(node), trust = await trusted(vkeys, policy);
    const files = await ownFiles(), own = await checkOwn(files, trust), { missing } = own;
    const waiting = new Set(files.flatMap((file) => file.waiting.map((one) => one.entry)));
    const lines = [...document.querySelectorAll("[data-line]")].map((line) => checkLine(line, own.found, waiting));
    const good = lines.filter((state) => state === "verified" || state === "found").length;
    const pending = lines.filter((state) => state === "pending").length;
    const note = own.notes.filter(Boolean).sort((a, b) => (b.size > a.size ? 1 : -1))[0];
    const facts = { good, total: lines.length, pending, size: note?.size ?? 0, own: own.found.size, last: own.last,
      first: own.first, missing: missing.join(", "), waiting: own.pending, witnesses: witnesses(note) };
    const reasons = new Set([...own.refused, ...lines.filter((state) => ["absent", "shown"].includes(state))]);
    const failed = reasons.size > 0 || missing.length > 0;
    panel.list([[good + pending === lines.length, say("list-found", facts)],
      [!missing.length, say(missing.length ? "own-gap" : own.first > 1 ? "own-part" : "own-whole", facts)],
      ...(own.pending ? [["unknown", say("own-pending", { pending: own.pending })]] : []),
      ...[...reasons].map((reason) => [false, say("reason", { reason: say(`reason-${reason}`) })]), ...items(note)]);
    if (failed) return panel.show("failed", say(missing.length ? "list-gap" : "list-failed", facts), say("title-failed"));
    if (!own.found.size) return panel.show("partial", say("empty"));
    const whole = own.notes.every((one) => one?.whole);
    return whole ? panel.show("verified", say("list-verified", facts), say("title-verified")) : panel.show("partial", say("list-partial", facts));
  }
  async function run() {
    panel.show("running", say("running"));
    (part("label") ?? part("run")).textContent = say("again");
    try { await check(); } catch (error) {
      panel.list([[false, say("reason", { reason: why(error) })]]);
      panel.show("failed", say("list-failed", { good: 0, total: document.querySelectorAll("[data-line]").length }));
    }
  }
  if (!isAble()) panel.show("partial", say("unsupported"));
  else { part("run").hidden = false; part("run").addEventListener("click", run); }
})();
