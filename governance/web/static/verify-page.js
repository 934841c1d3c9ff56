/* The page that checks a saved file: proof, receipt, own entries or a whole copy. No network is
 * needed: the keys that are trusted stand in two fields, filled in by the server or by hand.
 *
 * The page provides, inside [data-verify-file-panel]: input[type=file][data-verify-file],
 * [data-verify-drop], textarea[data-verify-vkeys], textarea[data-verify-policy], ul[data-verify-keys],
 * and either data-vkeys and data-policy (addresses) or fields that are filled already.
 */
(() => {
  "use strict";
  const { Refusal, parseJson, utf8 } = globalThis.remitForms;
  const { checkProof } = globalThis.remitVerify;
  const { checkReceipt, checkOwn, checkArchive } = globalThis.remitSaved;
  const { say, why, served, trusted, items, witnesses, panelOf, isAble } = globalThis.remitPanel;
  const LONGEST = 512 * 1024 * 1024;
  const node = document.querySelector("[data-verify-file-panel]");
  if (!node) return;
  const panel = panelOf(node), { part } = panel;

  const keyLine = (key) => {
    const kind = key.type === 6 ? "ML-DSA-44" : "Ed25519", item = document.createElement("li");
    item.textContent = say("key", { name: key.name, id: key.id, algorithm: kind });
    return item;
  };
  async function showKeys() { // Says which keys a check relies on, before any check.
    try {
      const trust = await trusted(part("vkeys").value, part("policy").value);
      part("keys").replaceChildren(...trust.keys.map(keyLine));
      panel.put("trust", trust.keys.length ? say("trusted", { count: trust.keys.length }) : say("untrusting"));
      return trust;
    } catch (error) {
      part("keys").replaceChildren();
      panel.put("trust", say("reason", { reason: why(error) }));
      throw error;
    }
  }

  const steps = (told) => told.map(([name, facts]) => [true, say(`step-${name}`, facts)]);
  function report(proved, told) {
    const { note, details, leaf } = proved;
    const written = (value) => typeof value === "string" ? value : JSON.stringify(value);
    const opened = [...details].map(([name, value]) => [true, say("detail", { name, value: written(value) })]);
    panel.list([...steps(told), ...opened, ...items(note)]);
    const facts = { index: proved.index, event: leaf.ev, time: leaf.t, size: note.size, witnesses: witnesses(note) };
    panel.show(proved.whole ? "verified" : "partial", say(proved.whole ? "file-verified" : "file-partial", facts));
  }
  function reportOwn({ found, refused, missing, pending, first, last, notes }) {
    const wrong = refused.length > 0 || missing.length > 0, note = notes.find(Boolean);
    const whole = found.size > 0 && notes.every((one) => one?.whole);
    const facts = { good: found.size, first, last, missing: missing.join(", "), pending };
    panel.list([[!refused.length, say("own-found", facts)],
      [!missing.length, say(missing.length ? "own-gap" : first > 1 ? "own-part" : "own-whole", facts)],
      ...(pending ? [["unknown", say("own-pending", facts)]] : []),
      ...[...new Set(refused)].map((reason) => [false, say("reason", { reason: say(`reason-${reason}`) })]), ...items(note)]);
    const state = wrong ? "failed" : whole ? "verified" : "partial";
    panel.show(state, say(wrong ? "own-failed" : "own-verified", facts));
  }
  function reportArchive(results) {
    const wrong = results.filter((one) => one.reason), whole = results.every((one) => one.whole);
    const lines = results.flatMap(({ name, reason, whole: holds, pending }) => [
      reason ? [false, say("part-failed", { name, reason: say(`reason-${reason}`) })]
        : [holds ? true : "unknown", say(holds ? "part-verified" : "part-partial", { name })],
      ...(pending ? [["unknown", say("own-pending", { pending })]] : [])]);
    const facts = { good: results.length - wrong.length, total: results.length };
    const state = wrong.length ? "failed" : whole ? "verified" : "partial";
    panel.list(lines);
    panel.show(state, say(`archive-${state}`, facts));
  }
  async function check(data, trust, told) {
    if (data[0] === 0x50 && data[1] === 0x4b) return reportArchive(await checkArchive(data, trust));
    if (data[0] !== 0x7b) return report(await checkProof(data, trust, { told }), told); // Not "{".
    const document = parseJson(utf8(data), { fractions: true });
    if (Object.hasOwn(document, "proofs")) return reportOwn(await checkOwn([document], trust));
    return report(await checkReceipt(data, trust, { told }), told);
  }
  async function run(file) {
    const told = [];
    panel.show("running", say("running"));
    try {
      if (file.size > LONGEST) throw new Refusal("size");
      const trust = await showKeys();
      if (!trust.keys.length) throw new Refusal("untrusting");
      await check(new Uint8Array(await file.arrayBuffer()), trust, told);
    } catch (error) {
      panel.list([...steps(told), [false, say("reason", { reason: why(error) })]]);
      panel.show("failed", say("file-failed", { name: file.name }));
    }
    panel.put("name", say("file", { name: file.name }));
  }

  async function start() {
    if (!isAble()) return panel.show("partial", say("unsupported"));
    part("file").addEventListener("change", ({ target }) => { if (target.files[0]) run(target.files[0]); });
    const drop = part("drop");
    for (const name of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(name, (event) => { event.preventDefault(); drop.dataset.over = name === "dragover"; });
    }
    drop.addEventListener("drop", ({ dataTransfer }) => { if (dataTransfer.files[0]) run(dataTransfer.files[0]); });
    for (const name of ["vkeys", "policy"]) part(name).addEventListener("change", () => showKeys().catch(() => undefined));
    try {
      if (node.dataset.vkeys) { const { vkeys, policy } = await served(node); part("vkeys").value = vkeys; part("policy").value = policy; }
      await showKeys();
    } catch (error) { panel.put("trust", say("reason", { reason: why(error) })); }
    return panel;
  }
  node.verified = start();
})();
