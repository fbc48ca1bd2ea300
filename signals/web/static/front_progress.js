/* The codes that a carrier chose to keep, and how far their reports are. Each is asked for by itself, by a tap. */
(function () {
  "use strict";

  const { askBefore, fill, part, settle, word } = window.signalsPage;
  const queue = window.signalsQueue;
  const form = document.getElementById("progress-form");
  if (!form) return; // another page
  const field = form.elements.receipt;
  const place = document.getElementById("state");
  const list = document.getElementById("kept");
  const presses = new Map();

  async function state(receipt) {
    try {
      const answer = await queue.look("receipts/status", { receipt });
      // What was received today was not there yet yesterday, which the answer is of.
      if (answer.state === "received") return `${word("received")} ${word("tomorrow")}`;
      const day = new Date(`${answer.as_of}T12:00:00`);
      const date = day.toLocaleDateString(document.documentElement.lang, { dateStyle: "long" });
      return `${word(answer.state)} ${word("as_of", date)}`;
    } catch {
      return word("later");
    }
  }

  async function submit(event) {
    event.preventDefault();
    const typed = field.value.trim();
    complain(typed ? "" : word("missing"));
    if (!typed) return field.focus();
    place.hidden = false;
    await look(typed, place);
  }

  /* Ask for one code; what is answered to an earlier press is passed over. */
  async function look(receipt, where) {
    const press = (presses.get(where) || 0) + 1;
    presses.set(where, press);
    where.textContent = word("looking");
    const found = await state(receipt);
    if (presses.get(where) === press) where.textContent = found;
  }

  function complain(reason) {
    document.getElementById("receipt-error")?.remove();
    for (const name of ["aria-invalid", "aria-describedby"]) field.removeAttribute(name);
    if (!reason) return;
    const message = document.createElement("p");
    Object.assign(message, { className: "error", id: "receipt-error", textContent: reason });
    field.before(message);
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", message.id);
  }

  async function draw() {
    let entries = [];
    try {
      entries = await queue.receipts.all();
    } catch {
      // A browser that keeps nothing has kept no codes.
    }
    list.hidden = !entries.length;
    list.querySelector("ul").replaceChildren(...entries.sort((a, b) => (a.on < b.on ? 1 : -1)).map(line));
  }

  function line(entry) {
    const node = part("kept-code");
    fill(node, "receipt", entry.receipt);
    fill(node, "organisation", entry.organisation);
    fill(node, "on", new Date(`${entry.on}T12:00:00`).toLocaleDateString(document.documentElement.lang));
    node.querySelector("[data-look]").onclick = () => look(entry.receipt, node.querySelector("[data-state]"));
    askBefore(node, "[data-remove]", async () => {
      await queue.receipts.remove(entry.receipt);
      await draw();
      settle();
    });
    return node;
  }

  form.noValidate = true;
  form.addEventListener("submit", submit);
  draw();
})();
