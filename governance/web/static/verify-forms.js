/* One byte form for every value: base64, decimals, canonical JSON (RFC 8785), leaves, disclosures.
 *
 * Promise: accepts and refuses what `audit/verifier` does, case by case; tests/browser holds both
 * against the same files. Nothing here touches the page or the network. A refusal is a Refusal with
 * one word, which the page puts into a sentence of its own language.
 */
(() => {
  "use strict";
  const encoder = new TextEncoder();
  const DEEPEST = 16, LONGEST_LEAF = 65535, MOST_DISCLOSURES = 1024;
  const DIGEST_STEP = 8, SHY_DIGESTS = 16; // Decoys fill up to these.
  const ALWAYS = ["_sd", "_sd_alg", "dec", "ev", "id", "t", "tag", "v"];
  const SPOKEN = ["act", "n", "pol", "pur", "role"];
  const OWN = new Map([["log:genesis", ["origin", "vkeys"]], ["log:recovered", ["from", "to"]],
    ["log:closed", ["successor"]], ["log:rotated", ["origin", "vkeys", "predecessor"]]]);
  const SHY = ["capture:ingested", "consent:decided", "private:told"];
  const EVENTS = new Set(("log:genesis log:heartbeat log:recovered log:searched log:opened log:closed log:rotated " +
    "consent:decided notice:published purpose:registered application:registered policy:drafted " +
    "policy:submitted policy:approved policy:rejected policy:activated policy:suspended " +
    "retention:scheduled account:created role:assigned session:started session:refused " +
    "device:enrolled device:revoked capture:ingested capture:redacted capture:refused " +
    "capture:deleted capture:expired access:requested access:approved access:rejected " +
    "access:allowed access:denied access:closed release:published release:recalled " +
    "rights:requested rights:fulfilled erasure:requested erasure:completed key:shredded " +
    "key:rotated export:built campaign:sent campaign:ended asking:limited pressure:reported "
    + "pressure:settled participation:published policy:resumed stop:ordered stop:lifted " +
    "place:recorded monitoring:published monitoring:posted monitoring:acknowledged " +
    "basis:recorded assessment:drafted assessment:submitted assessment:decided " +
    "assessment:review_due consultation:recorded agreement:recorded agreement:confirmed " +
    "agreement:ended account:changed account:ended credential:added credential:removed " +
    "session:confirmed session:ended private:told ending:proposed ending:decided").split(" "));

  class Refusal extends Error {}
  const fail = (reason) => { throw new Refusal(reason); };
  const join = (...parts) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
    return whole;
  };
  const ascii = (text) => /^[\0-\x7f]*$/.test(text);
  const base64 = (bytes) => bytes.toBase64?.() ?? btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const unbase64 = (text) => { // The one spelling: no blanks, whole padding, no leftover bits.
    try {
      if (Uint8Array.fromBase64 && /^[\w+/]*={0,2}$/.test(text) && !text.includes("_")) {
        return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
      }
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      if (base64(bytes) === text) return bytes;
    } catch { /* Not base64 at all. */ }
    return fail("base64");
  };
  const url64 = (bytes) => base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const unurl64 = (text) => {
    if (!/^[\w-]*$/.test(text)) fail("base64");
    const padded = text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat(-text.length & 3);
    return unbase64(padded);
  };
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const utf8 = (bytes) => {
    try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); }
    catch { return fail("text"); }
  };
  const bytes = (text) => text.isWellFormed() ? encoder.encode(text) : fail("text");
  const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const same = (one, two) => one.length === two.length && one.every((byte, at) => byte === two[at]);
  // Below 2^63, as a BigInt: a Number would round what is larger than 2^53.
  const decimal = (text) => {
    const value = /^(0|[1-9]\d{0,18})$/.test(text) ? BigInt(text) : fail("number");
    return value < 2n ** 63n ? value : fail("number");
  };

  function canonical(value, depth = 0) { // The log's profile: ASCII names, whole numbers.
    if (depth > DEEPEST) fail("canonical");
    if (value === null || typeof value === "boolean") return String(value);
    if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : fail("canonical");
    if (typeof value === "string") {
      return value.isWellFormed() && !value.includes("\0") ? JSON.stringify(value) : fail("canonical");
    }
    if (Array.isArray(value)) return `[${value.map((each) => canonical(each, depth + 1)).join(",")}]`;
    const names = Object.keys(value).sort();
    if (!names.every(ascii)) fail("canonical");
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name], depth + 1)}`).join(",")}}`;
  }
  function parseCanonical(text) { // Encoding it again refuses spaces, order, escapes, duplicates.
    let value;
    try { value = JSON.parse(text); } catch { return fail("json"); }
    return canonical(value) === text ? value : fail("canonical");
  }
  function parseJson(text, { fractions = false } = {}) { // What need not be canonical: envelopes.
    const check = (_, value, context) => {
      if (typeof value !== "number") return value;
      const source = context?.source ?? String(value); // Older browsers do not show the source.
      if (/^-?\d+$/.test(source) ? Number.isSafeInteger(value) : fractions) return value;
      return fail("number");
    };
    try { return JSON.parse(text, check); }
    catch (error) { return fail(error instanceof Refusal ? error.message : "json"); }
  }
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const isText = (value) => typeof value === "string";

  function isTime(text) {
    if (!isText(text) || !/^\d{4}-\d\d-\d\dT\d\d:[0-5]\d:[0-5]\d\.\d{3}Z$/.test(text)) return false;
    const at = new Date(text); // A day without a calendar gives another text, or none.
    return !text.startsWith("0000") && !Number.isNaN(at.getTime()) && at.toISOString() === text;
  }
  const isDigest = (text) => isText(text) && /^[\w-]{42}[AEIMQUYcgkosw048]$/.test(text);
  const isSixteen = (text) => isText(text) && /^[\w-]{21}[AQgw]$/.test(text);
  const hasNames = (value, names) => isObject(value) && Object.keys(value).sort().join() === names;
  const isSpoken = (leaf) => ["act", "pur", "role"].every((name) => isText(leaf[name] ?? "") && leaf[name] !== null) &&
    (!Object.hasOwn(leaf, "n") || Number.isSafeInteger(leaf.n)) &&
    (!Object.hasOwn(leaf, "pol") || (hasNames(leaf.pol, "id,sha256,ver") && isText(leaf.pol.id) &&
      isText(leaf.pol.sha256) && Number.isSafeInteger(leaf.pol.ver)));
  const isTag = (tag) => hasNames(tag, "s,x") && isSixteen(tag.x) && Array.isArray(tag.s) &&
    tag.s.length === 1 && isSixteen(tag.s[0]);

  function parseLeaf(text) { // Only the names of the profile, each of its type; digests ascend.
    if (bytes(text).length > LONGEST_LEAF) fail("leaf");
    const leaf = parseCanonical(text), isShy = SHY.includes(leaf?.ev);
    if (!isObject(leaf)) fail("leaf");
    const needed = [...ALWAYS, ...(OWN.get(leaf.ev) ?? [])], names = Object.keys(leaf);
    if (!needed.every((name) => Object.hasOwn(leaf, name))) fail("leaf");
    if (!names.every((name) => needed.includes(name) || SPOKEN.includes(name))) fail("leaf");
    if (leaf.v !== 1 || leaf._sd_alg !== "sha-256" || !EVENTS.has(leaf.ev)) fail("leaf");
    if (!["allow", "deny", "n/a"].includes(leaf.dec) || !isTime(leaf.t) || !isSpoken(leaf) || !isTag(leaf.tag)) fail("leaf");
    if (!isText(leaf.id) || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(leaf.id)) fail("leaf");
    const digests = leaf._sd;
    if (!Array.isArray(digests) || !digests.length || !digests.every(isDigest)) fail("leaf");
    if (digests.some((one, at) => at && digests[at - 1] >= one)) fail("leaf");
    if (isShy ? digests.length !== SHY_DIGESTS : digests.length % DIGEST_STEP) fail("leaf");
    if (isShy && (names.length !== ALWAYS.length || leaf.dec !== "n/a" || !leaf.t.endsWith(":00:00.000Z"))) fail("leaf");
    return leaf;
  }
  async function openDisclosures(leaf, texts) { // RFC 9901 section 4.2: salt, name, value.
    if (!Array.isArray(texts) || texts.length > MOST_DISCLOSURES) fail("disclosure");
    const opened = new Map(), digests = new Set(leaf._sd);
    for (const text of texts) {
      if (!isText(text) || !ascii(text)) fail("disclosure");
      if (!digests.has(url64(await sha256(encoder.encode(text))))) fail("disclosure");
      const parts = parseCanonical(utf8(unurl64(text)));
      if (!Array.isArray(parts) || parts.length !== 3) fail("disclosure");
      const [salt, name, value] = parts;
      if (!isText(salt) || unurl64(salt).length < 16) fail("disclosure");
      if (!isText(name) || !name || Object.hasOwn(leaf, name) || opened.has(name)) fail("disclosure");
      opened.set(name, value);
    }
    return opened;
  }

  globalThis.remitForms = { Refusal, fail, join, base64, unbase64, unurl64, url64, hex, utf8, bytes,
    sha256, same, decimal, canonical, parseJson, isObject, isText, parseCanonical, parseLeaf,
    openDisclosures, EVENTS };
})();
