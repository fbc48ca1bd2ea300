/* Contact attempts that wait on this phone. They are sealed for their writer (HPKE): the phone cannot read them, and
   the server opens them in a session of that person only. The pages and the service worker share this file. */
(function (scope) {
  "use strict";

  const CALL = "/desk/outbox";
  const PATIENCE = 20 * 1000;
  const KEPT_FOR = 7 * 24 * 60 * 60 * 1000;
  const MARK = 64; // the CSRF field is 64 digits, then the mark of its writer
  const INFO = "signals/outbox/v1";
  const utf8 = new TextEncoder();
  const channel = new BroadcastChannel("signals-desk");
  let opening = null;

  function database() {
    opening ??= idb.openDB("signals-desk", 1, {
      upgrade(db) { db.createObjectStore("attempts", { keyPath: "id" }); },
      blocking: (_old, _new, event) => { event.target.close(); opening = null; },
      terminated: () => { opening = null; },
    });
    return opening;
  }

  /* Keep the form of an attempt; resolves once it is on the disk. The same form twice is one attempt. */
  async function keep(path, body) {
    const fields = new URLSearchParams(body);
    const [id, key, csrf] = ["attempt_id", "outbox_key", "csrf_token"].map((name) => fields.get(name) ?? "");
    ["outbox_key", "csrf_token", "version"].forEach((name) => fields.delete(name));
    if (fields.get("attempted_time") && !fields.get("attempted_on")) fields.set("attempted_on", today());
    const sealed = await seal(key, JSON.stringify([path, [...fields]]));
    const change = (await database()).transaction("attempts", "readwrite", { durability: "strict" });
    await change.store.put({ id, writer: csrf.slice(MARK), sealed, created: Date.now() });
    await change.done;
    tell();
  }

  async function seal(key, text) {
    const suite = new hpke.CipherSuite({ kem: new hpke.ScriptKem(), kdf: new hpke.HkdfSha256(), aead: new hpke.Aes256Gcm() });
    const recipientPublicKey = await suite.kem.deserializePublicKey(bytes(key).buffer);
    const sender = await suite.createSenderContext({ recipientPublicKey, info: utf8.encode(INFO).buffer });
    const sealed = await sender.seal(utf8.encode(text).buffer);
    return base64url(new Uint8Array(await new Blob([sender.enc, sealed]).arrayBuffer()));
  }

  /* The day in Amsterdam, as a date field has it. */
  function today() {
    return new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Amsterdam" }).format();
  }

  async function all() {
    return (await database()).getAll("attempts");
  }

  async function discard(id) {
    await (await database()).delete("attempts", id);
    tell();
  }

  /* Send what waits for the person who is signed in here. Resolves to how many went, and to those that the server
     refused, in words; to null without an answer. One window at a time. */
  function flush() {
    return scope.navigator.locks.request("signals-desk", async () => {
      if (!(await all()).length) return { sent: 0, refused: [] };
      const [answer, text] = await ask({ method: "GET" });
      if (answer.status !== 200) return null;
      const found = await sendAll(JSON.parse(text));
      await forget(); // after the try: the writer reads why an old one is refused
      return found;
    }).catch(() => null);
  }

  async function sendAll({ writer, csrf }) {
    const found = { sent: 0, refused: [] };
    for (const one of (await all()).filter((kept) => kept.writer === writer)) {
      const minutes = Math.max(0, Math.round((Date.now() - one.created) / 60000));
      const [answer, text] = await ask({ method: "POST",
        body: new URLSearchParams({ csrf_token: csrf, sealed: one.sealed, minutes_ago: minutes }) });
      if (answer.status === 201 && JSON.parse(text).saved) {
        await discard(one.id);
        found.sent += 1;
      } else if (answer.status === 409) found.refused.push({ id: one.id, ...JSON.parse(text) });
    }
    return found;
  }

  function ask(options) {
    return scope.signalsQueue.ask(CALL, PATIENCE, { credentials: "same-origin", ...options });
  }

  /* After seven days they go: nobody came to send them, or the server takes them no more. */
  async function forget() {
    for (const one of await all()) if (Date.now() - one.created > KEPT_FOR) await discard(one.id);
  }

  function tell() {
    channel.postMessage("changed");
  }

  function bytes(base64) {
    return Uint8Array.from(atob(base64.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  }

  function base64url(data) {
    return btoa(String.fromCharCode(...data)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  }

  scope.signalsOutbox = { all, discard, flush, keep, listen: (then) => { channel.onmessage = then; } };
})(self);
