/* Proofs of the log: RFC 9162 inclusion, C2SP signed notes, cosignatures, policies, proof files.
 *
 * Promise: `checkProof` returns only when the entry was hashed here, its path leads to a root that
 * a trusted key of the log signed, every known signature holds and the policy's quorum is met, by
 * the same strict reading as `audit/verifier`. `whole` is false when this browser lacks an
 * algorithm or when no witness that is known has signed. Needs verify-forms.js; no page, no network.
 */
(() => {
  "use strict";
  const { fail, join, base64, unbase64, hex, utf8, bytes, sha256, same, decimal, isObject, isText, parseCanonical, parseLeaf, openDisclosures } = globalThis.remitForms;
  const LONGEST_NOTE = 512 * 1024, LONGEST_PROOF = LONGEST_NOTE + 1024 * 1024, LONGEST_PATH = 63;
  const ED25519 = 1, COSIGNATURE = 4, ML_DSA_44 = 6, unsupported = Symbol("unsupported");
  const LENGTHS = { [ED25519]: 32, [COSIGNATURE]: 32, [ML_DSA_44]: 1312 };
  const NAME = /^[^+\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/u;
  const isName = (name) => NAME.test(name) && bytes(name).length <= 255; // A cosignature counts in one byte.
  async function parseKey(text) { // name+id+base64, the name without a plus.
    const [, name, id, rest] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(text) || fail("keys");
    const raw = unbase64(rest), type = raw[0], publicKey = raw.slice(1);
    if (!isName(name) || LENGTHS[type] !== publicKey.length) fail("keys");
    const hash = await sha256(join(bytes(`${name}\n`), raw));
    return hex(hash.slice(0, 4)) === id ? { text, name, id, type, public: publicKey } : fail("keys");
  }
  async function parseKeys(text) {
    const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/).map((line) => line.trim());
    const keys = await Promise.all(lines.filter((line) => line && !line.startsWith("#")).map(parseKey));
    return keys.length && keys.length <= 128 ? keys : fail("keys");
  }
  async function parsePolicy(text) { // C2SP tlog-policy; a line that is not understood refuses it.
    if (text.length > 1024 * 1024 || /[\0-\x08\x0b-\x1f\x7f]/.test(text)) fail("policy");
    const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: null };
    const used = new Set(), isKnown = (name) => policy.witnesses.has(name) || policy.groups.has(name);
    const readers = {
      async log(words) {
        const key = await parseKey(words[0] ?? "");
        if (words.length > 2 || key.type === COSIGNATURE) return false;
        return !policy.logs.some((one) => same(one.public, key.public)) && policy.logs.push(key);
      },
      async witness([name, vkey, ...url]) {
        if (!vkey || url.length > 1 || name === "none" || isKnown(name)) return false;
        const key = await parseKey(vkey), known = [...policy.witnesses.values()];
        if (key.type === ED25519 || known.some((one) => same(one.public, key.public))) return false;
        return policy.witnesses.set(name, key);
      },
      group([name, rule, ...members]) {
        if (!members.length || name === "none" || isKnown(name)) return false;
        const least = rule === "any" ? 1 : rule === "all" ? members.length : /^[1-9]\d*$/.test(rule) ? Number(rule.slice(0, 9)) : 0;
        if (least < 1 || least > members.length || new Set(members).size !== members.length) return false;
        if (members.some((one) => !isKnown(one) || used.has(one))) return false;
        for (const one of members) used.add(one); // Each counts in one place only.
        return policy.groups.set(name, { least, members });
      },
      quorum(words) {
        if (words.length !== 1 || policy.quorum !== null || !(words[0] === "none" || isKnown(words[0]))) return false;
        policy.quorum = words[0];
        return true;
      },
    };
    for (const line of text.split("\n")) {
      const [kind, ...words] = line.split(/[ \t]/).filter(Boolean);
      if (!kind || kind.startsWith("#")) continue;
      if (!Object.hasOwn(readers, kind) || !await readers[kind](words)) fail("policy");
      if (policy.logs.length + policy.witnesses.size + policy.groups.size > 256) fail("policy");
    }
    return policy.quorum === null ? fail("policy") : policy;
  }
  function hasQuorum(policy, signed, name = policy.quorum) {
    if (name === "none") return true;
    if (policy.witnesses.has(name)) return signed.has(policy.witnesses.get(name).text);
    const { least, members } = policy.groups.get(name);
    return members.filter((one) => hasQuorum(policy, signed, one)).length >= least;
  }
  const trust = (keys, policy = null) => {
    const all = [...keys, ...(policy?.logs ?? []), ...(policy?.witnesses.values() ?? [])];
    return { keys: [...new Map(all.map((key) => [key.text, key])).values()], documents: keys, policy };
  };
  // Public keys that RFC 8032 lets pass and that sign everything: their order is 1, 2, 4 or 8.
  const WEAK = new Set(["00", "80"].flatMap((sign) => [
    `${"00".repeat(31)}${sign}`, `01${"00".repeat(30)}${sign}`, `ec${"ff".repeat(30)}${sign === "00" ? "7f" : "ff"}`,
    `26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc${sign === "00" ? "05" : "85"}`,
    `c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03${sign === "00" ? "7a" : "fa"}`]));
  const isWeak = (key) => WEAK.has(hex(key)) || // Or y is written as a number above the field.
    ((key[31] & 127) === 127 && key[0] >= 0xed && key.slice(1, 31).every((byte) => byte === 255));

  async function hasSigned(algorithm, key, signature, message) {
    if (algorithm === "Ed25519" && (signature.length !== 64 || isWeak(key))) return false;
    const format = algorithm === "Ed25519" ? "raw" : "raw-public";
    try {
      const imported = await crypto.subtle.importKey(format, key, { name: algorithm }, false, ["verify"]);
      return await crypto.subtle.verify({ name: algorithm }, imported, signature, message);
    } catch (error) {
      if (error.name === "DataError") return false;
      throw unsupported; // This browser does not know the algorithm.
    }
  }
  const isEd25519 = (key, signature, message) => hasSigned("Ed25519", key, signature, message);
  const stamp = (value) => Uint8Array.from({ length: 8 }, (_, at) => Number(value >> BigInt(8 * (7 - at)) & 255n));
  async function signedAt(key, payload, note) { // The time it states, or null when it does not hold.
    if (key.type === ED25519) return await isEd25519(key.public, payload, bytes(note.body)) ? 0n : null;
    if (payload.length <= 8) return null;
    const time = new DataView(payload.buffer, payload.byteOffset, 8).getBigUint64(0), signature = payload.slice(8);
    if (time >= 2n ** 63n) return null;
    if (key.type === COSIGNATURE) {
      return await isEd25519(key.public, signature, bytes(`cosignature/v1\ntime ${time}\n${note.body}`)) ? time : null;
    }
    const name = bytes(key.name), origin = bytes(note.origin);
    if (origin.length > 255) fail("checkpoint");
    const message = join(bytes("subtree/v1\n\0"), [name.length], name, stamp(time), [origin.length],
      origin, stamp(0n), stamp(note.size), note.root);
    return await hasSigned("ML-DSA-44", key.public, signature, message) ? time : null;
  }
  function parseNote(text) { // Signed notes split at their last empty line.
    const cut = text.lastIndexOf("\n\n");
    if (bytes(text).length > LONGEST_NOTE || /[\0-\x09\x0b-\x1f]/.test(text)) fail("checkpoint");
    if (cut < 0 || !text.endsWith("\n") || cut + 2 >= text.length) fail("checkpoint");
    const lines = text.slice(cut + 2, -1).split("\n"), body = text.slice(0, cut + 1), head = body.split("\n");
    if (lines.length > 64 || head.length !== 4 || !head[0]) fail("checkpoint");
    const signatures = lines.map((line) => {
      const [, name, encoded] = /^\u2014 ([^ ]*) (.*)$/u.exec(line) || fail("checkpoint");
      const raw = isName(name) ? unbase64(encoded) : fail("checkpoint");
      return raw.length < 5 ? fail("checkpoint") : { name, id: hex(raw.slice(0, 4)), payload: raw.slice(4) };
    });
    const root = unbase64(head[2]);
    return { body, origin: head[0], size: decimal(head[1]), root: root.length === 32 ? root : fail("checkpoint"), signatures };
  }

  async function checkKey(key, note) { // What this key's lines under the head are worth.
    const isLog = key.name === note.origin, algorithm = key.type === ML_DSA_44 ? "ML-DSA-44" : "Ed25519";
    const one = { key: key.text, name: key.name, id: key.id, algorithm, isLog, state: "missing", time: 0n };
    for (const line of note.signatures.filter((each) => each.name === key.name && each.id === key.id)) {
      try {
        const time = await signedAt(key, line.payload, note) ?? fail("signature");
        if (one.state === "missing" && (isLog || time)) Object.assign(one, { state: "valid", time });
      } catch (error) { if (error !== unsupported) throw error; one.state = "unchecked"; }
    }
    return one;
  }
  async function checkHead(text, { keys, policy }) { // Each key: valid, missing or unchecked.
    const note = parseNote(text);
    if (note.size === 0n && !same(note.root, await sha256(new Uint8Array()))) fail("checkpoint");
    // The log's keys sign, others' cosign; the rest are keys of documents.
    const logs = new Set(keys.filter((key) => key.type === ED25519).map((key) => key.name)); // Earlier names too.
    const signing = keys.filter((key) => key.name === note.origin ? key.type !== COSIGNATURE
      : key.type === COSIGNATURE || (key.type === ML_DSA_44 && !logs.has(key.name)));
    const results = await Promise.all(signing.map((key) => checkKey(key, note)));
    const log = results.filter((one) => one.isLog && one.state !== "missing"), witnesses = results.filter((one) => !one.isLog);
    const perhaps = new Set(witnesses.filter((one) => one.state !== "missing").map((one) => one.key));
    const signed = new Set(witnesses.filter((one) => one.state === "valid").map((one) => one.key));
    if (!log.length) fail("unsigned");
    if (policy && !hasQuorum(policy, perhaps)) fail("quorum");
    const whole = log.some((one) => one.state === "valid") && (!policy || hasQuorum(policy, signed)) &&
      (signed.size > 0 || !witnesses.length);
    return { ...note, results, whole };
  }

  const node = (left, right) => sha256(join([1], left, right));
  async function rootFrom(leafHash, index, size, path) { // RFC 9162 section 2.1.3.2
    if (index >= size) fail("index");
    let at = index, last = size - 1n, root = leafHash;
    for (const step of path) {
      if (last === 0n) fail("path");
      if (at & 1n || at === last) {
        root = await node(step, root);
        while (at && !(at & 1n)) { at >>= 1n; last >>= 1n; }
      } else root = await node(root, step);
      at >>= 1n; last >>= 1n;
    }
    return last === 0n ? root : fail("path");
  }
  function parseProof(data) { // The head is ASCII; the checkpoint behind it is a note.
    if (data.length > LONGEST_PROOF) fail("size");
    const text = utf8(data), gap = text.indexOf("\n\n"), lines = text.slice(0, gap).split("\n");
    if (gap < 0 || lines[0] !== "c2sp.org/tlog-proof@v1") fail("form");
    if (!lines[1]?.startsWith("extra ") || !lines[2]?.startsWith("index ")) fail("form");
    const extra = parseCanonical(utf8(unbase64(lines[1].slice(6))));
    if (!isObject(extra) || Object.keys(extra).sort().join() !== "disclosures,leaf" || !isText(extra.leaf)) fail("form");
    const path = lines.slice(3).map(unbase64);
    if (path.length > LONGEST_PATH || path.some((step) => step.length !== 32)) fail("path");
    return { index: decimal(lines[2].slice(6)), path, leaf: extra.leaf, disclosures: extra.disclosures, checkpoint: text.slice(gap + 2) };
  }
  async function checkProof(data, trusted, { heads = new Map(), told = [] } = {}) {
    const proof = parseProof(data);
    told.push(["file", { index: proof.index, hashes: proof.path.length }]);
    if (!heads.has(proof.checkpoint)) heads.set(proof.checkpoint, checkHead(proof.checkpoint, trusted));
    const note = await heads.get(proof.checkpoint);
    told.push(["head", { origin: note.origin, size: note.size }]);
    const hash = await sha256(join([0], bytes(proof.leaf)));
    if (!same(await rootFrom(hash, proof.index, note.size, proof.path), note.root)) fail("root");
    told.push(["path", { hashes: proof.path.length, hash: base64(hash) }]);
    const leaf = parseLeaf(proof.leaf);
    told.push(["leaf", { id: leaf.id, time: leaf.t, event: leaf.ev }]);
    const details = await openDisclosures(leaf, proof.disclosures);
    told.push(["disclosures", { count: details.size }]);
    return { index: proof.index, leaf, details, note, hash: base64(hash), whole: note.whole };
  }

  globalThis.remitVerify = { parseKey, parseKeys, parsePolicy, trust, checkHead, checkProof, hasSigned: isEd25519, unsupported, LONGEST_PROOF };
})();
