// What makes the pages quicker: copying, menus, dialogs, toasts, shortcuts.
// Every page works without this file.
"use strict";

(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // ------------------------------------------------------------------ telling
  const say = (words) => {
    const region = $("#said");
    region.textContent = "";
    // An empty region first, so that the same words twice are read twice.
    setTimeout(() => (region.textContent = words), 50);
  };

  const letGo = (toast) => {
    let timer;
    const start = () => (timer = setTimeout(() => toast.remove(), 6000));
    const stop = () => clearTimeout(timer);
    for (const name of ["mouseenter", "focusin"]) toast.addEventListener(name, stop);
    for (const name of ["mouseleave", "focusout"]) toast.addEventListener(name, start);
    toast.dataset.seen = "";
    start();
  };

  const watchToasts = () => $$(".toast:not([data-seen])").forEach(letGo);

  const tell = (words) => {
    const toast = $("#toast").content.firstElementChild.cloneNode(true);
    $("[data-words]", toast).textContent = words;
    $("#toasts").replaceChildren(toast);
    watchToasts();
    say(words);
  };

  const warn = (words) => {
    const notice = $("#trouble");
    $("[data-words]", notice).textContent = words;
    notice.hidden = false;
  };

  // ------------------------------------------------------------------ copying
  const copyByHand = (text) => {
    // Pages on plain http have no clipboard object.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  const copy = async (button) => {
    const text = button.dataset.copy ?? $(`#${button.dataset.copyFrom}`).textContent;
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      done = copyByHand(text);
      button.focus();
    }
    tell(done ? "Copied" : "Copying is blocked by the browser");
  };

  // ----------------------------------------------------------- menus, dialogs
  const menus = () => $$("details.menu[open]");

  const closeMenus = (but) => {
    for (const menu of menus()) if (!menu.contains(but)) menu.open = false;
  };

  const open = (id) => $(`#${CSS.escape(id)}`)?.showModal();

  document.addEventListener("click", (event) => {
    closeMenus(event.target);
    const button = event.target.closest("[data-copy], [data-copy-from], [data-open], [data-print]");
    if (!button) {
      if (event.target.nodeName === "DIALOG") event.target.close();
      return;
    }
    if ("open" in button.dataset) open(button.dataset.open);
    else if ("print" in button.dataset) window.print();
    else copy(button);
  });

  document.addEventListener("focusin", ({ target }) => {
    // A press on the words of a menu moves the focus to the page around it.
    if (!menus().some((menu) => target.contains(menu))) closeMenus(target);
  });

  // A button pressed twice must not act twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if ("sent" in form.dataset) event.preventDefault();
    form.dataset.sent = "";
  });
  window.addEventListener("pageshow", () => {
    for (const form of $$("form[data-sent]")) delete form.dataset.sent;
  });

  // A switch in a dialog applies at once; without script it has its own button.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-apply]")) event.target.form.requestSubmit();
  });

  // ------------------------------------------------------------- in a long list
  // Finding one of many products: typing narrows the ticks shown.
  document.addEventListener("input", (event) => {
    const box = event.target;
    if (!box.matches("[data-narrows]")) return;
    const words = box.value.trim().toLowerCase();
    for (const tick of $$(".tick", box.closest("fieldset")))
      tick.hidden = !tick.textContent.toLowerCase().includes(words);
  });

  const rows = () => $$("[data-rows] tbody tr");

  const step = (by) => {
    const all = rows();
    const now = all.findIndex((row) => row.contains(document.activeElement));
    const next = now < 0 ? (by > 0 ? 0 : all.length - 1) : now + by;
    const link = all[Math.max(0, Math.min(next, all.length - 1))];
    $("a", link ?? document.createElement("p"))?.focus();
  };

  // ------------------------------------------------------------------ shortcuts
  const go = (name) => {
    const link = $(`[data-go="${name}"]`);
    if (link) location.assign(link.href);
  };

  const search = () => {
    const box = $("#q");
    box?.focus();
    box?.select();
  };

  const KEYS = {
    "/": search,
    j: () => step(1),
    k: () => step(-1),
    e: () => $("[data-export]")?.click(),
    "?": () => open("shortcuts"),
  };

  let waiting = "";

  const inField = (target) =>
    target.isContentEditable || target.matches("input, select, textarea, dialog *");

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = menus().pop();
      if (menu) {
        menu.open = false;
        $("summary", menu).focus();
      }
      return;
    }
    if (document.documentElement.dataset.shortcuts === "off") return;
    if (event.ctrlKey || event.metaKey || event.altKey || inField(event.target)) return;
    if (waiting === "g") {
      waiting = "";
      go(event.key);
      return;
    }
    if (event.key === "g") {
      waiting = "g";
      setTimeout(() => (waiting = ""), 1000);
      return;
    }
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  // ----------------------------------------------------------------------- htmx
  document.addEventListener("htmx:afterSettle", (event) => {
    $("#trouble").hidden = true;
    watchToasts();
    const told = event.target.closest?.("[data-announce]");
    if (told) say(told.dataset.announce);
    // What was clicked is gone with the old rows: keep the reader where they were.
    if (document.activeElement === document.body) $(".results")?.focus({ preventScroll: true });
  });

  // A page that nobody looks at need not ask for news.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches(".news-place, [data-quiet]")) event.preventDefault();
  });

  const failed = (event) => {
    // What was asked by itself fails by itself: the rows are still true.
    if (event.target.matches(".news-place, [data-quiet], .totals")) return;
    const code = event.detail.xhr?.status;
    warn(
      code
        ? `The page could not be updated (${code}). What you see is from before; load the page again.`
        : "The server could not be reached. What you see is from before; try again in a moment.",
    );
  };
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);

  watchToasts();
})();
