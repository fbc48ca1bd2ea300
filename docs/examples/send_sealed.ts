// Seals a report on the device: the service's front learns four digits and a receiver.
// npm: @hpke/core 1.9.0
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";

const utf8 = new TextEncoder();
const bytes = (text: string) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const uuid = (text: string) => Uint8Array.from(text.replaceAll("-", "").match(/../g)!, (pair) => parseInt(pair, 16));
const joined = (...parts: Iterable<number>[]) => Uint8Array.from(parts.flatMap((part) => [...part]));

type Rule = { postcode?: string; from?: number; to?: number; organisation_id: string };
type Mailbox = { key_id: string; public_key: string; valid_from: string; signature: string };
type Found = { rules: Rule[]; organisations: { id: string; mailbox: Mailbox }[] };
type Report = { pc: string; nr: number; add?: string; by?: string; note?: string; on?: string; seen?: string; types?: string[] };

// The body of `POST /signals`; `found` is the answer of `POST /mailboxes/lookup`, `root` the service's root key.
export async function seal(found: Found, root: string, report: Report) {
  const rule = found.rules.find((one) => (one.postcode ?? report.pc) === report.pc
    && (one.from ?? 1) <= report.nr && report.nr <= (one.to ?? 99999))!;
  const { id, mailbox } = found.organisations.find((one) => one.id === rule.organisation_id)!;
  const ids = { signal_id: crypto.randomUUID(), organisation_id: id, mailbox_key_id: mailbox.key_id };
  const key = bytes(mailbox.public_key);
  const signed = joined(utf8.encode("signals/mailbox-key/v1\0"), uuid(mailbox.key_id), uuid(id), utf8.encode(mailbox.valid_from), key);
  const pinned = await crypto.subtle.importKey("raw", bytes(root), "Ed25519", false, ["verify"]);
  const isGenuine = await crypto.subtle.verify("Ed25519", pinned, bytes(mailbox.signature), signed);
  if (!isGenuine) throw new Error("the root did not sign this key: send nothing");
  const nothing = { add: "", by: null, note: null, on: null, seen: null, types: [] };
  const text = utf8.encode(JSON.stringify({ ...nothing, ...report }));
  const padded = joined([text.length >> 8, text.length & 255], text, new Uint8Array(2046 - text.length));
  const info = joined(utf8.encode("signals/seal/v1\0"), ...Object.values(ids).map(uuid), [0, 0, 0, 1]);
  const kem = new DhkemX25519HkdfSha256();
  const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const recipientPublicKey = await kem.deserializePublicKey(key.buffer);
  const sender = await suite.createSenderContext({ recipientPublicKey, info: info.buffer });
  const envelope = joined(new Uint8Array(sender.enc), new Uint8Array(await sender.seal(padded.buffer)));
  const base64 = btoa(String.fromCharCode(...envelope)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  return { ...ids, schema_version: 1, envelope: base64 };
}
