/* The words about attempts that wait on this phone, on every page of the desk and on the page without a network. */
(() => {
  "use strict";
  if (!navigator.serviceWorker || !navigator.locks) return; // without TLS, or in a private window: nothing is kept

  const PAUSE = 30 * 1000;
  const MARK = 64;
  const outbox = document.getElementById("outbox");
  const refusedPart = outbox.querySelector("[data-refused]");
  const again = document.getElementById("again"); // the page without a network
  const me = document.querySelector("[name=csrf_token]")?.value.slice(MARK);
  let sent = 0;

  navigator.serviceWorker.register("/desk/sw.js", { scope: "/desk" });

  async function send() {
    const found = await signalsOutbox.flush();
    sent += found?.sent ?? 0;
    const refused = found?.refused ?? [];
    const isWaiting = (one) => (!me || one.writer === me) && !refused.some(({ id }) => id === one.id);
    draw((await signalsOutbox.all()).filter(isWaiting).length, refused);
    if (again && found?.sent) location.replace(again.href);
  }

  function draw(waiting, refused) {
    count("waiting", waiting);
    count("sent", sent);
    outbox.querySelectorAll("[data-id]").forEach((old) => old.remove());
    refused.forEach(show);
    outbox.hidden = !(waiting || sent || refused.length);
  }

  function count(name, number) {
    const part = outbox.querySelector(`[data-${name}]`);
    part.hidden = !number;
    part.querySelector("strong").textContent = number;
  }

  function show({ id, why, shown, page }) {
    const part = refusedPart.cloneNode(true);
    part.dataset.id = id;
    part.hidden = false;
    part.querySelector("[data-why]").textContent = why;
    part.querySelector("[data-shown]").textContent = shown.map((pair) => pair.join(": ")).join(". ");
    part.querySelector("[data-page]").hidden = !page;
    part.querySelector("[data-page]").href = page ?? "";
    part.querySelector("[data-discard]").onclick = async () => { await signalsOutbox.discard(id); send(); };
    outbox.append(part);
  }

  /* The address of this page is that of the form that was kept, or of the page that could not come. */
  function prepare() {
    const page = location.pathname.replace(/\/contact-attempts$/, "");
    const isKept = page !== location.pathname;
    document.getElementById("kept").hidden = !isKept;
    document.getElementById("lost").hidden = isKept;
    again.href = page + (isKept ? "" : location.search);
  }

  if (again) prepare();
  send();
  signalsOutbox.listen(() => { if (!document.hidden) send(); });
  addEventListener("online", send);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  setInterval(() => { if (!outbox.hidden) send(); }, PAUSE);
})();
