/* What people keep: consent receipts, all entries about oneself, and the copy that holds both.
 *
 * Promise: a receipt holds as `remit-verify.pyz receipt` says; of one's own entries each is proved,
 * all name one person, and their numbers run 1, 2, 3, ... so that a hidden one is a gap. Needs
 * verify-forms.js, verify-fields.js and verify.js; no page, no network.
 */
(() => {
  "use strict";
  const { Refusal, fail, join, unbase64, unurl64, hex, utf8, bytes, sha256, same, canonical,
    parseJson, isObject, isText } = globalThis.remitForms;
  const { checkFields } = globalThis.remitFields;
  const { checkProof, hasSigned, unsupported, LONGEST_PROOF } = globalThis.remitVerify;
  const RECEIPT = "application/vnd.remit.consent-receipt.v1+json";
  const LONGEST_RECEIPT = LONGEST_PROOF + 1024 * 1024, LARGEST_PART = 64 * 1024 * 1024, MOST_FILES = 20000;

  const member = (value, name, is) =>
    isObject(value) && Object.hasOwn(value, name) && is(value[name]) ? value[name] : fail("receipt");
  async function isDocumentSigned(envelope, body, trusted, origin) {
    const signatures = member(envelope, "signatures", Array.isArray), known = new Map();
    if (signatures.length > 16) fail("receipt");
    for (const key of trusted.documents.filter((one) => one.type === 1 && one.name !== origin)) {
      known.set(hex(await sha256(key.public)).slice(0, 16), key); // The log's own key may not.
    }
    const message = join(bytes(`DSSEv1 ${bytes(RECEIPT).length} ${RECEIPT} ${body.length} `), body);
    let signed = false;
    for (const each of signatures) {
      const key = known.get(member(each, "keyid", isText));
      if (key && !await hasSigned(key.public, unbase64(member(each, "sig", isText)), message)) fail("receipt-signature");
      signed ||= Boolean(key);
    }
    return signed || fail("receipt-unsigned");
  }
  function* strings(value) {
    if (isText(value)) yield value;
    else if (value !== null && typeof value === "object") for (const each of Object.values(value)) yield* strings(each);
  }
  async function checkReceipt(data, trusted, { heads, told = [] } = {}) {
    if (data.length > LONGEST_RECEIPT) fail("size");
    const envelope = parseJson(utf8(data)), place = member(envelope, "transparency", isObject);
    if (place.proof === null) fail("early");
    const proved = await checkProof(bytes(member(place, "proof", isText)), trusted, { heads, told });
    if (proved.leaf.ev !== "consent:decided") fail("receipt-entry");
    const { origin } = proved.note, index = member(place, "index", Number.isInteger);
    if (member(place, "origin", isText) !== origin || BigInt(index) !== proved.index) fail("receipt-entry");
    if (member(envelope, "payloadType", isText) !== RECEIPT) fail("receipt");
    const body = unbase64(member(envelope, "payload", isText));
    let whole = proved.whole;
    try { await isDocumentSigned(envelope, body, trusted, origin); }
    catch (error) { if (error !== unsupported) throw error; whole = false; }
    const document = parseJson(utf8(body), { fractions: true }), id = member(document, "dct:identifier", isText);
    told.push(["receipt", { id }]);
    if (Object.hasOwn(document, "cu:auditLogOrigin") && document["cu:auditLogOrigin"] !== origin) fail("receipt-entry");
    if (![...strings(document)].includes(proved.leaf.id)) fail("receipt-entry");
    if (proved.details.has("decision")) {
      const decided = hex(await sha256(bytes(canonical(document["cu:decision"] ?? null))));
      if (proved.details.get("decision") !== decided) fail("receipt-entry");
    }
    checkFields(document);
    told.push(["bond", { opened: proved.details.has("decision") }]);
    return { ...proved, whole };
  }

  async function hasTag(leaf, secret) { // HMAC(tag key, nonce), cut to 16 bytes.
    const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, unurl64(leaf.tag.x)));
    return leaf.tag.s.some((tag) => same(unurl64(tag), mac.slice(0, 16)));
  }
  /* A file of own entries: {"heads":[checkpoint],"proofs":[{"head":0,"proof":...}],"next":null,
   * "waiting":[{"entry":id,"number":n}]}, the newest first; below `next` it says nothing. Returns
   * the proved entries by id, why others are not, and which numbers are missing. */
  async function checkOwn(files, trusted, { secret = null } = {}) {
    const heads = new Map(), found = new Map(), refused = [], numbers = [];
    let pending = 0, subject = null;
    for (const file of files) {
      const waiting = member(file, "waiting", Array.isArray);
      pending += waiting.length;
      numbers.push(...waiting.map((one) => member(one, "number", Number.isSafeInteger)));
      for (const each of member(file, "proofs", Array.isArray)) {
        try {
          const head = member(file, "heads", Array.isArray)[each.head] ?? fail("form");
          const proved = await checkProof(bytes(`${member(each, "proof", isText)}\n${head}`), trusted, { heads });
          const number = proved.details.get("subject_seq");
          if (!Number.isSafeInteger(number) || number < 1) fail("stranger");
          if (proved.details.get("subject") !== (subject ??= proved.details.get("subject")) || !subject) fail("stranger");
          if (secret && !await hasTag(proved.leaf, secret)) fail("tag");
          if (found.has(proved.leaf.id)) fail("twice");
          found.set(proved.leaf.id, { ...proved, number });
          numbers.push(number);
        } catch (error) { refused.push(error.message); if (!(error instanceof Refusal)) throw error; }
      }
    }
    const held = new Set(numbers), last = numbers.reduce((most, one) => Math.max(most, one), 0);
    if (held.size !== numbers.length) refused.push("twice");
    const missing = [], first = files.at(-1)?.next ?? 1;
    for (let number = first; number < last && missing.length < 100; number += 1) if (!held.has(number)) missing.push(number);
    return { found, refused, missing, pending, first, last, notes: await Promise.all([...heads.values()].map((one) => one.catch(() => null))) };
  }

  async function inflate(data, limit) {
    const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const parts = [];
    for (let size = 0, part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      if (size > limit) fail("size");
      parts.push(part.value);
    }
    return join(...parts);
  }
  async function unzip(data) { // The central directory, which stands at the end, says what there is.
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength), files = new Map();
    let end = data.length - 22;
    while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
    if (end < 0 || view.getUint16(end + 10, true) > MOST_FILES) fail("archive");
    let at = view.getUint32(end + 16, true);
    for (let left = view.getUint16(end + 10, true); left > 0; left -= 1) {
      if (view.getUint32(at, true) !== 0x02014b50) fail("archive");
      const method = view.getUint16(at + 10, true), packed = view.getUint32(at + 20, true), size = view.getUint32(at + 24, true);
      const name = view.getUint16(at + 28, true), start = view.getUint32(at + 42, true);
      const body = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
      const raw = data.slice(body, body + packed);
      if (![0, 8].includes(method) || size > LARGEST_PART) fail("archive");
      const part = method ? await inflate(raw, size) : raw;
      files.set(utf8(data.slice(at + 46, at + 46 + name)), part.length === size ? part : fail("archive"));
      at += 46 + name + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    }
    return files;
  }
  /* The copy of one's data, or one's log key with what belongs to it; returns a result a part. */
  async function checkArchive(data, trusted) {
    let files;
    try { files = await unzip(data); } catch (error) { fail(error instanceof Refusal ? error.message : "archive"); }
    const results = [], heads = new Map();
    const part = async (name, check) => {
      try { results.push({ name, ...await check(files.get(name)) }); }
      catch (error) { if (!(error instanceof Refusal)) throw error; results.push({ name, reason: error.message }); }
    };
    if (files.has("manifest.json")) await part("manifest.json", async (body) => {
      const listed = member(parseJson(utf8(body)), "files", Array.isArray);
      for (const { name, sha256: digest } of listed) {
        if (!files.has(name) || hex(await sha256(files.get(name))) !== digest) fail("manifest");
      }
      return listed.length + 1 === files.size ? { count: listed.length, whole: true } : fail("manifest");
    });
    for (const name of files.keys()) {
      if (name.startsWith("receipts/")) await part(name, (body) => checkReceipt(body, trusted, { heads }));
      if (/\.tlog(-proof)?$/.test(name)) await part(name, (body) => checkProof(body, trusted, { heads }));
    }
    const secret = files.get("log/tag-key.txt"), own = "log/entries.json";
    if (files.has(own)) await part(own, async (body) => {
      const key = secret ? unbase64(utf8(secret).trim()) : null;
      const checked = await checkOwn([parseJson(utf8(body))], trusted, { secret: key });
      if (checked.missing.length) fail("gap");
      if (checked.refused.length) fail(checked.refused[0]);
      return { ...checked, count: checked.found.size, whole: checked.notes.every((note) => note?.whole) };
    });
    return results.length ? results : fail("archive");
  }

  globalThis.remitSaved = { checkReceipt, checkOwn, checkArchive };
})();
