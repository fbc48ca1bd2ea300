/* What every carrier's page does: says how many reports wait, sends them, and keeps the page for without network. */
(function () {
  "use strict";

  const queue = window.signalsQueue;
  const { tokens } = document.currentScript.dataset;
  const bar = document.getElementById("waiting");
  const words = document.getElementById("words").content;
  const [now, said] = ["now", "said"].map((name) => bar.querySelector(`[data-${name}]`));
  const shown = new Set(); // numbers of the news that the page shows at large
  let drawn = Promise.resolve();
  let tried = false;
  let timer = 0;

  /* A sentence of the page in its language; `{}` in it becomes `value`. */
  function word(name, value = "") {
    return words.querySelector(`[data-word="${name}"]`).textContent.replace("{}", value);
  }

  function part(id) {
    return document.getElementById(id).content.firstElementChild.cloneNode(true);
  }

  function fill(node, name, text) {
    for (const place of node.querySelectorAll(`[data-${name}]`)) place.textContent = text;
    return node;
  }

  /* Try what waits: all of it when something changed (`now`), else what is due; then set the clock for the next. */
  async function send(now) {
    try {
      await queue.flush(now);
    } catch {
      // No storage, so nothing waits; the form itself says so when it matters.
    }
    await refresh();
  }

  /* Draw how many wait and what happened meanwhile; in turn, for what was read last must be drawn last. */
  function refresh() {
    drawn = drawn.then(redraw, redraw);
    return drawn;
  }

  async function redraw() {
    let reports = [];
    let news = [];
    try {
      reports = await queue.reports();
      news = (await queue.news()).filter((item) => !isShown(item));
    } catch {
      // As above.
    }
    steadily(document.activeElement?.closest("form"), () => draw(reports, news));
    plan(reports.filter((report) => report.state === "waiting"));
    page.changed(reports);
  }

  /* What the page shows at large is read; a page that nobody sees shows nothing. */
  function isShown(item) {
    if (item.kind === "sent" && document.visibilityState === "visible" && page.sent(item)) {
      shown.add(item.id);
      queue.wasRead([item]).catch(() => {}); // as above
    }
    return shown.has(item.id);
  }

  /* Nothing moves under the thumb: the page scrolls by what comes or goes above this part. */
  function steadily(node, change) {
    const top = node?.getBoundingClientRect().top;
    change();
    if (node) scrollBy(0, node.getBoundingClientRect().top - top);
  }

  /* One line in all; what there is to read and to choose opens below it. */
  function draw(reports, news) {
    const waiting = reports.filter((report) => report.state === "waiting");
    const refused = reports.filter((report) => report.state === "refused" && report.key !== page.mending());
    const counts = { waiting: waiting.length, refused: refused.length };
    for (const kind of ["expired", "sent"]) counts[kind] = news.filter((item) => item.kind === kind).length;
    for (const [kind, count] of Object.entries(counts)) {
      set(bar.querySelector(`[data-${kind}]`), count ? word(kind, count) : "");
    }
    bar.querySelector(".bar").hidden = !Object.values(counts).some(Boolean);
    page.drawList(refused, news);
    if (tried && !waiting.length) said.style.visibility = "hidden"; // its room stays, for who types already
    // Where the service named a time, pressing changes nothing.
    now.hidden = !waiting.some((report) => !report.asked) || page.isListClosed();
    const isQuiet = said.hidden || said.style.visibility;
    bar.hidden = isQuiet && !news.length && !reports.some((report) => report.key !== page.mending());
  }

  /* A sentence on what the carrier did here; it stays until the next one. */
  function say(text) {
    tried = false;
    said.style.visibility = "";
    set(said, text);
    if (text) bar.hidden = false;
  }

  async function tryNow() {
    say(word("sending"));
    const pause = new Promise((resolve) => setTimeout(resolve, 600)); // or nobody would see that it was tried
    await Promise.all([send(true), pause]);
    const left = (await queue.reports()).filter((report) => report.state === "waiting");
    say(left.length ? word(left[0].why || "offline") : "");
    tried = true; // said no longer than something waits
    await refresh();
    if (now.hidden && [now, document.body].includes(document.activeElement)) page.settle();
  }

  /* Only when it differs: a reader of the screen would say it again. */
  function set(node, text) {
    if (node.textContent !== text) node.textContent = text;
    node.hidden = !text;
  }

  function plan(waiting) {
    clearTimeout(timer);
    if (!waiting.length) return;
    const next = Math.min(...waiting.map((report) => report.next)) - Date.now();
    timer = setTimeout(() => send(false), Math.min(Math.max(next, 1000), 15 * 60 * 1000));
  }

  /* Ask the browser to keep what waits, and to wake us when there is reception, where it can. */
  async function insist() {
    try {
      await navigator.storage?.persist?.();
      await (await navigator.serviceWorker?.ready)?.sync?.register("signals");
    } catch {
      // Not every browser has these; the page tries by itself all the same.
    }
  }

  /* A language that is not on this phone yet comes in another one: without a word the switch would seem broken. */
  function sayLanguage() {
    const chosen = new URLSearchParams(location.search).get("lang");
    if (!chosen || chosen === document.documentElement.lang) return;
    const link = [...document.querySelectorAll("#languages a")].find((one) => one.hreflang === chosen);
    if (link) say(`${link.textContent}: ${word("no_language")}`);
  }

  /* A phone with a code of its depot keeps tokens, which prove a carrier without a name. The library for them comes
     only then. `code`: from the link of the depot; without one, what was kept of it. */
  async function enrol(code, issuer) {
    try {
      await queue.load(tokens);
      const said = await signalsTokens.refill(queue, code && { code, issuer });
      if (said) say(word(said));
    } catch {
      // Without tokens a report goes all the same, as one of somebody.
    }
  }

  async function stockUp() {
    try {
      if (await (await queue.database()).get("facts", "enrolment")) enrol();
    } catch {
      // No storage, so no code either.
    }
  }

  function keepForOffline() {
    navigator.serviceWorker?.register("/sw.js").catch(() => {});
  }

  const page = {
    changed: () => {},
    mending: () => "",
    sent: () => false,
    mend: () => { location.href = "/"; },
    enrol, fill, insist, part, refresh, say, send, steadily, word,
  };
  window.signalsPage = page;

  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && send(true));
  window.addEventListener("online", () => send(true));
  window.addEventListener("DOMContentLoaded", () => send(true)); // after the scripts of this page
  window.addEventListener("DOMContentLoaded", sayLanguage);
  window.addEventListener("load", keepForOffline);
  window.addEventListener("load", stockUp);
  now.onclick = tryNow;
  queue.listen(refresh);
})();
