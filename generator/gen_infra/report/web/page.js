"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const states = all("[data-states]");
  let shownStates = "";
  let texts = null;

  for (const each of all(".search, .tools")) each.hidden = false;

  // The text of everything that can be found, read once, when the first letter is typed.
  const findable = () => {
    texts ??= all("[data-find]").map((element) => [element, `${element.textContent} ${element.dataset.find}`.toLowerCase()]);
    return texts;
  };

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const [element, text] of findable()) {
      const isMeant = words.every((word) => text.includes(word));
      const isJob = element.closest(".timeline");
      const isShown = isMeant && !(isJob && shownStates && !shownStates.split(" ").includes(element.className));
      element.toggleAttribute("data-hidden", !isShown);
      count += isMeant ? 1 : 0;
    }
    found.textContent = words.length ? `${count} found` : "";
  };

  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, 80);
  });
  search.form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  for (const button of states) {
    button.addEventListener("click", () => {
      shownStates = button.dataset.states;
      for (const each of states) each.setAttribute("aria-pressed", String(each === button));
      show();
    });
  }
  for (const button of all("[data-fold]")) {
    button.addEventListener("click", () => {
      for (const each of all("details", button.closest("section"))) each.open = Boolean(button.dataset.fold);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !(event.target instanceof HTMLInputElement) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && event.target === search) {
      search.value = "";
      show();
      search.blur();
    }
  });

  // A link into something folded or filtered out shows it.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[data-hidden]")) {
      search.value = "";
      shownStates = "";
      for (const each of states) each.setAttribute("aria-pressed", String(!each.dataset.states));
      show();
    }
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    const focused = target.tagName === "DETAILS" ? target.querySelector("summary") : target;
    if (focused !== target || target.tagName === "TR") {
      if (target.tagName === "TR") focused.tabIndex = -1;
      focused.focus({ preventScroll: true });
    }
    land(target, 4);
  };
  // What is laid out on the way there moves it: look again in the next frames.
  const land = (target, frames) => {
    target.scrollIntoView();
    if (frames) requestAnimationFrame(() => land(target, frames - 1));
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
