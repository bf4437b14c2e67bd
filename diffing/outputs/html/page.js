"use strict";
// Sorts and filters the findings, folds long texts, and opens the target of a link. It never turns text into markup.
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const dark = matchMedia("(prefers-color-scheme: dark)");

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);

  const toggle = document.getElementById("theme");
  function label() {
    toggle.textContent = isDark() ? "Light" : "Dark";
    toggle.setAttribute("aria-label", `Use the ${isDark() ? "light" : "dark"} colours`);
  }
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
  });
  dark.addEventListener("change", label);
  label();

  // Long texts are folded when they become visible, because only then do they have a height.
  function fold(within) {
    for (const text of all(".clip:not([data-seen])", within)) {
      text.dataset.seen = "";
      if (text.scrollHeight < 300) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet unfold";
      const set = (folded) => {
        text.classList.toggle("folded", folded);
        button.textContent = folded ? "Show all" : "Show less";
        button.setAttribute("aria-expanded", String(!folded));
      };
      button.addEventListener("click", () => set(!text.classList.contains("folded")));
      set(true);
      text.after(button);
    }
  }
  for (const details of all("details.evidence")) {
    details.addEventListener("toggle", () => { if (details.open) fold(details); });
  }

  function openTarget() {
    const target = /^#f(eature-)?\d+$/.test(location.hash) && document.querySelector(location.hash);
    if (!target) return;
    target.closest("tbody").hidden = false;
    const details = target.querySelector("details");
    if (details) details.open = true;
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();

  const table = document.querySelector("table.findings");
  if (!table) return;
  const bodies = [...table.tBodies];  // excludes those of the tables within the evidence
  const heads = all("th[data-key]", table.tHead);
  const cell = (body, key) => body.rows[0].querySelector(`[data-key="${key}"]`);
  const value = (body, key) => cell(body, key).dataset.v ?? cell(body, key).textContent.trim();
  const collator = new Intl.Collator("en", { numeric: true });

  function sort(key, order) {
    const sign = order === "ascending" ? 1 : -1;
    const number = (body) => Number(value(body, "number"));
    bodies.sort((x, y) => {
      const [v, w] = [value(x, key), value(y, key)];
      if (v === "" || w === "") return (v === "") - (w === "") || number(x) - number(y);  // undefined values come last
      const both = v !== w && !Number.isNaN(Number(v)) && !Number.isNaN(Number(w));
      return sign * (both ? Number(v) - Number(w) : collator.compare(v, w)) || number(x) - number(y);
    });
    table.append(...bodies);
    for (const head of heads) head.setAttribute("aria-sort", head.dataset.key === key ? order : "none");
    sorter.value = key;
  }

  const sorter = document.getElementById("sorter");
  for (const head of heads) {
    const first = head.classList.contains("n") && head.dataset.key !== "q" ? "descending" : "ascending";
    head.querySelector("button").addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      sort(head.dataset.key, now === "none" ? first : now === "ascending" ? "descending" : "ascending");
    });
    const name = head.dataset.key === "number" ? "the report's order" : head.textContent.trim().toLowerCase();
    sorter.append(new Option(name, head.dataset.key));
  }
  sorter.addEventListener("change", () => {
    const head = heads.find((h) => h.dataset.key === sorter.value);
    sort(sorter.value, head.classList.contains("n") && sorter.value !== "q" ? "descending" : "ascending");
  });

  const tools = document.querySelector(".tools");
  const shown = document.getElementById("shown");
  function filter() {
    const wanted = Object.fromEntries(all("[data-filter]", tools).map((field) => [field.dataset.filter, field.value]));
    const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
    for (const body of bodies) {
      const text = cell(body, "text").textContent.toLowerCase();
      const kept = ["direction", "status", "method", "category"].every((key) => !wanted[key] || body.dataset[key].split("|").includes(wanted[key]));
      body.hidden = !(kept && words.every((word) => text.includes(word)));
    }
    shown.textContent = `${bodies.filter((body) => !body.hidden).length} of ${bodies.length} shown`;
  }
  tools.hidden = false;
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("input", filter);
  filter();
  sort("number", "ascending");
})();
