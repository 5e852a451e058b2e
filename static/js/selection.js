// Which rows of a list are selected: kept while pages are turned, told in the bar.
// Without this file the boxes and the bar's buttons still work, for one page.
"use strict";

(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const BOX = 'input[name="id"][form="bulk"]';

  const chosen = new Set();
  let every = false; // all that match, not only those that were ticked
  let list = null; // the filter that the selection belongs to
  let last = null; // the box that was ticked last, for a range
  let told = "";

  const bar = () => $("[data-selection]");
  const boxes = () => $$(BOX);
  const boxOf = (element) => {
    const row = element?.closest?.("[data-rows] tbody tr");
    return row ? $(BOX, row) : null;
  };

  // ------------------------------------------------------------------------ showing
  const words = () => {
    const { some, every: all, none, matching } = bar().dataset;
    if (every) return all.replace("%s", matching);
    return chosen.size ? some.replace("%s", chosen.size.toLocaleString("en")) : none;
  };

  const say = (text) => {
    if (text === told) return;
    told = text;
    $("#said").textContent = text;
  };

  // Rows of other pages travel in one field: nobody sends a thousand of them.
  const carry = (form) => {
    const here = new Set(boxes().map((box) => box.value));
    const away = every ? [] : [...chosen].filter((id) => !here.has(id));
    const known = $("[data-away]", form);
    const field = known ?? document.createElement("input");
    Object.assign(field, { type: "hidden", name: "id", value: away.join(",") });
    field.dataset.away = "";
    field.disabled = !away.length;
    if (!known) form.append(field);
  };

  const show = (quiet) => {
    const form = bar();
    if (!form) return;
    const all = boxes();
    for (const box of all) box.checked = every || chosen.has(box.value);
    const page = $("[data-select-page]");
    const ticked = all.filter((box) => box.checked).length;
    if (page) {
      page.checked = all.length > 0 && ticked === all.length;
      page.indeterminate = ticked > 0 && ticked < all.length;
    }
    form.toggleAttribute("data-on", every || chosen.size > 0);
    $("[data-selected]", form).textContent = words();
    const whole = $("[data-select-all]", form);
    if (whole) whole.checked = every;
    const matching = $("[data-select-matching]", form);
    if (matching) {
      matching.dataset.forth ??= matching.textContent;
      matching.textContent = every ? matching.dataset.back : matching.dataset.forth;
    }
    carry(form);
    if (!quiet) say(words());
  };

  // ----------------------------------------------------------------------- choosing
  const set = (some, on) => {
    if (every) {
      // One taken away from "all": what is left is what can be seen to be left.
      every = false;
      chosen.clear();
      for (const box of boxes()) chosen.add(box.value);
    }
    const most = Number(bar().dataset.most);
    for (const box of some) {
      if (!on) chosen.delete(box.value);
      else if (chosen.size < most) chosen.add(box.value);
    }
    const full = on && some.some((box) => !chosen.has(box.value));
    show(full);
    if (full) say(bar().dataset.full.replace("%s", most.toLocaleString("en")));
  };

  const clear = () => {
    chosen.clear();
    every = false;
    last = null;
    show();
  };

  const range = (from, to) => {
    const all = boxes();
    const [a, b] = [all.indexOf(from), all.indexOf(to)].sort((x, y) => x - y);
    return a < 0 ? [to] : all.slice(a, b + 1);
  };

  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!bar() || !box.matches) return;
    if (box.matches(BOX)) {
      set(event.shiftKey && last ? range(last, box) : [box], box.checked);
      last = box;
    } else if (box.matches("[data-select-page]")) set(boxes(), box.checked);
    else if (box.closest("[data-select-matching]")) {
      every = !every;
      show();
    } else if (box.closest("[data-select-nothing]")) {
      clear();
      $("[data-select-page]")?.focus();
    }
  });

  // ----------------------------------------------------------------------- keyboard
  const busy = () => $("details.menu[open], dialog[open]");
  const typing = (target) =>
    target.isContentEditable ||
    target.matches(`input:not(${BOX}):not([data-select-page]), select, textarea, dialog *`);

  // Before others hear of it: a menu that Escape closes must still be seen open here.
  document.addEventListener(
    "keydown",
    (event) => {
      if (!bar() || event.ctrlKey || event.metaKey || event.altKey) return;
      if (typing(event.target) || busy()) return;
      if (event.key === "Escape" && (every || chosen.size)) clear();
      if (event.key !== "x" || document.documentElement.dataset.shortcuts === "off") return;
      const box = boxOf(document.activeElement);
      if (!box) return;
      event.preventDefault();
      set([box], !box.checked);
      last = box;
    },
    true,
  );

  // ------------------------------------------------------------------ pages are turned
  const settle = () => {
    const now = bar()?.dataset.list ?? null;
    if (now !== list) {
      chosen.clear();
      every = false;
    }
    list = now;
    last = null;
    show(true);
  };

  // A browser may bring back ticks of a page that was left.
  const arrive = () => {
    for (const box of boxes()) if (box.checked) chosen.add(box.value);
    list = bar()?.dataset.list ?? null;
    show(true);
  };

  document.addEventListener("htmx:afterSettle", settle);
  window.addEventListener("pageshow", arrive);
  arrive();
})();
