/* Checks proofs of the log in the reader's browser: RFC 9162 inclusion, C2SP notes and cosignatures.
 *
 * Promise: a line turns "verified" only after its entry was hashed here, its path led to the signed
 * root, and the log's signature and every known cosignature held. This page comes from the operator,
 * so it proves nothing against a dishonest operator: offer the file and the command beside it.
 *
 * The page provides (texts are its own, so that they are translated; {names} in them are filled in):
 *   [data-verify-panel]   data-vkeys-url="/log/vkeys"; gets data-state: idle | running | verified |
 *       partial (something could not be checked here) | failed. Texts, as data-text-*: running,
 *       verified, partial, failed {good} {total} {size} {witnesses}; empty (nothing to check);
 *       unsupported; found {good} {total} {size}; pending {pending}; valid, missing, unchecked, bad
 *       {name}; entry {index} {id} {time} {event}; reason {reason}; again (the button's next label).
 *       data-reason-* translate the reasons: root, path, signature, unsigned, entry, disclosure, fetch,
 *       keys, form, size, index, canonical, checkpoint, base64, number.
 *   inside the panel:     button[data-verify-run][hidden] with an optional [data-verify-label] in it,
 *       [data-verify-text] (aria-live), ol[data-verify-checks][hidden] (gets li[data-ok=true|false|
 *       unknown]), input[type=file][data-verify-file], [data-verify-fallback][hidden] (the file and
 *       the command; shown unless all was checked).
 *   [data-proof="URL of a .tlog-proof"] anywhere: one line. Optional data-entry="UUID", which the
 *       proof must be of, data-text-verified|failed|pending and a [data-proof-word] inside for
 *       them. Gets data-state: recorded (as served) | verified | found (no signature) | pending
 *       (not sequenced yet) | failed, then data-reason. A [data-seal] inside it gets the same state.
 */
(() => {
  "use strict";
  const LONGEST = 1600000;
  const encoder = new TextEncoder();
  const fail = (reason) => { throw new Error(reason); };
  const unsupported = Symbol("unsupported");
  const join = (...parts) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
    return whole;
  };
  const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const unbase64 = (text) => {
    try {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      if (base64(bytes) === text) return bytes;
    } catch { /* Not base64 at all. */ }
    return fail("base64");
  };
  const url64 = (bytes) => base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const cap = (word) => word.slice(0, 1).toUpperCase() + word.slice(1);
  const utf8 = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const node = (left, right) => sha256(join([1], left, right));
  const decimal = (text) => /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : fail("number");
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const big = (value) => unhex(BigInt(value).toString(16).padStart(16, "0"));
  const unhex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));

  function canonical(value) { // RFC 8785 for the log's profile: ASCII names, whole numbers.
    if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    return `{${Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(",")}}`;
  }
  function strictJson(text) {
    const value = JSON.parse(text);
    return canonical(value) === text ? value : fail("canonical");
  }

  async function rootFrom(leaf, index, size, path) { // RFC 9162 section 2.1.3.2
    if (index >= size) fail("index");
    // Halved with floor, not shifted: shifts would cut indexes to 32 bits.
    let at = index, last = size - 1, root = leaf;
    for (const step of path) {
      if (last === 0) fail("path");
      if (at % 2 || at === last) {
        root = await node(step, root);
        while (at && at % 2 === 0) { at /= 2; last = Math.floor(last / 2); }
      } else root = await node(root, step);
      at = Math.floor(at / 2); last = Math.floor(last / 2);
    }
    return last === 0 ? root : fail("path");
  }

  async function readKeys(text) {
    return Promise.all(text.split("\n").filter((line) => /^[^#\s]/.test(line)).map(async (line) => {
      const [, name, id, rest] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)\s*$/.exec(line) || fail("keys");
      const raw = unbase64(rest), hash = await sha256(join(encoder.encode(`${name}\n`), raw));
      return hex(hash.slice(0, 4)) === id ? { name, id, type: raw[0], raw: raw.slice(1) } : fail("keys");
    }));
  }

  async function hasSigned(algorithm, format, key, signature, message) {
    let imported;
    try { imported = await crypto.subtle.importKey(format, key.raw, { name: algorithm }, false, ["verify"]); }
    catch (error) { if (error.name === "DataError") return false; throw unsupported; }
    return crypto.subtle.verify({ name: algorithm }, imported, signature, message);
  }
  function isSigned(key, payload, note) {
    const body = encoder.encode(note.body);
    if (key.type === 1) return hasSigned("Ed25519", "raw", key, payload, body);
    if (payload.length <= 8) return false;
    const time = new DataView(payload.buffer, payload.byteOffset, 8).getBigUint64(0), signature = payload.slice(8);
    if (key.type === 4) return hasSigned("Ed25519", "raw", key, signature, join(encoder.encode(`cosignature/v1\ntime ${time}\n`), body));
    if (key.type !== 6) return false;
    const name = encoder.encode(key.name), origin = encoder.encode(note.origin);
    return hasSigned("ML-DSA-44", "raw-public", key, signature, join(encoder.encode("subtree/v1\n\0"),
      [name.length], name, big(time), [origin.length], origin, big(0), big(note.size), note.root));
  }
  function parseNote(text) { // Signed notes split at their last empty line.
    const cut = text.lastIndexOf("\n\n"), lines = text.slice(cut + 2, -1).split("\n");
    if (cut < 0 || !text.endsWith("\n") || /[\0-\x09\x0b-\x1f]/.test(text) || lines.length > 64) fail("checkpoint");
    const body = text.slice(0, cut + 1), head = body.split("\n");
    if (head.length !== 4 || !head[0]) fail("checkpoint");
    const signatures = lines.map((line) => {
      const [, name, encoded] = /^\u2014 ([^+\s]+) (\S+)$/.exec(line) || fail("checkpoint");
      const raw = unbase64(encoded);
      return { name, id: hex(raw.slice(0, 4)), payload: raw.slice(4) };
    });
    return { body, origin: head[0], size: decimal(head[1]), root: unbase64(head[2]), signatures };
  }
  async function checkNote(text, keys) { // Each known key: valid, missing, unchecked or bad.
    const note = parseNote(text), results = [];
    for (const key of keys) {
      const isLog = key.name === note.origin;
      if (isLog ? key.type === 4 : key.type === 1) continue; // Keys of documents, not of trees.
      const lines = note.signatures.filter((one) => one.name === key.name && one.id === key.id);
      let state = "missing";
      for (const line of lines) {
        try { if (state !== "bad") state = await isSigned(key, line.payload, note) ? "valid" : "bad"; }
        catch (error) { if (error !== unsupported) throw error; state = "unchecked"; }
      }
      results.push({ name: key.name, algorithm: key.type === 6 ? "ML-DSA-44" : "Ed25519", isLog, state });
    }
    return { ...note, results };
  }

  async function checkProof(bytes, keys, notes) {
    if (bytes.length > LONGEST) fail("size");
    const text = utf8(bytes), gap = text.indexOf("\n\n"), lines = text.slice(0, gap).split("\n");
    if (gap < 0 || lines[0] !== "c2sp.org/tlog-proof@v1" || !lines[1]?.startsWith("extra ") || !lines[2]?.startsWith("index ")) fail("form");
    const extra = strictJson(utf8(unbase64(lines[1].slice(6)))), leaf = strictJson(extra.leaf);
    const checkpoint = text.slice(gap + 2), index = decimal(lines[2].slice(6));
    if (lines.length > 66 || Object.keys(extra).sort().join() !== "disclosures,leaf") fail("form");
    for (const disclosure of extra.disclosures) {
      if (!leaf._sd.includes(url64(await sha256(encoder.encode(disclosure))))) fail("disclosure");
    }
    if (!notes.has(checkpoint)) notes.set(checkpoint, checkNote(checkpoint, keys));
    const note = await notes.get(checkpoint);
    const hash = await sha256(join([0], encoder.encode(extra.leaf)));
    const root = await rootFrom(hash, index, note.size, lines.slice(3).map(unbase64));
    if (base64(root) !== base64(note.root)) fail("root");
    if (note.results.some((one) => one.state === "bad")) fail("signature");
    const signers = note.results.filter((one) => one.isLog && one.state !== "missing");
    if (!signers.length) fail("unsigned");
    const witnessed = note.results.some((one) => !one.isLog && one.state === "valid") || note.results.every((one) => one.isLog);
    return { index, leaf, note, whole: witnessed && signers.some((one) => one.state === "valid") };
  }

  for (const panel of document.querySelectorAll("[data-verify-panel]")) {
    const part = (name) => panel.querySelector(`[data-verify-${name}]`);
    const say = (name, facts = {}) => (panel.dataset[`text${cap(name)}`] || name)
      .replace(/\{(\w+)\}/g, (whole, key) => key in facts ? facts[key].toLocaleString(document.documentElement.lang || undefined) : whole);
    const show = (state, facts) => {
      panel.dataset.state = state;
      if (part("text")) part("text").textContent = say(facts?.total === 0 ? "empty" : state, facts);
      const title = facts?.total === 0 ? "" : panel.dataset[`title${cap(state)}`];
      if (title && part("title")) part("title").textContent = title;
      if (part("fallback")) part("fallback").hidden = state === "verified" || state === "running";
    };
    const item = ([ok, text]) => {
      const shown = Object.assign(document.createElement("li"), { textContent: text });
      shown.dataset.ok = ok;
      return shown;
    };
    const mark = (line, state, reason = "") => {
      for (const target of [line, ...line.querySelectorAll("[data-seal]")]) target.dataset.state = state;
      line.dataset.reason = reason;
      const text = line.dataset[`text${cap(state)}`], word = line.querySelector("[data-proof-word]");
      if (text && word) word.textContent = text;
    };
    // Our own reasons are single words, translated by data-reason-*; the browser's are its own.
    const why = ({ message }) => panel.dataset[`reason${cap(message)}`] || message;
    const get = async (url) => {
      const answer = await fetch(url, { credentials: "same-origin", cache: "no-store" });
      if (answer.status === 503) return null;
      return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : fail("fetch");
    };
    const known = async () => readKeys(utf8(await get(panel.dataset.vkeysUrl) ?? fail("keys")));
    async function checkLine(line, keys, notes) {
      try {
        const bytes = await get(line.dataset.proof);
        if (!bytes) { mark(line, "pending"); return { pending: true }; }
        const proved = await checkProof(bytes, keys, notes);
        if (line.dataset.entry && line.dataset.entry !== proved.leaf.id) fail("entry");
        mark(line, proved.whole ? "verified" : "found");
        return proved;
      } catch (error) { mark(line, "failed", why(error)); return { reason: why(error) }; }
    }
    function report(proofs, details = []) {
      const good = proofs.filter((one) => one.note), failed = proofs.some((one) => one.reason);
      const pending = proofs.length - good.length - proofs.filter((one) => one.reason).length;
      const note = good.map((one) => one.note).sort((a, b) => b.size - a.size)[0];
      const facts = { good: good.length, total: proofs.length, pending, size: note?.size ?? 0,
        witnesses: new Set(note?.results.filter((one) => !one.isLog && one.state === "valid").map((one) => one.name)).size };
      const items = [[!failed, say("found", facts)], ...details];
      if (pending) items.push(["unknown", say("pending", facts)]);
      const states = { valid: true, bad: false, missing: "unknown", unchecked: "unknown" };
      for (const one of note?.results ?? []) items.push([states[one.state], say(one.state, one)]);
      for (const reason of new Set(proofs.map((one) => one.reason).filter(Boolean))) items.push([false, say("reason", { reason })]);
      part("checks").hidden = false;
      part("checks").replaceChildren(...items.map(item));
      show(failed ? "failed" : good.length && good.every((one) => one.whole) ? "verified" : "partial", facts);
    }
    async function run(check) {
      show("running");
      try { report(...await check(await known(), new Map())); }
      catch (error) { report([{ reason: why(error) }]); }
    }
    const runLines = () => run(async (keys, notes) => {
      (part("label") ?? part("run")).textContent = say("again");
      return [await Promise.all([...document.querySelectorAll("[data-proof]")].map((line) => checkLine(line, keys, notes)))];
    });
    const runFile = (file) => run(async (keys, notes) => {
      const proved = await checkProof(new Uint8Array(await file.arrayBuffer()), keys, notes);
      const { id, t, ev } = proved.leaf;
      return [[proved], [[true, say("entry", { index: proved.index, id, time: t, event: ev })]]];
    });
    if (!globalThis.crypto?.subtle) { show("partial"); if (part("text")) part("text").textContent = say("unsupported"); continue; }
    if (part("run")) { part("run").hidden = false; part("run").addEventListener("click", runLines); }
    part("file")?.addEventListener("change", (event) => { if (event.target.files[0]) runFile(event.target.files[0]); });
  }
})();
