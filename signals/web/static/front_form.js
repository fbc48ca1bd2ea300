/* The form of the carrier: filled in from the fragment, read leniently, kept on the phone first and then sent. */
(function () {
  "use strict";

  const { fill, insist, part, refresh, say, send, showAnswer, word } = window.signalsPage;
  const page = window.signalsPage;
  const queue = window.signalsQueue;
  const form = document.getElementById("report");
  if (!form) return; // another page
  const field = form.elements;
  const ask = document.getElementById("ask");
  const answer = document.getElementById("answer");
  const to = document.getElementById("to");
  const twice = document.getElementById("twice");
  const tiles = document.getElementById("concern_types");
  const safety = document.getElementById("safety");
  const button = form.querySelector(".send .button");
  const language = document.documentElement.lang;
  const TEXTS = ["postcode", "house_number", "house_number_addition", "noticed_on", "note"];
  const CARRIED = "carried"; // to the page in another language
  const QUICK = 4000; // after this the carrier may walk on: the report is kept and goes by itself
  const usual = { title: document.title, button: button.textContent };

  let busy = false;
  let shown = null; // the key of the report whose outcome is on the screen
  let draft = newDraft(startingKey());
  let aside = null; // what was typed when a refused report was taken up
  let asked = "";
  let daysAreSure = false; // whether the service ever told the phone what day it is

  /* `instead`: the refused report that this one replaces; `tried`: it may have arrived under its key. */
  function newDraft(key = "", instead = "") {
    return { key, instead };
  }

  /* After a refused try without this script, its key goes on: the try may have arrived. */
  function startingKey() {
    return document.getElementById("not-sent") ? field.idempotency_key.value : "";
  }

  // What is typed, read as it was meant

  /* `1O12 ab` and `l012AB` as `1012AB`; digits of an Arabic keyboard too. Empty when it is no postcode. */
  function readPostcode(text) {
    const bare = digits(text).replace(/[\s.-]/g, "");
    const number = bare.slice(0, 4).replace(/o/gi, "0").replace(/[li|]/gi, "1");
    const letters = bare.slice(4).toUpperCase().replace(/0/g, "O").replace(/1/g, "I");
    return /^[1-9]\d{3}[A-Z]{2}$/.test(number + letters) ? number + letters : "";
  }

  /* `12A`, `12-a`, `12 hs` as 12 and an addition; null when it is no house number. */
  function readNumber(text) {
    const found = /^(\d{1,5})(?:\s*[-/ ]\s*([a-z0-9]{1,6})|([a-z][a-z0-9]{0,5}))?$/i.exec(digits(text).trim());
    if (!found || Number(found[1]) < 1) return null;
    return { number: Number(found[1]), addition: (found[2] || found[3] || "").toUpperCase() };
  }

  function digits(text) {
    return text.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 15));
  }

  function spaced(postcode) {
    return `${postcode.slice(0, 4)} ${postcode.slice(4)}`;
  }

  /* Put down what was understood once the field is left, and say so when it differs from what was typed. */
  function tidy(event) {
    const typed = event.target.value;
    const marked = event.target.closest("[aria-invalid]");
    if (marked) checkFields([marked.id]);
    if (event.target === field.postcode) {
      const postcode = readPostcode(typed);
      if (!postcode) return;
      field.postcode.value = spaced(postcode);
      hint(typed.toUpperCase().replace(/\s/g, "") === postcode ? "" : spaced(postcode));
    } else if (event.target === field.house_number) {
      const read = readNumber(typed);
      if (!read?.addition || field.house_number_addition.value.trim()) return;
      field.house_number.value = read.number;
      field.house_number_addition.value = read.addition;
      hint(`${read.number} ${read.addition}`);
    }
  }

  function hint(value) {
    const node = document.getElementById("read-as");
    node.hidden = !value || !document.getElementById("unknown").hidden; // the question asks the same, and takes the room
    node.querySelector("bdi").textContent = value;
  }

  /* The report as the API takes it, or null with what is wrong shown beside the fields. */
  function filled() {
    const postcode = readPostcode(field.postcode.value);
    const read = readNumber(field.house_number.value);
    const addition = field.house_number_addition.value.trim();
    if (!checkFields(["postcode", "house_number", "house_number_addition", "noticed_on"])) {
      const first = form.querySelector("[aria-invalid=true]");
      first.closest("details")?.setAttribute("open", "");
      first.focus();
      return null;
    }
    return withoutEmpty({
      postcode,
      house_number: read.number,
      house_number_addition: addition || read.addition,
      concern_types: [...field.concern_types].filter((box) => box.checked).map((box) => box.value),
      seen: field.seen.value,
      noticed_on: field.noticed_on.value,
      note: field.note?.value.trim(),
    });
  }

  /* Whether these fields are right; what is wrong is said beside them. */
  function checkFields(names) {
    const postcode = readPostcode(field.postcode.value);
    const read = readNumber(field.house_number.value);
    const addition = field.house_number_addition.value.trim();
    const day = field.noticed_on.validity;
    const rules = {
      postcode: [postcode && !/S[ADS]$/.test(postcode), postcode ? "letters" : "postcode"],
      house_number: [read && !(read.addition && addition), "house_number"],
      house_number_addition: [/^[a-z0-9 ./-]{0,6}$/i.test(addition), "addition"],
      noticed_on: [day.valid || (!daysAreSure && !day.badInput), "day"],
    };
    return names.map((name) => (name in rules ? check(name, rules[name][0], word(rules[name][1])) : check(name, true)))
      .every(Boolean);
  }

  function withoutEmpty(body) {
    return Object.fromEntries(Object.entries(body).filter(([, value]) => value && value.length !== 0));
  }

  function check(name, fine, reason) {
    const id = `${name}-error`;
    const hint = document.getElementById(`${name}-hint`)?.id;
    document.getElementById(id)?.remove();
    const input = document.getElementById(name);
    const about = [hint, fine ? "" : id].filter(Boolean).join(" ");
    if (about) input.setAttribute("aria-describedby", about);
    else input.removeAttribute("aria-describedby");
    if (fine) {
      input.removeAttribute("aria-invalid");
      return true;
    }
    const message = document.createElement("p");
    message.className = "error";
    message.id = id;
    message.textContent = reason;
    putBeside(input, message);
    input.setAttribute("aria-invalid", "true");
    return false;
  }

  /* Below the address in the order of its fields, below the name of a group, above any other field. */
  function putBeside(input, message) {
    const address = input.closest(".address");
    const legend = input.querySelector("legend");
    if (address) {
      const fields = [...address.querySelectorAll("input")];
      const above = fields.slice(0, fields.indexOf(input)).map((one) => document.getElementById(`${one.id}-error`));
      (above.filter(Boolean).pop() || address).after(message);
    } else if (legend) {
      legend.after(message);
    } else {
      input.before(message);
    }
  }

  // Sending

  async function submit(event) {
    event.preventDefault();
    if (busy || ask.hidden) return; // the second tap of a gloved hand
    takeCarried(); // left by a switch that did not come about
    const body = filled();
    if (!body) return;
    work(true);
    try {
      await pass(body);
    } finally {
      work(false);
    }
  }

  function work(on) {
    busy = on;
    button.setAttribute("aria-disabled", String(on));
    button.textContent = on ? word("sending") : usual.button;
  }

  async function pass(body) {
    const report = { key: draft.key || queue.newKey(), body: JSON.stringify(body), language };
    draft.key = report.key;
    try {
      await queue.add(report, draft.instead);
    } catch (error) {
      await passDirectly(report, error?.name === "QuotaExceededError" ? "full" : "private");
      return;
    }
    draft = newDraft();
    shown = report.key;
    await Promise.race([send(true), new Promise((resolve) => setTimeout(resolve, QUICK))]);
    const left = await kept(report.key);
    if (left?.state !== "refused") remember(body);
    if (shown === report.key) showSaved(left);
  }

  function remember(body) {
    if (queue.sealing()) queue.sealer().then((sealer) => sealer.remember(body)).catch(() => {}); // it only spares a question
  }

  async function kept(key) {
    return (await queue.reports()).find((report) => report.key === key);
  }

  /* Where the phone keeps nothing the form is the only copy: it stays until the service has the report. */
  async function passDirectly(report, reason) {
    const outcome = await queue.attempt(report);
    if (outcome.kind === "sent") {
      draft = newDraft();
      showSent(outcome.answer);
    } else if (outcome.kind === "refused") {
      const again = outcome.problem.status === 409;
      if (again) draft.key = queue.newKey();
      showProblem(outcome.problem, again ? word("again") : "");
    } else {
      showProblem({ errors: [] }, `${word(reason)} ${outcome.why === "offline" ? "" : word(outcome.why)}`);
    }
  }

  // What is on the screen

  /* The numbers to call in the place of the form; by hand, for phones of 2021 whose styles cannot see what is open. */
  function showCalls() {
    form.classList.toggle("calls", safety.open);
    if (safety.open) scrollTo(0, 0);
  }

  function show(node) {
    say("");
    ask.hidden = true;
    answer.replaceChildren(node);
    document.body.classList.add("answered");
    document.getElementById("not-sent")?.remove();
    document.title = node.querySelector("h1").textContent;
    node.querySelector("[data-another]").onclick = another;
    node.querySelector("[data-calls]").append(document.querySelector("#safety .numbers").cloneNode(true));
    scrollTo(0, 0);
    node.querySelector("h1").focus({ preventScroll: true });
  }

  function showSent(sent) {
    const node = part("sent-view");
    showAnswer(node, sent);
    shown = null;
    show(node);
  }

  /* Kept and not sent yet; `report` is undefined when it left in the meantime. */
  function showSaved(report) {
    if (report?.state === "refused") {
      mend(report);
    } else {
      const open = answer.querySelector(`[data-of="${shown}"]`);
      const node = fill(open || part("saved-view"), "why", word(report ? report.why || "offline" : "sending"));
      if (open) return; // no new announcement, and the focus stays where it is
      node.dataset.of = shown;
      show(node);
      insist();
    }
  }

  /* Another report: an empty form, or what was being typed before a refused report was taken up. */
  function another() {
    shown = null;
    draft = newDraft();
    write(aside || {});
    aside = null;
    showForm();
    refresh();
    field.postcode.focus();
  }

  function showForm() {
    say("");
    answer.replaceChildren();
    ask.hidden = false;
    document.body.classList.remove("answered");
    document.title = usual.title;
    scrollTo(0, 0);
  }

  /* Put a refused report back into the form with what the service said about it. */
  async function mend(report) {
    if (!draft.instead && !ask.hidden) aside = typed();
    shown = null;
    const again = report.problem.status === 409; // its key belongs to a report that arrived
    draft = newDraft(again ? "" : report.key, report.key);
    write(JSON.parse(await queue.text(report)));
    showForm();
    showProblem(report.problem, again ? word("again") : "");
    refresh();
  }

  function typed() {
    const values = new FormData(form);
    return { ...Object.fromEntries(values), concern_types: values.getAll("concern_types") };
  }

  function write(values) {
    hint("");
    form.reset();
    for (const name of TEXTS) {
      if (field[name]) field[name].value = values[name] ?? "";
    }
    for (const marked of form.querySelectorAll("[aria-invalid]")) check(marked.id, true);
    for (const box of field.concern_types) box.checked = (values.concern_types || []).includes(box.value);
    field.seen.value = values.seen || "";
    form.querySelector("details:not(#safety)").open = Boolean(values.seen || values.noticed_on || values.note);
    document.getElementById("not-sent")?.remove();
    lookUp();
  }

  async function showProblem(problem, sentence) {
    const node = part("problem-view");
    fill(node, "detail", sentence || problem.detail || "");
    for (const wrong of problem.errors) node.querySelector("ul").append(await problemLine(wrong));
    document.getElementById("not-sent")?.remove();
    form.before(node);
    node.focus();
    scrollTo(0, 0);
  }

  async function problemLine(wrong) {
    const name = String(wrong.field).split(".")[0];
    const label = form.querySelector(`label[for="${CSS.escape(name)}"], #${CSS.escape(name || "none")} > legend`);
    const reason = name === "noticed_on" && wrong.code === "out_of_range" ? word("day") : wrong.message || "";
    if (label) check(name, false, reason);
    const line = document.createElement("li");
    const clock = name === "noticed_on" && Math.abs(await queue.clock()) > 12 * 3600 * 1000 ? ` ${word("clock")}` : "";
    const link = document.createElement(label ? "a" : "span");
    if (label) link.href = `#${name}`;
    link.textContent = `${label ? `${label.textContent.replace(/[?؟]$/, "")}: ` : ""}${reason}${clock}`;
    line.append(link);
    return line;
  }

  // What comes from outside: the fragment, the clock, who receives

  /* `/m#pc=1012AB&hn=12&ad=A`, and `e` with the code of a depot: a fragment never reaches a server, and leaves the address bar at once.
     An address only: what was noticed is for the carrier to say, never for who made the link. */
  function readFragment() {
    const given = new URLSearchParams(location.hash.slice(1));
    if (!["pc", "hn", "e"].some((name) => given.has(name))) return;
    history.replaceState(null, "", location.pathname + location.search);
    if (given.has("e")) page.enrol(given.get("e"), given.get("i"));
    if (!given.has("pc") && !given.has("hn")) return;
    const short = (name, longest) => (given.get(name) || "").slice(0, longest);
    draft = newDraft();
    shown = null;
    write({ postcode: short("pc", 10), house_number: short("hn", 6), house_number_addition: short("ad", 6) });
    showForm();
  }

  /* Switching the language takes along what was typed and chosen: in this tab only, never in an address that a browser
     remembers, and for the next page only. */
  function carryAlong(event) {
    const link = event.target.closest("a[hreflang]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab would not find it
    try {
      const carried = { ...typed(), draft, to: link.hreflang };
      const fields = [...TEXTS, "concern_types", "seen", "draft", "key", "instead", "to"];
      sessionStorage.setItem(CARRIED, JSON.stringify(carried, fields));
    } catch {
      // A browser that keeps nothing opens an empty form.
    }
  }

  /* What the page before left for this one, or null; it is gone from the phone then. */
  function takeCarried() {
    try {
      const carried = JSON.parse(sessionStorage.getItem(CARRIED));
      sessionStorage.removeItem(CARRIED);
      return carried?.to === new URLSearchParams(location.search).get("lang") ? carried : null;
    } catch {
      return null; // as above
    }
  }

  function readCarried() {
    const carried = takeCarried();
    if (!carried) return;
    draft = { ...newDraft(), ...carried.draft }; // a refused report that is being mended stays the same report
    write(carried);
  }

  /* The page may be weeks old and the phone's clock days off: days are counted by the service's clock where known. */
  async function setDays() {
    const ahead = await queue.clock(null);
    daysAreSure = ahead !== null;
    const now = Date.now() + ahead;
    const day = (back) => new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Amsterdam" }).format(now - back * 86400000);
    field.noticed_on.max = day(0);
    field.noticed_on.min = day(14);
  }

  let lookUpTimer = 0;
  function lookUp() {
    const postcode = readPostcode(field.postcode.value);
    const house_number = readNumber(field.house_number.value)?.number;
    const place = postcode && house_number ? { postcode, house_number } : null;
    const addition = field.house_number_addition.value.trim() || readNumber(field.house_number.value)?.addition;
    const name = JSON.stringify([place, addition]);
    if (name === asked) return;
    asked = name;
    page.steadily(tiles, () => { to.hidden = twice.hidden = true; });
    clearTimeout(lookUpTimer);
    if (place) lookUpTimer = setTimeout(() => askReceiver(place, name, addition), 300);
  }

  /* Who receives: a phone that seals finds that by itself, and tells the service four digits only. */
  async function askReceiver(place, name, addition) {
    try {
      const { covered, organisation } = await (queue.sealing() ? routed(place) : queue.look("coverage/lookup", place));
      if (name !== asked) return;
      page.steadily(tiles, () => {
        document.getElementById("receiver").textContent = organisation.name;
        document.getElementById("unknown").hidden = covered; // a doubt is never a refusal: streets are newer than maps
        if (!covered) hint("");
        to.hidden = false;
      });
      setDays();
      if (!queue.sealing() || draft.instead) return;
      const known = await (await queue.sealer()).isKnown({ ...place, house_number_addition: addition });
      if (name === asked) page.steadily(tiles, () => { twice.hidden = !known; });
    } catch {
      asked = ""; // it builds trust, it is not needed; asked again at the next change
    }
  }

  async function routed(place) {
    const organisation = await (await queue.sealer()).receiver(place);
    return { covered: organisation.kind !== "national", organisation };
  }

  page.changed = async (reports) => {
    const report = reports.find((one) => one.key === shown);
    if (report && !busy) showSaved(report);
  };
  page.sent = (item) => {
    if (item.key !== shown) return false;
    showSent(item.answer);
    return true;
  };
  page.mend = mend;
  page.mending = () => draft.instead;

  form.noValidate = true;
  form.addEventListener("submit", submit);
  form.addEventListener("change", tidy);
  field.note?.addEventListener("focus", () => queue.load(field.note.dataset.script).catch(() => {})); // the hint says it too
  field.noticed_on.addEventListener("focus", setDays); // the page may be open since yesterday
  form.addEventListener("input", lookUp);
  form.addEventListener("change", lookUp);
  safety.addEventListener("toggle", showCalls);
  document.getElementById("languages")?.addEventListener("click", carryAlong);
  window.addEventListener("pageshow", (event) => event.persisted && takeCarried()); // the other did not come
  window.addEventListener("hashchange", readFragment);
  window.addEventListener("online", lookUp);
  readCarried();
  readFragment(); // an address from the work app is of another report
  lookUp();
  setDays();
  refresh();
})();
