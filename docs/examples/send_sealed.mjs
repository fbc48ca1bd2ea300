// Seals a report on the device: the service's front learns four digits and a receiver.
// npm: @hpke/core 1.9.0, @hpke/dhkem-x25519 1.8.0. `hpke` is their exports; `root` the service's root key (base64).

const utf8 = new TextEncoder();
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const uuid = (text) => Uint8Array.from(text.replaceAll("-", "").match(/../g), (pair) => parseInt(pair, 16));
const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...new Uint8Array(part)]));

export async function lookUp(service, root, postcode) {
  const found = await (await post(service, "mailboxes/lookup", { pc4: postcode.slice(0, 4) })).json();
  const pinned = await crypto.subtle.importKey("raw", bytes(root), "Ed25519", false, ["verify"]);
  for (const { id, mailbox } of found.organisations) {
    const signed = joined(utf8.encode("signals/mailbox-key/v1\0"), uuid(mailbox.key_id), uuid(id),
      utf8.encode(mailbox.valid_from), bytes(mailbox.public_key));
    const isGenuine = await crypto.subtle.verify("Ed25519", pinned, bytes(mailbox.signature), signed);
    if (!isGenuine) throw new Error("the root did not sign this key: send nothing");
  }
  return found; // keep it for a week at most
}

export async function seal(hpke, found, report) {
  const rule = found.rules.find((one) => (one.postcode ?? report.pc) === report.pc
    && (one.from ?? 1) <= report.nr && report.nr <= (one.to ?? 99999));
  const { id, mailbox } = found.organisations.find((one) => one.id === rule.organisation_id);
  const ids = { signal_id: crypto.randomUUID(), organisation_id: id, mailbox_key_id: mailbox.key_id };
  const text = utf8.encode(JSON.stringify({ add: "", note: null, on: null, seen: null, types: [], ...report }));
  const kem = new hpke.DhkemX25519HkdfSha256();
  const suite = new hpke.CipherSuite({ kem, kdf: new hpke.HkdfSha256(), aead: new hpke.Aes256Gcm() });
  const sender = await suite.createSenderContext({
    recipientPublicKey: await kem.deserializePublicKey(bytes(mailbox.public_key).buffer),
    info: joined(utf8.encode("signals/seal/v1\0"), ...Object.values(ids).map(uuid), [0, 0, 0, 1]).buffer });
  const padded = joined([text.length >> 8, text.length & 255], text, new Uint8Array(2046 - text.length));
  const envelope = joined(sender.enc, await sender.seal(padded.buffer));
  const base64 = btoa(String.fromCharCode(...envelope)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  return { ...ids, schema_version: 1, envelope: base64 };
}

export const send = (service, body, key, token) => post(service, "signals", body, { "Idempotency-Key": key,
  ...(token && { Authorization: `PrivateToken token="${token}"` }) });

const post = (service, call, body, more) => fetch(`${service}/api/v1/${call}`, {
  method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...more } });
