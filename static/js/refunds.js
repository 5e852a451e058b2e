// The refund dialog: opens when its form has come, and its button follows the amount.
"use strict";

(() => {
  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id === "refund-dialog" && !target.open) target.showModal();
  });

  const written = (form) => {
    const line = form.querySelector("[name=line]:checked");
    if (line) return line.dataset.amount;
    const box = form.querySelector("input[type=text][name=amount]");
    const text = box?.value.trim();
    return text ? `${form.dataset.refund} ${text}` : form.dataset.refund;
  };

  document.addEventListener("input", ({ target }) => {
    const form = target.closest("[data-refund]");
    if (!form || !target.matches("[name=amount], [name=line]")) return;
    const around = form.closest("dialog, main");
    for (const place of around.querySelectorAll("[data-refund-amount]"))
      place.textContent = written(form);
  });
})();
