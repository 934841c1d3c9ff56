// Keeps "What it would do" beside a draft up to date while it is written. It sends the same form
// as the button "Show what it would do", which stays for everybody without this script.
"use strict";

const form = document.querySelector("form[data-preview]");
const WAIT_MS = 600;
let waiting;
let asking;

async function show() {
  asking?.abort();
  asking = new AbortController();
  const sent = new URLSearchParams(new FormData(form));
  sent.set("do", "preview");
  let text;
  try {
    const answer = await fetch(form.action, { method: "POST", body: sent, signal: asking.signal });
    if (!answer.ok) return;
    text = await answer.text();
  } catch {
    return; // A newer question took its place, or the service is away: the button still works.
  }
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("#preview");
  if (!fresh) return;
  document.querySelector("#preview").replaceWith(fresh);
  const said = form.querySelector("[data-said]");
  said.textContent = said.dataset.said;
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, WAIT_MS);
});
