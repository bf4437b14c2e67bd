"use strict";
// Switches between the views of a pair and between the pairs of a series, and moves by arrow keys between views, pairs,
// and cells of the map.
// It changes attributes only, never markup.
(() => {
  const root = document.documentElement;
  if (root.dataset.pairs) return;  // several parts of a page bring this script
  root.dataset.pairs = "";

  function choose(tab) {
    tab.closest(".pair").dataset.view = tab.dataset.view;
    for (const each of tab.parentElement.children) {
      each.setAttribute("aria-selected", String(each === tab));
      each.tabIndex = each === tab ? 0 : -1;
    }
  }
  // The neighbour that an arrow key leads to, in a list that has an end.
  function neighbour(list, at, key) {
    const place = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: list.length - 1 }[key];
    return place === undefined ? undefined : list[Math.min(Math.max(place, 0), list.length - 1)];
  }
  function moveInMap(link, key) {
    const rows = [...link.closest("tbody").rows].map((row) => [...row.querySelectorAll("a")]);
    const row = rows.findIndex((links) => links.includes(link));
    const column = link.closest("th, td").cellIndex;
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    if (step === undefined) return neighbour(rows[row], rows[row].indexOf(link), key);
    const near = rows[row + step] ?? [];
    const away = (each) => Math.abs(each.closest("th, td").cellIndex - column);
    return near.reduce((best, each) => (best === undefined || away(each) < away(best) ? each : best), undefined);
  }

  // Shows the previous or next pair of a series, in the view of this one.
  function step(button) {
    const pair = button.closest(".pair");
    const pairs = [...pair.parentElement.children].filter((each) => each.matches(".pair"));
    const shown = pairs[pairs.indexOf(pair) + Number(button.dataset.step)];
    if (!shown) return;
    for (const each of pairs) each.hidden = each !== shown;
    choose(shown.querySelector(`[role=tab][data-view="${pair.dataset.view}"]`));
    shown.dispatchEvent(new CustomEvent("shown", { bubbles: true }));
    const buttons = [...shown.querySelectorAll("[data-step]:not(:disabled)")];
    (buttons.find((each) => each.dataset.step === button.dataset.step) ?? buttons[0]).focus();
  }

  document.addEventListener("click", (event) => {
    const tab = event.target.closest?.(".pair [role=tab]");
    const button = event.target.closest?.(".pair [data-step]");
    if (tab) choose(tab);
    if (button) step(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const at = event.target;
    const tab = at.closest?.(".pair [role=tab]");
    const pager = at.closest?.(".pair .pager");
    const link = at.closest?.("[data-map] tbody a");
    let to;
    if (tab) {
      const tabs = [...tab.parentElement.children];
      to = neighbour(tabs, tabs.indexOf(tab), event.key);
      if (to) choose(to);
    } else if (pager) {
      const [previous, next] = pager.querySelectorAll("button");
      const button = { ArrowLeft: previous, ArrowRight: next }[event.key];
      if (!button) return;
      event.preventDefault();
      if (!button.disabled) {
        button.focus();
        button.click();
      }
      return;
    } else if (link) to = moveInMap(link, event.key);
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
})();
