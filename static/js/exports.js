// The export dialog: opens when its form has come, and by the key e.
"use strict";

(() => {
  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id === "export-dialog" && !target.open) target.showModal();
  });
})();
