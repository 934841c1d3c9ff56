/* The panel in which a check shows what it found, for the page of proofs and the list of accesses.
 *
 * Promise: its words are the page's (JSON in #verify-texts, so that they are translated; {names} in
 * them are filled in), and `data-state` is idle, running, verified, partial (something could not be
 * checked here) or failed. Parts: [data-verify-title], [data-verify-text] (aria-live),
 * ol[data-verify-checks], [data-verify-fallback] (the file and the command; shown unless verified).
 */
(() => {
  "use strict";
  const { Refusal, utf8, isText } = globalThis.remitForms;
  const { parseKeys, parsePolicy, trust } = globalThis.remitVerify;
  const LONGEST_KEYS = 1024 * 1024;
  const words = JSON.parse(document.getElementById("verify-texts")?.textContent ?? "{}");
  const chosen = document.documentElement.lang;
  const language = chosen === "en" ? "en-GB" : chosen || undefined; // Days before months, as on every page.
  const spell = (value) => isText(value) ? value : value.toLocaleString(language);
  const say = (name, facts = {}) => (words[name] ?? name).replace(/\{(\w+)\}/g, (whole, key) => key in facts ? spell(facts[key]) : whole);
  const why = (error) => error instanceof Refusal ? say(`reason-${error.message}`) : say("reason-browser", { error: String(error.message) });

  async function fetched(url) { // Null: not there yet.
    let answer;
    try { answer = await fetch(url, { credentials: "same-origin", cache: "no-store" }); }
    catch { throw new Refusal("fetch"); }
    if (!answer.ok) throw new Refusal("fetch");
    return new Uint8Array(await answer.arrayBuffer());
  }
  const limited = (text) => text.length > LONGEST_KEYS ? "" : text;
  async function trusted(vkeys, policy) {
    return trust(vkeys.trim() ? await parseKeys(limited(vkeys)) : [], policy.trim() ? await parsePolicy(limited(policy)) : null);
  }
  async function served(panel) {
    const [vkeys, policy] = await Promise.all([fetched(panel.dataset.vkeys), fetched(panel.dataset.policy)]);
    return { vkeys: utf8(vkeys), policy: utf8(policy) };
  }

  function items(note) { // One line for each key that may have signed this head.
    const states = { valid: true, missing: "unknown", unchecked: "unknown" };
    return (note?.results ?? []).map((one) => {
      const at = one.time ? new Date(Number(one.time) * 1000).toLocaleString(language, { dateStyle: "medium", timeStyle: "long" }) : "";
      const name = one.state === "valid" && !one.isLog ? "witnessed" : one.state;
      return [states[one.state], say(name, { ...one, at })];
    });
  }
  const witnesses = (note) => new Set((note?.results ?? []).filter((one) => !one.isLog && one.state === "valid").map((one) => one.name)).size;

  function panelOf(panel) {
    const part = (name) => panel.querySelector(`[data-verify-${name}]`);
    const put = (name, text) => { if (part(name)) part(name).textContent = text; };
    return {
      part,
      put,
      show(state, text, title = "") {
        panel.dataset.state = state;
        put("text", text);
        if (title) put("title", title);
        if (part("fallback")) part("fallback").hidden = state === "verified" || state === "running" || state === "idle";
      },
      list(lines) {
        part("checks").hidden = !lines.length;
        part("checks").replaceChildren(...lines.map(([ok, text]) => {
          const line = Object.assign(document.createElement("li"), { textContent: text });
          line.dataset.ok = ok;
          return line;
        }));
      },
    };
  }

  globalThis.remitPanel = { say, why, fetched, served, trusted, items, witnesses, panelOf, isAble: () => Boolean(globalThis.crypto?.subtle) };
})();
