// What of a page rrweb may see. Everything is masked; what a signed policy names is the exception,
// and passwords, cards, one-time codes and hidden fields never are. The agent behind looks again.
"use strict";

const REMIT_SECRET = [
  "input[type=password i]",
  "[autocomplete~=one-time-code i]",
  "[autocomplete$=-password i]",
  "[autocomplete*=cc- i]",
].join(",");

const REMIT_NEVER = [
  REMIT_SECRET,
  "input[type=hidden i]",
  "input[type=file i]",
  "iframe",
  "canvas",
  "video",
  "audio",
  ".rr-block",
].join(",");

const REMIT_MASK = "\u2022";

// The length class of a text, and no letter of it.
function remitPlaceholder(text) {
  const length = text.trim().length;
  if (length === 0) return "";
  return REMIT_MASK.repeat(length <= 16 ? 8 : length <= 80 ? 40 : 100);
}

function remitNamed(element, names) {
  const own = element.getAttribute("name") || element.getAttribute("id") || "";
  return own !== "" && names.includes(own);
}

// A password field that shows its text is still one, and so is the field that a page puts in its
// place under the same name. Watched from the first moment of a page, recorded or not.
const remitSecret = new WeakSet();
const remitSecretNames = new Set();

function remitNames(element) {
  return [element.getAttribute("name"), element.getAttribute("id")].filter((name) => name);
}

function remitRemember(element) {
  remitSecret.add(element);
  for (const name of remitNames(element)) remitSecretNames.add(name);
}

function remitIsSecret(element) {
  if (element.matches(REMIT_SECRET)) remitRemember(element);
  return remitSecret.has(element) || remitNames(element).some((name) => remitSecretNames.has(name));
}

function remitLook(root) {
  if (!(root instanceof Element)) return;
  if (root.matches(REMIT_SECRET)) remitRemember(root);
  for (const element of root.querySelectorAll(REMIT_SECRET)) remitRemember(element);
}

new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) remitLook(node);
    const was = (change.oldValue || "").toLowerCase();
    const isPassword = change.attributeName === "type" && was === "password";
    const isSecret = change.attributeName === "autocomplete" && /-password$|one-time-code|cc-/.test(was);
    if (isPassword || isSecret) remitRemember(change.target);
    if (change.type === "attributes") remitLook(change.target);
  }
}).observe(document, {
  subtree: true,
  childList: true,
  attributes: true,
  attributeOldValue: true,
  attributeFilter: ["type", "autocomplete", "name", "id"],
});
remitLook(document.documentElement);
// Shadow trees are not seen from here; the field that is typed into is.
for (const kind of ["focusin", "keydown", "beforeinput"]) {
  addEventListener(
    kind,
    (event) => {
      const field = event.composedPath()[0];
      if (field instanceof Element) remitIsSecret(field);
    },
    { capture: true, passive: true },
  );
}

function remitOptions(rules, emit) {
  const labels = new Set(rules.labels);
  const never = [REMIT_NEVER, ...rules.masks.map((name) => `[name="${CSS.escape(name)}"], #${CSS.escape(name)}`)].join(",");
  const isSecret = (element) => {
    if (element.matches(never)) remitSecret.add(element);
    return remitIsSecret(element);
  };
  return {
    emit,
    blockSelector: never,
    ignoreSelector: never,
    maskAllInputs: true,
    maskTextSelector: "*",
    maskTextFn: (text) => (labels.has(text.trim()) ? text : remitPlaceholder(text)),
    maskInputFn: (text, element) => {
      // One and the same mask for every secret, from which the agent sees that it is one.
      if (isSecret(element)) return REMIT_MASK.repeat(8);
      if (element.tagName === "SELECT") {
        const chosen = element.selectedOptions[0];
        return chosen && labels.has(chosen.text.trim()) ? text : "";
      }
      return remitNamed(element, rules.fields) ? text : "";
    },
    slimDOMOptions: "all",
    inlineStylesheet: false,
    inlineImages: false,
    collectFonts: false,
    recordCanvas: false,
    recordCrossOriginIframes: false,
    sampling: { mousemove: 100, scroll: 150, input: "last" },
  };
}

globalThis.remitOptions = remitOptions;
