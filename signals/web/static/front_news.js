/* The list below the line that counts: what was sent with its code, what was deleted, and what is to be mended. */
(function () {
  "use strict";

  const page = window.signalsPage;
  const { fill, part, refresh, say, word } = page;
  const queue = window.signalsQueue;
  const told = document.getElementById("told");
  const [opener, list, read, keepAll] = ["open", "list", "read", "keep-all"]
    .map((name) => document.querySelector(`#waiting [data-${name}]`));
  const listed = new Map(); // what the list shows, by key or number

  /* Only what came and what went: a reader of the screen may be in the midst of it. */
  function drawList(refused, news) {
    const entries = new Map([...refused.map((report) => [report.key, report]), ...news.map((item) => [item.id, item])]);
    for (const [id, node] of listed) {
      if (!entries.has(id)) listed.delete(id) && node.remove();
    }
    for (const [id, entry] of entries) {
      if (listed.has(id)) continue;
      listed.set(id, entry.state ? refusal(entry) : newsOf(entry));
      list.append(listed.get(id));
    }
    opener.hidden = !entries.size;
    if (!entries.size) openList(false);
    offerToForget(news);
    drawKeepAll(news.filter((item) => item.kind === "sent"));
  }

  function offerToForget(news) {
    read.hidden = !news.length;
    read.onclick = async () => {
      await queue.wasRead(news).catch(() => {}); // without storage there is nothing to forget
      settle();
    };
  }

  function drawKeepAll(sent) {
    const offered = [...list.querySelectorAll("[data-keep]")].filter((one) => !one.hidden);
    const left = offered.filter((one) => !one.hasAttribute("aria-disabled"));
    keepAll.hidden = sent.length < 2 || !offered.length;
    keepAll.setAttribute("aria-disabled", String(!left.length));
    keepAll.onclick = () => {
      keepAll.setAttribute("aria-disabled", "true");
      left.forEach((one) => one.click());
    };
  }

  function openList(open) {
    told.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    opener.textContent = word(open ? "close" : "open");
  }

  function newsOf(item) {
    const node = part(`${item.kind}-news`);
    if (item.kind === "sent") showAnswer(node, item.answer);
    return node;
  }

  /* The answer to a report: who has it, its code, and whether something was taken out of the note. */
  function showAnswer(node, answer) {
    fill(node, "organisation", answer.organisation?.name || "");
    fill(node, "receipt", answer.receipt);
    node.querySelector("[data-redacted]").hidden = !answer.note_redactions?.length;
    fill(node, "removed", (answer.note_redactions || []).map((one) => one.placeholder).join(" "));
    offerCode(node, answer);
  }

  function offerCode(node, sent) {
    const tell = (name) => fill(node, "done", word(name));
    const copy = node.querySelector("[data-copy]");
    const keep = node.querySelector("[data-keep]");
    copy.hidden = !navigator.clipboard;
    copy.onclick = () => navigator.clipboard.writeText(sent.receipt).then(() => tell("copied"), () => { copy.hidden = true; });
    queue.receipts.all().then(() => { keep.hidden = false; refresh(); }, () => {});
    keep.onclick = async () => {
      keep.setAttribute("aria-disabled", "true"); // not hidden: the focus would fall to the body
      await queue.receipts.keep({ receipt: sent.receipt, organisation: sent.organisation?.name || "", on: sent.received_on });
      tell("kept");
    };
  }

  /* A report that was not accepted: it is mended, or thrown away after a second question. */
  function refusal(report) {
    const node = part("refused-news");
    queue.text(report).then(JSON.parse).then(({ postcode = "", house_number = "" }) => {
      fill(node, "place", `${postcode} ${house_number}`);
    }, () => {}); // without storage there is no such report
    node.querySelector("[data-mend]").onclick = () => page.mend(report);
    askBefore(node, "[data-discard]", async () => {
      say(word("discarded"));
      await queue.discard(report.key);
      settle();
    });
    return node;
  }

  /* What cannot be taken back is done at the second press, of another button: gloves press what they did not mean. */
  function askBefore(node, first, act) {
    const ask = (sure) => {
      node.querySelector("[data-choice]").hidden = sure;
      node.querySelector("[data-sure]").hidden = !sure;
      node.querySelector(sure ? "[data-no]" : first).focus();
    };
    node.querySelector(first).onclick = () => ask(true);
    node.querySelector("[data-no]").onclick = () => ask(false);
    node.querySelector("[data-yes]").onclick = act;
  }

  /* What had the focus went away: it goes to the line above, or to the head of the page. */
  async function settle() {
    await refresh();
    const head = [...document.querySelectorAll("main h1")].find((one) => one.offsetParent);
    const next = opener.hidden ? head : opener;
    if (next === head) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  }

  Object.assign(page, { askBefore, drawList, isListClosed: () => !opener.hidden && told.hidden, settle, showAnswer });
  opener.onclick = () => {
    openList(told.hidden);
    refresh();
  };
})();
