"use strict";
/* The queue beside htmx: single keys, and words for who does not see the list change. */
(() => {
  const one = (selector) => document.querySelector(selector);
  const OFF = "signals-keys";
  const keys = one("#keys");
  const open = one("#keys-open");
  const on = one("#keys-on");
  const used = () => localStorage.getItem(OFF) !== "off";

  document.documentElement.classList.add("scripted");
  open.hidden = false;
  on.checked = used();
  open.addEventListener("click", () => keys.showModal());
  on.addEventListener("change", () => localStorage.setItem(OFF, on.checked ? "on" : "off"));

  const links = () => [...document.querySelectorAll(".entry__open")];
  const row = () => document.activeElement && document.activeElement.closest(".entry");

  const step = (by) => {
    const all = links();
    const here = row() ? all.indexOf(row().querySelector("a")) : -1;
    const next = here < 0 ? all[0] : all[Math.min(Math.max(here + by, 0), all.length - 1)];
    if (next) next.focus();
  };

  const claim = () => {
    const button = row() && row().querySelector("[data-claim]");
    if (button) button.click();
  };

  const acts = { j: () => step(1), k: () => step(-1), c: claim, "?": () => keys.showModal() };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [contenteditable], dialog");
    const act = acts[event.key];
    if (!act || typing || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!used() || event.repeat && event.key === "c") return;
    event.preventDefault();
    act();
  });

  const tell = (words) => { one("#told").textContent = words || ""; };
  const unreachable = (away) => {
    const words = one("#unreachable");
    if (words.hidden === !away) return;
    words.hidden = !away;
    words.textContent = away ? words.dataset.words : "";
  };

  let before = 0;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "rows") before = links().length;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "rows" && links()[before]) {
      links()[before].focus();
      tell(one("#more").dataset.added);
    }
    if (event.target.id === "queue") tell(event.target.dataset.told);
  });
  document.addEventListener("htmx:sendError", () => unreachable(true));
  document.addEventListener("htmx:responseError", (event) => unreachable(event.detail.xhr.status >= 500));
  document.addEventListener("htmx:afterOnLoad", () => unreachable(false));

  // A second press while the first is under way would only be told that the signal is claimed already.
  one("#claim").addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => { delete one("#claim").dataset.sent; });
})();
