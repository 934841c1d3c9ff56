// Asks the browser for a passkey and sends its answer with the form around the button. Without
// JavaScript the button stays hidden and the page says which other way there is.
"use strict";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const said = form.querySelector("[role=alert]");

  async function options() {
    if (form.dataset.options) {
      return JSON.parse(document.getElementById(form.dataset.options).textContent);
    }
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("no challenge");
    return answer.json();
  }

  async function ceremony(event) {
    event.preventDefault();
    said.hidden = true;
    button.disabled = true;
    try {
      const asked = await options();
      const credential = await window.webauthnJSON[form.dataset.passkey](asked);
      form.elements.namedItem("credential").value = JSON.stringify(credential);
      form.submit();
    } catch {
      said.hidden = false;
      button.disabled = false;
    }
  }

  if (window.PublicKeyCredential && window.isSecureContext) {
    form.hidden = false;
    button.addEventListener("click", ceremony);
    document.querySelector("[data-no-passkey]")?.setAttribute("hidden", "");
  }
}
