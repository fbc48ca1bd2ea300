// Gets a token long before a report: its issuer never sees what it signs.
// npm: @cloudflare/blindrsa-ts 0.4.4
import { RSABSSA } from "@cloudflare/blindrsa-ts";

const suite = RSABSSA.SHA384.PSS.Deterministic();

// `issuer` is one of `GET /form`, `code` that of a depot. The answer is a token for one report.
export async function getToken(issuer: { url: string; token_key: string; challenge: string }, code: string) {
  const spki = bytes(issuer.token_key);
  const keyId = await sha256(spki);
  const jwk = { kty: "RSA", alg: "PS384", n: base64url(spki.slice(-261, -5)), e: "AQAB" };
  const key = await crypto.subtle.importKey("jwk", jwk, { name: "RSA-PSS", hash: "SHA-384" }, true, ["verify"]);
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const signed = joined([0, 2], nonce, await sha256(bytes(issuer.challenge)), keyId);
  const { blindedMsg, inv } = await suite.blind(key, signed);
  const answer = await fetch(`${issuer.url}/token-request`, {
    method: "POST",
    body: joined([0, 2, keyId[31]], blindedMsg),
    headers: { "Content-Type": "application/private-token-request", "X-Enrolment-Code": code },
  });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return base64url(joined(signed, await suite.finalize(key, signed, new Uint8Array(await answer.arrayBuffer()), inv)));
}

async function sha256(data: Uint8Array<ArrayBuffer>) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

function bytes(text: string) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
}

function base64url(data: Uint8Array) {
  return btoa(String.fromCharCode(...data)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

function joined(...parts: Iterable<number>[]) {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
