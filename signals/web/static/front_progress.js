/* The codes that a carrier chose to keep, and how far their reports are. Each is asked for by itself, by a tap. */
(function () {
  "use strict";

  const { fill, part, word } = window.signalsPage;
  const queue = window.signalsQueue;
  const form = document.getElementById("progress-form");
  if (!form) return; // another page
  const list = document.getElementById("kept");

  async function state(receipt) {
    try {
      const [response, text] = await queue.ask("/api/v1/receipts/status", 10000, {
        method: "POST", body: JSON.stringify({ receipt }), headers: { "Content-Type": "application/json" },
      });
      const answer = JSON.parse(text);
      if (!response.ok || !response.headers.has("API-Version")) return word("later");
      const day = new Date(`${answer.as_of}T12:00:00`);
      const date = day.toLocaleDateString(document.documentElement.lang, { dateStyle: "long" });
      return `${word(answer.state)} ${word("as_of", date)}`;
    } catch {
      return word("later");
    }
  }

  async function submit(event) {
    event.preventDefault();
    const typed = form.elements.receipt.value.trim();
    const place = document.getElementById("state");
    if (!typed) return form.elements.receipt.focus();
    place.textContent = await state(typed);
    place.hidden = false;
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
    node.querySelector("[data-look]").onclick = async () => fill(node, "state", await state(entry.receipt));
    node.querySelector("[data-remove]").onclick = async () => {
      await queue.receipts.remove(entry.receipt);
      draw();
    };
    return node;
  }

  form.noValidate = true;
  form.addEventListener("submit", submit);
  draw();
})();
