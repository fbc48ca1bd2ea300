/* The reports that wait on this phone: kept in IndexedDB until the service has them or they are seven days old.
   The page and the service worker share this file. A report leaves only by a rule of `read` or of `expire`. */
(function (scope) {
  "use strict";

  const CALL = "/api/v1/signals";
  const DAY = 24 * 60 * 60 * 1000;
  const KEPT_FOR = 7 * DAY; // as long as the service knows an Idempotency-Key
  const PATIENCE = 20 * 1000;
  const STORAGE_PATIENCE = 5 * 1000; // some phones never say whether they have a database
  const FIRST_PAUSE = 5 * 1000;
  const LONGEST_PAUSE = 15 * 60 * 1000;
  const TO_MEND = [400, 409, 413, 415];
  const EXPIRED = "urn:problem:signals:mailbox_key_expired";
  const made = new Map(); // sealed texts by key and report: a retry must be the same envelope
  const channel = "BroadcastChannel" in scope ? new BroadcastChannel("signals") : null;
  let opening = null;
  const loading = new Map();

  /* The database; rejects where the browser keeps nothing (some private windows) or does not answer. One that answers
     late is told of: what the page could not read until then, it reads now. */
  function database() {
    if (!opening) {
      const answer = open();
      let isLate = false;
      opening = Promise.race([answer, after(STORAGE_PATIENCE).catch((error) => { isLate = true; throw error; })]);
      answer.then(() => { opening = answer; if (isLate) tell(); }, () => { opening = null; });
    }
    return opening;
  }

  function after(time) {
    return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer")), time));
  }

  async function open() {
    return idb.openDB("signals", 2, {
      upgrade(db, old) {
        db.createObjectStore("tokens", { keyPath: "token" }); // only a phone with a code of a depot fills it
        if (old) return;
        db.createObjectStore("reports", { keyPath: "key" });
        db.createObjectStore("news", { keyPath: "id", autoIncrement: true });
        db.createObjectStore("receipts", { keyPath: "receipt" });
        db.createObjectStore("facts");
      },
      blocking: (_old, _new, event) => { // a newer version of the app waits for us
        event.target.close();
        opening = null;
      },
      terminated: () => { opening = null; },
    });
  }

  /* Keep a report; resolves once it is on the disk. `instead` is the key of the refused report it replaces. */
  async function add({ body, ...report }, instead) {
    const db = await database();
    const text = await hide(body);
    const offset = await db.get("facts", "clock");
    const change = db.transaction("reports", "readwrite", { durability: "strict" });
    const store = change.objectStore("reports");
    if (instead) await store.delete(instead);
    const created = Date.now() + (offset || 0);
    const guessed = offset === undefined; // nobody has told us yet whether the phone's clock is right
    await store.put({ ...report, ...text, created, guessed, tries: 0, next: 0, asked: false, state: "waiting", why: "" });
    await change.done;
    tell();
  }

  /* What the page seals with, or null in a service worker, in an old browser, and where no root is pinned. */
  function sealing() {
    const meta = scope.document?.querySelector("meta[name=sealing]");
    return meta?.content && crypto.subtle ? meta.dataset.script : null;
  }

  /* Load a script with the hash after its `#`, once; a phone without network tries again later. */
  function load(place) {
    if (!loading.has(place)) loading.set(place, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      [script.src, script.integrity] = place.split("#");
      script.onload = resolve;
      script.onerror = (event) => { loading.delete(place); reject(event); };
      document.head.append(script);
    }));
    return loading.get(place);
  }

  /* The part that seals. */
  async function sealer() {
    await load(sealing());
    return scope.signalsSeal;
  }

  /* The text of a report as it is kept: under the key of this phone where the browser has one. */
  async function hide(body) {
    try {
      return sealing() ? { hidden: await (await sealer()).hidden(body) } : { body };
    } catch {
      return { body }; // a browser that keeps no keys, or the first visit without network
    }
  }

  /* The report as JSON, whatever way it is kept. */
  async function text(report) {
    return report.hidden ? (await sealer()).shown(report.hidden) : report.body;
  }

  /* What goes to the service: the sealed report, made once, or the text where this phone cannot seal. A service worker
     cannot seal either: what it would have to send in the clear waits for the page. */
  async function outgoing(report) {
    if (report.sealed) return report.sealed;
    if (!sealing()) {
      if (report.hidden) throw Error();
      return report.body;
    }
    const body = await text(report);
    const name = report.key + body;
    if (!made.has(name)) made.set(name, await (await sealer()).sealed(body));
    await change(report.key, { sealed: made.get(name) });
    return made.get(name);
  }

  /* The key of its week is over: seal it anew for the next try. */
  async function unseal(report) {
    const body = await text(report);
    made.delete(report.key + body);
    await (await sealer()).forget(body);
    await change(report.key, { sealed: undefined });
    return { ...report, sealed: undefined };
  }

  /* Change a report that is kept; a report that only the form has is not. */
  async function change(key, values) {
    try {
      const store = (await database()).transaction("reports", "readwrite", { durability: "strict" }).store;
      const kept = await store.get(key);
      if (kept) await store.put({ ...kept, ...values });
    } catch {
      // Nothing is kept here: the form has it.
    }
  }

  async function reports() {
    const found = await (await database()).getAll("reports");
    return found.sort((one, other) => one.created - other.created);
  }

  async function discard(key) {
    await (await database()).delete("reports", key);
    tell();
  }

  /* What happened since somebody looked: told until he says that he has read it, for a page may go before it is read. */
  async function news() {
    return (await database()).getAll("news");
  }

  async function wasRead(items) {
    const change = (await database()).transaction("news", "readwrite");
    for (const item of items) await change.store.delete(item.id);
    await change.done;
    tell();
  }

  /* Try every report that is due; `now` tries those too that only wait for their turn. One at a time on a phone. */
  function flush(now) {
    const locks = scope.navigator.locks;
    return locks ? locks.request("signals-flush", () => flushAll(now)) : flushAll(now);
  }

  async function flushAll(now) {
    await expire();
    for (const report of await reports()) {
      if (report.state !== "waiting" || !(await isDue(report, now))) continue;
      const outcome = await attemptWithToken(report);
      await settle(report.key, outcome, now);
      if (outcome.why === "offline") break; // the others would fail the same way
    }
    return (await reports()).filter((report) => report.state === "waiting");
  }

  async function isDue(report, now) {
    const wait = report.next - Date.now();
    // A wait that is longer than any we set comes from a phone clock that was put back.
    return wait <= 0 || wait > DAY + LONGEST_PAUSE || (now && !report.asked);
  }

  /* One try, with a token where the phone has one. A report keeps its token through every try, for the service spends
     it once; a token that the service refuses makes room for the next one, or for none. */
  async function attemptWithToken(report) {
    for (;;) {
      const change = (await database()).transaction(["reports", "tokens"], "readwrite", { durability: "strict" });
      if (!report.token) {
        const tokens = await change.objectStore("tokens").getAll();
        const [next] = tokens.filter((one) => one.until > Date.now()).sort((one, other) => one.until - other.until);
        if (next) await change.objectStore("tokens").delete(next.token);
        report = { ...report, token: next?.token };
        await change.objectStore("reports").put(report);
      }
      await change.done;
      const outcome = await attempt(report);
      if (outcome.kind !== "without") return outcome;
      report = { ...report, token: "" };
    }
  }

  /* One try. `kind`: sent (with `answer`), refused (with `problem`), or later (with `why`, and `after` in ms). */
  async function attempt(report, isSecond) {
    const outcome = await attemptOnce(report);
    if (outcome.problem?.type !== EXPIRED) return outcome;
    return isSecond ? later("down") : attempt(await unseal(report), true);
  }

  function later(why) {
    return { kind: "later", why, after: 0, asked: false };
  }

  async function attemptOnce(report) {
    let response, answer;
    try {
      const body = await outgoing(report);
      [response, answer] = await ask(CALL, PATIENCE, {
        method: "POST",
        body,
        headers: {
          Accept: "application/json",
          "Accept-Language": report.language,
          "Content-Type": "application/json",
          "Idempotency-Key": report.key,
          ...(report.token && { Authorization: `PrivateToken token="${report.token}"` }),
        },
      });
    } catch (error) {
      return later(error.why || "offline");
    }
    if (report.token && response.status === 401 && response.headers.has("API-Version")) return { kind: "without" };
    return read(response, answer);
  }

  /* The whole answer within `patience` ms, with its text. By hand: phones of 2021 have no AbortSignal.timeout. */
  async function ask(url, patience, options) {
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), patience);
    try {
      const response = await fetch(url, { cache: "no-store", credentials: "omit", redirect: "error",
        referrerPolicy: "no-referrer", signal: control.signal, ...options });
      return [response, await response.text()];
    } finally {
      clearTimeout(timer);
    }
  }

  /* Ask the service something that changes nothing; rejects with the reason `why`. */
  async function look(call, body) {
    const [response, text] = await ask(`/api/v1/${call}`, 10000, {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
    });
    const ours = response.headers.has("API-Version");
    if (!response.ok || !ours) throw { why: reason(response.status, ours, "application/json") };
    await keepClock(response.headers.get("Date"));
    return parse(text);
  }

  async function read(response, text) {
    const type = (response.headers.get("Content-Type") || "").split(";")[0].trim().toLowerCase();
    const ours = response.headers.has("API-Version");
    const content = parse(text);
    if (ours) await keepClock(response.headers.get("Date"));
    if (response.status === 201 && type === "application/json" && ours && typeof content.receipt === "string") {
      return { kind: "sent", answer: content };
    }
    if (TO_MEND.includes(response.status) && type === "application/problem+json" && content.title) {
      return { kind: "refused", problem: { status: response.status, type: content.type, title: content.title, detail: content.detail || "",
        errors: Array.isArray(content.errors) ? content.errors : [] } };
    }
    const wait = pause(response.headers.get("Retry-After"), Date.parse(response.headers.get("Date") || "") || Date.now());
    // What somebody's network asks does not bind us on the next network; what the service asks does.
    return { kind: "later", why: reason(response.status, ours, type, content), asked: ours && wait > 0,
      after: ours ? wait : Math.min(wait, LONGEST_PAUSE) };
  }

  function parse(text) {
    try {
      return JSON.parse(text) || {};
    } catch {
      return {};
    }
  }

  /* Which of the plain sentences on the page fits; the phone tries again after each of them. */
  function reason(status, ours, type, content) {
    if (status === 429) return /unproven/.test(content.type) ? "unproven" : "busy";
    if (status === 511) return "portal"; // RFC 6585, section 6
    if (status >= 500) return "down";
    if (status >= 400) return ours ? "old" : "blocked";
    return ours && type === "application/json" ? "old" : "portal";
  }

  /* Milliseconds of a Retry-After (RFC 9110, 10.2.3), at most a day; 0 when there is none. A moment in it counts
     from that of the answer, for the phone's clock may be days off. */
  function pause(header, answered) {
    if (!header) return 0;
    const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - answered) / 1000;
    return seconds > 0 ? Math.min(seconds * 1000, DAY) : 0;
  }

  /* `isFresh`: something changed, such as the reception, so the pauses begin anew. */
  async function settle(key, outcome, isFresh) {
    const change = (await database()).transaction(["reports", "news"], "readwrite");
    const store = change.objectStore("reports");
    const report = await store.get(key);
    if (!report) return;
    if (isFresh) report.tries = 0;
    if (outcome.kind === "sent") {
      await store.delete(key);
      await change.objectStore("news").put({ kind: "sent", key, at: Date.now(), answer: outcome.answer });
    } else if (outcome.kind === "refused") {
      await store.put({ ...report, state: "refused", problem: outcome.problem });
    } else {
      await store.put({ ...report, ...postponed(report, outcome) });
    }
    await change.done;
    tell();
  }

  function postponed(report, outcome) {
    const step = Math.min(FIRST_PAUSE * 2 ** report.tries, LONGEST_PAUSE);
    const wait = (outcome.after || step) * (1 + Math.random() / 5); // phones must not come all at once
    return { tries: report.tries + 1, next: Date.now() + wait, asked: outcome.asked, why: outcome.why };
  }

  /* Delete what is seven days old, and put down that a report was: never without a word. A code that nobody asked to
     keep and nobody read in seven days goes too: it leads to a report. So do keys of four digits, and the marks of
     addresses after a day. */
  async function expire() {
    const offset = await clock();
    const change = (await database()).transaction(["reports", "news", "facts"], "readwrite", { durability: "strict" });
    const store = change.objectStore("reports");
    const facts = change.objectStore("facts");
    const marks = await facts.get("marks") || [];
    await facts.put(marks.filter(({ at }) => Math.abs(Date.now() - at) < DAY), "marks");
    for (const name of await facts.getAllKeys(IDBKeyRange.bound("mailboxes-", "mailboxes-9999"))) {
      if (!(Math.abs(Date.now() - (await facts.get(name))?.at) < KEPT_FOR)) await facts.delete(name);
    }
    const now = Date.now() + offset;
    const old = (await store.getAll()).filter((report) => now - report.created >= KEPT_FOR);
    for (const report of old) {
      await store.delete(report.key);
      await change.objectStore("news").put({ kind: "expired", key: report.key });
    }
    for (const item of await change.objectStore("news").getAll()) {
      if (item.kind === "sent" && Date.now() - item.at >= KEPT_FOR) await change.objectStore("news").delete(item.id);
    }
    await change.done;
    if (old.length) tell();
  }

  /* Milliseconds that the service's clock is ahead of the phone's, as last heard; `unheard` when never. */
  async function clock(unheard = 0) {
    try {
      return (await (await database()).get("facts", "clock")) ?? unheard;
    } catch {
      return unheard;
    }
  }

  async function keepClock(date) {
    const difference = Date.parse(date || "") - Date.now();
    if (Number.isNaN(difference)) return;
    const offset = Math.abs(difference) < 60000 ? 0 : difference;
    try {
      const change = (await database()).transaction(["facts", "reports"], "readwrite");
      await change.objectStore("facts").put(offset, "clock");
      const store = change.objectStore("reports");
      for (const report of await store.getAll()) {
        if (report.guessed) await store.put({ ...report, created: report.created + offset, guessed: false });
      }
      await change.done;
    } catch {
      // A phone that keeps nothing has nothing to expire either.
    }
  }

  /* A UUID; by hand where the page came without TLS, and on phones of 2021. */
  function newKey() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  const receipts = {
    all: async () => (await database()).getAll("receipts"),
    keep: async (entry) => (await database()).put("receipts", entry),
    remove: async (receipt) => (await database()).delete("receipts", receipt),
  };

  function tell() {
    channel?.postMessage("changed");
    scope.dispatchEvent(new Event("signals-changed"));
  }

  /* `then` is called when this or another window, or the service worker, changed what waits. */
  function listen(then) {
    scope.addEventListener("signals-changed", then);
    channel?.addEventListener("message", then);
  }

  scope.signalsQueue = {
    add, ask, attempt, clock, database, discard, flush, keepClock, listen, load, look, newKey, news, receipts, reports,
    sealer, sealing, text, wasRead,
  };
})(self);
