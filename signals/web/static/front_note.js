/* Says below the note what arrival will take out of it, as far as rules without a long list find it (redaction.md).
   The page loads this file once somebody goes to the note. */
(function () {
  "use strict";

  const note = document.getElementById("note");
  const place = document.getElementById("note-removed");
  const rules = compiled();

  /* Without lookbehind, on phones before 2023, only the sentence above the field says it. */
  function compiled() {
    try {
      return noteRules.map((rule) => new RegExp(rule, "g"));
    } catch {
      return [];
    }
  }

  function found(text) {
    const plain = text.normalize("NFKD").replace(/\p{M}/gu, "");
    const matches = [plain.toLowerCase(), plain].flatMap((one) => rules.flatMap((rule) => [...one.matchAll(rule)]));
    const spans = matches.map((match) => [match.index, match.index + match[0].length]).sort(([a], [b]) => a - b);
    let end = 0;
    return spans.filter(([from, to]) => from >= end && (end = to)).map(([from, to]) => plain.slice(from, to).trim());
  }

  function show() {
    const parts = found(note.value);
    place.textContent = parts.length ? signalsPage.word("removed", parts.join(", ")) : "";
  }

  note.addEventListener("input", show);
  note.form.addEventListener("reset", () => setTimeout(show)); // the page may write another report into it
  show();
  window.signalsNote = { found };
})();
