// Carries messages between pages and the agent, and shows the agent's state on the button.
"use strict";

const BADGES = {
  capturing: ["REC", "#b3261e"],
  paused: ["II", "#3b5b92"],
  "not-allowed": ["", "#4a4a4a"],
  "no-policy": ["?", "#8a5a00"],
};
const pages = new Map();
let host = null;
let next = 1;

function show(state) {
  const [text, color] = BADGES[state] || BADGES["no-policy"];
  chrome.action.setBadgeText({ text });
  chrome.action.setBadgeBackgroundColor({ color });
  chrome.action.setTitle({ title: `Remit: ${state}` });
}

function toAgent(message) {
  if (!host) {
    host = chrome.runtime.connectNative("dev.remit.agent");
    host.onMessage.addListener(fromAgent);
    host.onDisconnect.addListener(() => {
      host = null;
      for (const port of pages.values()) port.postMessage({ kind: "stop" });
      show("no-policy");
    });
  }
  host.postMessage(message);
}

function fromAgent(message) {
  if (message.kind === "state") show(message.state);
  const to = message.page === undefined ? [...pages.values()] : [pages.get(message.page)];
  if (message.kind !== "state") for (const port of to) if (port) port.postMessage(message);
}

chrome.runtime.onConnect.addListener((port) => {
  const page = next++;
  pages.set(page, port);
  port.onMessage.addListener((message) => toAgent({ ...message, page }));
  port.onDisconnect.addListener(() => {
    pages.delete(page);
    if (host) host.postMessage({ kind: "gone", page });
  });
});
