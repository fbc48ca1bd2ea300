/* What every carrier's page does: says how many reports wait, sends them, and keeps the page for without network. */
(function () {
  "use strict";

  const queue = window.signalsQueue;
  const bar = document.getElementById("waiting");
  const told = document.getElementById("told");
  const words = document.getElementById("words").content;
  const announced = new Set(); // the news that this page shows
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

  /* Draw how many wait and what happened meanwhile. */
  async function refresh() {
    let reports = [];
    try {
      reports = await queue.reports();
      // A page that nobody sees must not use up what is told only once.
      if (document.visibilityState === "visible") (await queue.news()).forEach(announce);
    } catch {
      // As above.
    }
    draw(reports);
    plan(reports.filter((report) => report.state === "waiting"));
    page.changed(reports);
  }

  function draw(reports) {
    const waiting = reports.filter((report) => report.state === "waiting").length;
    const refused = reports.filter((report) => report.state === "refused" && report.key !== page.mending());
    set(bar.querySelector("[data-waiting]"), waiting ? word("waiting", waiting) : "");
    set(bar.querySelector("[data-refused]"), refused.length ? word("refused") : "");
    // Where the service named a time, pressing changes nothing.
    bar.querySelector("[data-now]").hidden = !reports.some((report) => report.state === "waiting" && !report.asked);
    bar.querySelector("[data-mend]").hidden = bar.querySelector("[data-discard]").hidden = !refused.length;
    bar.querySelector("[data-mend]").onclick = () => page.mend(refused[0]);
    bar.querySelector("[data-discard]").onclick = () => queue.discard(refused[0].key);
    bar.hidden = !waiting && !refused.length;
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

  function announce(item) {
    if (announced.has(item.id)) return;
    announced.add(item.id);
    if (item.kind === "sent" && page.sent(item)) return;
    const node = part(`${item.kind}-news`);
    if (item.kind === "sent") {
      fill(node, "organisation", item.answer.organisation?.name || "");
      fill(node, "receipt", item.answer.receipt);
    }
    node.querySelector("button").onclick = () => {
      node.remove();
      queue.wasRead(item).catch(() => {}); // without storage there is nothing to forget
    };
    told.append(node);
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

  function keepForOffline() {
    navigator.serviceWorker?.register("/sw.js").catch(() => {});
  }

  const page = {
    changed: () => {},
    mending: () => "",
    sent: () => false,
    mend: () => { location.href = "/"; },
    fill, insist, part, refresh, send, word,
  };
  window.signalsPage = page;

  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && send(true));
  window.addEventListener("online", () => send(true));
  window.addEventListener("DOMContentLoaded", () => send(true)); // after the scripts of this page
  window.addEventListener("load", keepForOffline);
  bar.querySelector("[data-now]").onclick = () => send(true);
  queue.listen(refresh);
})();
