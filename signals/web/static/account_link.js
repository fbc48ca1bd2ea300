"use strict";
/* The secret of a mailed link stands behind the #, which no server sees: move it into the form, out of the address
   and so out of the browser's history. */
(() => {
  const secret = location.hash.slice(1);
  if (!secret) return;
  document.querySelector("form[data-account-link] input[name=token]").value = secret;
  history.replaceState(null, "", location.pathname);
})();
