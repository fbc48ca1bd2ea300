"use strict";
/* Forms marked data-passkey="create" or "get": ask the browser's passkeys, put the answer into the form's field
   "answer" and send the form. Everything is checked on the server. A form with data-unasked also lets the
   browser offer a passkey in the field for the address, before anybody presses a button (WebAuthn 3, 5.1.5). */
(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");

  const decoded = (options) => {
    const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
    const made = { ...options, challenge: bytes(options.challenge) };
    if (options.user) made.user = { ...options.user, id: bytes(options.user.id) };
    if (options.excludeCredentials) made.excludeCredentials = known(options.excludeCredentials);
    if (options.allowCredentials) made.allowCredentials = known(options.allowCredentials);
    return made;
  };

  const encoded = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: {},
    });
  };

  // A challenge lives for five minutes: an offer that waits longer is made anew with another.
  const OFFERED_MS = 4 * 60 * 1000;
  let offered = new AbortController();

  const ask = async (form, more = {}) => {
    const answer = await fetch(form.dataset.options, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("no options");
    const options = { publicKey: decoded(await answer.json()), ...more };
    return form.dataset.passkey === "create"
      ? navigator.credentials.create(options)
      : navigator.credentials.get(options);
  };

  const offer = async (form) => {
    const { signal } = (offered = new AbortController());
    const anew = setTimeout(() => offered.abort("anew"), OFFERED_MS);
    try {
      form.elements.answer.value = encoded(await ask(form, { mediation: "conditional", signal }));
      form.submit();
    } catch {
      // Refused, or a passkey was asked for by the button: that button and the password are there.
      if (signal.reason === "anew") offer(form);
    } finally {
      clearTimeout(anew);
    }
  };

  const use = async (event) => {
    const form = event.target;
    event.preventDefault();
    offered.abort();
    const said = form.querySelector("[role=alert]");
    said.hidden = true;
    try {
      form.elements.answer.value = encoded(await ask(form));
    } catch {
      said.textContent = form.dataset.failed;
      said.hidden = false;
      if ("unasked" in form.dataset) offer(form);
      return;
    }
    form.submit();
  };

  if (!window.PublicKeyCredential) return;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", use);
  }
  const unasked = document.querySelector("form[data-unasked]");
  // A browser takes one request at a time: an offer that outlives its page refuses that of the next one.
  addEventListener("pagehide", () => offered.abort());
  if (unasked) PublicKeyCredential.isConditionalMediationAvailable?.().then((can) => can && offer(unasked));
})();
