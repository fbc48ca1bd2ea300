/* Routes a report by four digits and seals it for its receiver (HPKE, RFC 9180): no server reads the address.
   What waits on the phone is hidden too, under a key that the browser gives to nobody.
   The page loads this file, with its libraries, once somebody types an address. */
(function () {
  "use strict";

  const queue = window.signalsQueue;
  const root = document.querySelector("meta[name=sealing]").content;
  const DAY = 24 * 60 * 60 * 1000;
  const WEEK = 7 * DAY;
  const SIZE = 2048;
  const SCHEMA_VERSION = 1;
  const utf8 = new TextEncoder();
  let suite = null;

  /* The receiver of an address: the first rule that fits (api.md, `POST /mailboxes/lookup`). */
  function receiverOf(found, postcode, number) {
    const rule = found.rules.find((one) => (one.postcode ?? postcode) === postcode
      && (one.from ?? 1) <= number && number <= (one.to ?? 99999));
    return found.organisations.find((one) => one.id === rule?.organisation_id);
  }

  /* Whether the pinned root signed every key for its receiver and week. */
  async function areGenuine(found) {
    const checks = found.organisations.map(({ id, mailbox }) => hpke.verifyAsync(bytes(mailbox.signature), joined(
      utf8.encode("signals/mailbox-key/v1\0"), uuid(mailbox.key_id), uuid(id), utf8.encode(mailbox.valid_from),
      bytes(mailbox.public_key)), bytes(root)).catch(() => false));
    return (await Promise.all(checks)).every(Boolean);
  }

  /* The body of `POST /signals` for a report as the form has it. */
  async function seal(report, organisation, profession) {
    const ids = { signal_id: queue.newKey(), organisation_id: organisation.id,
      mailbox_key_id: organisation.mailbox.key_id };
    const version = new Uint8Array(4);
    new DataView(version.buffer).setUint32(0, SCHEMA_VERSION);
    const info = joined(utf8.encode("signals/seal/v1\0"), ...Object.values(ids).map(uuid), version);
    const { kem } = suite ??= await newSuite();
    const recipientPublicKey = await kem.deserializePublicKey(bytes(organisation.mailbox.public_key).buffer);
    const sender = await suite.createSenderContext({ recipientPublicKey, info: info.buffer });
    const sealed = await sender.seal(padded(plain(report, profession)).buffer);
    return { ...ids, schema_version: SCHEMA_VERSION, envelope: base64url(joined(sender.enc, sealed)) };
  }

  /* X25519 of the browser where it has that, else in script. */
  async function newSuite() {
    const isBuiltIn = await crypto.subtle.generateKey("X25519", false, ["deriveBits"]).then(() => true, () => false);
    const kem = isBuiltIn ? new hpke.BrowserKem() : new hpke.ScriptKem();
    return new hpke.CipherSuite({ kem, kdf: new hpke.HkdfSha256(), aead: new hpke.Aes256Gcm() });
  }

  /* The content as arrival reads it: each name always, in the order of the alphabet. */
  function plain(report, profession) {
    return JSON.stringify({
      add: report.house_number_addition ?? "", by: profession ?? null, note: report.note ?? null, nr: report.house_number,
      on: report.noticed_on ?? null, pc: report.postcode, seen: report.seen ?? null, types: report.concern_types ?? [],
    });
  }

  /* Always 2,048 bytes: the length, the text, zeros. */
  function padded(text) {
    const data = utf8.encode(text);
    const whole = new Uint8Array(SIZE);
    new DataView(whole.buffer).setUint16(0, data.length);
    whole.set(data, 2); // throws for a text that does not fit; a note has 280 characters
    return whole;
  }

  function joined(...parts) {
    const arrays = parts.map((part) => new Uint8Array(part));
    const whole = new Uint8Array(arrays.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of arrays) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  function uuid(text) {
    return Uint8Array.from(text.replaceAll("-", "").match(/../g), (pair) => parseInt(pair, 16));
  }

  function bytes(base64) {
    return Uint8Array.from(atob(base64.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  }

  function base64url(data) {
    return btoa(String.fromCharCode(...data)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  }

  /* The receiver of an address and its key, from the phone or the service; the service learns four digits.
     Rejects with "offline", or "tampered" when the root did not sign a key: nothing may go out then. */
  async function receiver({ postcode, house_number }) {
    const pc4 = postcode.slice(0, 4);
    const kept = await fact(`mailboxes-${pc4}`);
    const today = new Date(Date.now() + await queue.clock());
    const day = new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Amsterdam" }).format(today);
    const isFresh = kept && Date.now() - kept.at < WEEK
      && kept.found.organisations.every(({ mailbox }) => mailbox.valid_from <= day && day < mailbox.valid_until);
    const found = isFresh ? kept.found : await look(pc4);
    return receiverOf(found, postcode, house_number);
  }

  async function look(pc4) {
    const found = await queue.look("mailboxes/lookup", { pc4 });
    if (!await areGenuine(found)) throw Object.assign(new Error("tampered"), { why: "tampered" });
    await keepFact(`mailboxes-${pc4}`, { found, at: Date.now() });
    return found;
  }

  /* The text of a sealed report: `body` is the report as JSON. It states the profession of the phone's tokens, so that
     nobody can make a proven report of it who only writes in the database. */
  async function sealed(body) {
    const report = JSON.parse(body);
    const organisation = await receiver(report);
    return JSON.stringify(await seal(report, organisation, await fact("profession")));
  }

  /* Forget the keys of four digits: one of them is over. */
  async function forget(body) {
    await keepFact(`mailboxes-${JSON.parse(body).postcode.slice(0, 4)}`, undefined);
  }

  async function hidden(text) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await ownKey(), new TextEncoder().encode(text));
    return { iv, data };
  }

  async function shown({ iv, data }) {
    return new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await ownKey(), data));
  }

  function ownKey() {
    return keyOf("own-key", { name: "AES-GCM", length: 256 }, ["encrypt", "decrypt"]);
  }

  /* A key of this phone; the browser lets scripts use it, and gives its bytes to nobody. */
  async function keyOf(name, algorithm, uses) {
    return await fact(name) ?? keepFirst(name, await crypto.subtle.generateKey(algorithm, false, uses));
  }

  /* Whether this phone took a report about this address in the last day. It keeps marks under a key that the browser
     gives to nobody, and no address; `expire` deletes them. */
  async function isKnown(report) {
    const mark = await markOf(report);
    return (await fact("marks") || []).some((one) => one.mark === mark && Math.abs(Date.now() - one.at) < DAY);
  }

  async function remember(report) {
    await keepFact("marks", [...await fact("marks") || [], { mark: await markOf(report), at: Date.now() }]);
  }

  async function markOf({ postcode, house_number, house_number_addition = "" }) {
    const text = `${postcode} ${house_number} ${house_number_addition.toUpperCase().replace(/^[ -]+/, "")}`;
    const key = await keyOf("mark-key", { name: "HMAC", hash: "SHA-256" }, ["sign"]);
    return base64url(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(text))));
  }

  /* A fact that the phone keeps, as a key or a time; undefined where it keeps none. */
  async function fact(name) {
    try {
      return await (await queue.database()).get("facts", name);
    } catch {
      return undefined;
    }
  }

  async function keepFact(name, value) {
    try {
      await (await queue.database()).put("facts", value, name);
    } catch {
      // It is looked up again then.
    }
  }

  /* Keep a fact unless another window kept one first; return that which is kept. */
  async function keepFirst(name, value) {
    const store = (await queue.database()).transaction("facts", "readwrite", { durability: "strict" }).store;
    const first = await store.get(name);
    if (first === undefined) await store.put(value, name);
    return first ?? value;
  }

  window.signalsSeal = { forget, hidden, isKnown, receiver, remember, sealed, shown };
})();
