// Moving a column up or down in the form that chooses them.
// Without this file the places are typed as numbers.
"use strict";

(() => {
  // Two dialogs on a page may each bring this script; one of them is enough.
  if (document.documentElement.dataset.moves) return;
  document.documentElement.dataset.moves = "yes";

  const number = (list) => {
    for (const [index, row] of [...list.children].entries())
      row.querySelector("input[type=number]").value = index + 1;
  };

  const tell = (list, row) => {
    const label = row.querySelector("[data-label]").textContent;
    const place = [...list.children].indexOf(row) + 1;
    document.querySelector("#said").textContent = `${label}: ${place} / ${list.children.length}`;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (!button) return;
    const row = button.closest("li");
    const up = button.dataset.move === "up";
    const beside = up ? row.previousElementSibling : row.nextElementSibling;
    if (!beside) return;
    if (up) beside.before(row);
    else beside.after(row);
    // A row that moves in the document loses the focus of its button.
    button.focus();
    row.scrollIntoView({ block: "nearest" });
    number(row.parentElement);
    tell(row.parentElement, row);
  });
})();
