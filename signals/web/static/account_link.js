"use strict";
/* The secret of a mailed link stands behind the #, which no server sees: move it into the form, out of the address
   and so out of the browser's history. Who came by the link then sees a sentence in place of the field. */
(() => {
  const secret = location.hash.slice(1);
  if (!secret) return;
  const form = document.querySelector("form[data-account-link]");
  form.elements.token.value = secret;
  form.querySelector(".field").hidden = true;
  form.querySelector("[data-here]").hidden = false;
  history.replaceState(null, "", location.pathname);
})();
