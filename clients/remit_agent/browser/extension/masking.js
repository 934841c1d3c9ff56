// What of a page rrweb may see. Everything is masked; what a signed policy names is the exception,
// and passwords, cards, one-time codes and hidden fields never are. The agent behind looks again.
"use strict";

const REMIT_NEVER = [
  "input[type=password]",
  "input[type=hidden]",
  "input[type=file]",
  "input[autocomplete~=one-time-code]",
  "input[autocomplete$=-password]",
  "input[autocomplete*=cc-]",
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

// A password field that shows its text is still one.
const remitSecret = new WeakSet();

function remitOptions(rules, emit) {
  const labels = new Set(rules.labels);
  const never = [REMIT_NEVER, ...rules.masks.map((name) => `[name="${CSS.escape(name)}"], #${CSS.escape(name)}`)].join(",");
  const isSecret = (element) => {
    if (element.matches(never)) remitSecret.add(element);
    return remitSecret.has(element);
  };
  return {
    emit,
    blockSelector: never,
    ignoreSelector: never,
    maskAllInputs: true,
    maskTextSelector: "*",
    maskTextFn: (text) => (labels.has(text.trim()) ? text : remitPlaceholder(text)),
    maskInputFn: (text, element) => {
      if (isSecret(element)) return "";
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
