// Keeps the part of a page with the id "live" up to date for as long as the page is looked at.
// Without it the link "Look again" does the same. It says that nobody pressed anything, so that a
// page left open keeps no office open.
"use strict";

const seconds = Number(document.querySelector("#live")?.dataset.every);

async function look() {
  const held = document.querySelector("#live");
  if (!held) return; // It is over, so nothing is left to look at.
  // Whoever is about to press a button in it must not lose it from under their hand.
  if (!document.hidden && !held.contains(document.activeElement)) {
    try {
      const answer = await fetch(location.href, { headers: { "X-Remit-By-Itself": "1" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector(`[aria-labelledby="${held.getAttribute("aria-labelledby")}"]`);
      if (answer.ok && fresh) held.replaceWith(fresh);
    } catch {
      // The service is away; the next look may find it again.
    }
  }
  setTimeout(look, seconds * 1000);
}

if (seconds) setTimeout(look, seconds * 1000);
