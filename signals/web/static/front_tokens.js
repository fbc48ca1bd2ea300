/* Tokens that prove a carrier without a name (RFC 9578, type 2). Only a phone with a code of a depot loads this file.
   The issuer signs what it cannot read, so neither it nor the service knows which phone a report came from. */
(function () {
  "use strict";

  const PATIENCE = 20 * 1000;
  const DAY = 24 * 60 * 60 * 1000;
  const MODULUS = [-261, -5]; // within the encoded key
  const blindRsa = blindrsa.RSABSSA.SHA384.PSS.Deterministic();

  /* Fill the stock; `enrolment` comes with a new code, which replaces a known one once it gave a token: anybody can
     make a link. Return the name of a sentence for the carrier, or nothing. */
  function refill(queue, enrolment) {
    const { locks } = navigator;
    return locks ? locks.request("signals-tokens", () => fill(queue, enrolment)) : fill(queue, enrolment);
  }

  async function fill(queue, given) {
    const db = await queue.database();
    const known = await db.get("facts", "enrolment");
    const isNew = given && given.code !== known?.code;
    const enrolment = isNew ? given : known;
    if (!known) await db.put("facts", enrolment, "enrolment");
    const day = new Date(Date.now() + await queue.clock()).toISOString().slice(0, 10);
    let asked = enrolment.day === day ? enrolment.asked : 0;
    await forgetOld(db);
    const issuer = await findIssuer(queue, enrolment.issuer);
    if (!issuer) return isNew ? "unenrolled" : "";
    const key = await importKey(issuer);
    const stock = await db.count("tokens");
    const wanted = Math.min(issuer.stock - stock, issuer.per_day - asked);
    for (let left = Math.max(wanted, isNew ? 1 : 0); left > 0; left -= 1) {
      const [status, token] = await ask(issuer, key, enrolment.code);
      if (status === 403) {
        if (!(isNew && known)) await db.delete("facts", "enrolment");
        return "unenrolled";
      }
      asked = status === 429 ? issuer.per_day : asked + 1;
      if (token || status === 429) {
        await db.put("facts", { ...enrolment, day, asked }, "enrolment");
        await db.put("facts", issuer.profession, "profession"); // sealed with each report, and proved by its token
      }
      if (!token) break;
      await db.put("tokens", { token, until: Date.parse(issuer.valid_until) + DAY });
    }
    return isNew ? "enrolled" : "";
  }

  async function forgetOld(db) {
    for (const { token, until } of await db.getAll("tokens")) if (until <= Date.now()) await db.delete("tokens", token);
  }

  /* Only an issuer that the service trusts, with the key that the service tells everybody; rejects without network. */
  async function findIssuer(queue, name) {
    const [response, text] = await queue.ask("/api/v1/form", PATIENCE, {});
    if (!response.ok || !response.headers.has("API-Version")) throw new Error("no answer");
    const { issuers } = JSON.parse(text);
    return issuers.find((one) => new URL(one.url).host === (name || location.host)) || (name ? null : issuers[0]);
  }

  async function importKey(issuer) {
    const encoded = bytesOf(issuer.token_key);
    const jwk = { kty: "RSA", alg: "PS384", n: textOf(encoded.slice(...MODULUS)), e: "AQAB", ext: true };
    const algorithm = { name: "RSA-PSS", hash: "SHA-384" };
    return {
      id: new Uint8Array(await crypto.subtle.digest("SHA-256", encoded)),
      challenge: new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf(issuer.challenge))),
      rsa: await crypto.subtle.importKey("jwk", jwk, algorithm, true, ["verify"]),
    };
  }

  /* (status, token) of one request; without a token when the issuer gave none. */
  async function ask(issuer, key, code) {
    const input = joined([0, 2], crypto.getRandomValues(new Uint8Array(32)), key.challenge, key.id);
    const { blindedMsg, inv } = await blindRsa.blind(key.rsa, input);
    const response = await fetch(`${issuer.url}/token-request`, {
      method: "POST",
      body: joined([0, 2, key.id[31]], blindedMsg),
      headers: { "Content-Type": "application/private-token-request", "X-Enrolment-Code": code },
      cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
    });
    if (!response.ok) return [response.status, null];
    const signature = await blindRsa.finalize(key.rsa, input, new Uint8Array(await response.arrayBuffer()), inv);
    return [response.status, textOf(joined(input, signature))];
  }

  function joined(...parts) {
    return Uint8Array.from(parts.flatMap((part) => [...part]));
  }

  function bytesOf(text) {
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  }

  function textOf(bytes) {
    return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  window.signalsTokens = { refill };
})();
