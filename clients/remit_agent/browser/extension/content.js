// Asks whether this page may be recorded, and records while the answer is yes.
"use strict";

(() => {
  const port = chrome.runtime.connect();
  let stop = null;

  const end = () => {
    if (stop) stop();
    stop = null;
  };

  const begin = (rules) => {
    end();
    if (!rules) return;
    stop = globalThis.rrwebRecord.record(
      globalThis.remitOptions(rules, (event) => {
        // A page that nobody looks at is nobody's work.
        if (document.visibilityState === "visible") port.postMessage({ kind: "event", event });
      }),
    );
  };

  port.onMessage.addListener((message) => {
    if (message.kind === "rules") begin(message.rules);
    if (message.kind === "stop") end();
    if (message.kind === "again") port.postMessage({ kind: "page", url: location.href });
  });
  port.onDisconnect.addListener(end);
  port.postMessage({ kind: "page", url: location.href });
})();
