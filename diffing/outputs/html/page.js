// Sorts and filters the lines, shows one pair at a time, folds long texts, and opens the target of a link. It never turns
// text into markup.
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
      if (!text.scrollHeight) {  // not visible yet
        delete text.dataset.seen;
        continue;
      }
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
  for (const details of all("details")) {
    details.addEventListener("toggle", () => { if (details.open) fold(details); });
  }
  fold(document.getElementById("overview"));

  document.addEventListener("shown", (event) => fold(event.target));
  // The page has hundreds of pairs, so what all of them have in common is in a template.
  const common = document.getElementById("pair-tools").content;
  function equip(pair, uid, at, number) {
    const [views, pager, key] = common.cloneNode(true).children;
    const [asked, both] = [[".asked", "prompt", "Prompt"], [".both", "answers", "Answers"]].map(([part, name, label]) => {
      const panel = pair.querySelector(part);
      panel.id = `${uid}-${name}-panel`;
      panel.setAttribute("role", "group");
      panel.setAttribute("aria-label", label);
      return panel;
    });
    for (const tab of views.children) {
      tab.id = `${uid}-${tab.dataset.view}`;
      tab.setAttribute("aria-controls", (tab.dataset.view === "prompt" ? asked : both).id);
    }
    const [place, previous, next] = pager.children;
    place.textContent = `${at + 1} of ${number} shown here`;
    previous.disabled = at === 0;
    next.disabled = at === number - 1;
    pair.querySelector("header").append(views, ...(number > 1 ? [pager] : []));
    if (!both.querySelector(".key")) both.append(key);
  }
  for (const pair of all(".pair")) {
    pair.dataset.view = "marked";
    for (const each of all(".views, .pager", pair)) each.hidden = false;
  }
  for (const [number, group] of all(".group").entries()) {
    const pairs = all(".pair", group);
    pairs.forEach((pair, at) => {
      equip(pair, `pair-${number}-${at}`, at, pairs.length);
      pair.hidden = at > 0;  // without scripts all are shown
    });
  }

  function openTarget() {
    const target = /^#[a-z]+(-?\d+)?$/.test(location.hash) && document.querySelector(location.hash);
    if (!target) return;
    target.hidden = false;
    for (let around = target; around; around = around.parentElement) {
      if (around.matches("details")) around.open = true;
      if (around.matches(".line")) around.hidden = false;
    }
    const details = target.matches(".line, .members li, tbody") && target.querySelector("details");
    if (details) details.open = true;
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();

  const tools = document.querySelector(".tools");
  if (!tools) return;
  const lists = all("ol.lines").map((list) => [list, [...list.children]]);
  const where = tools.querySelector("[data-filter=where]");
  const sorter = document.getElementById("sorter");
  const shown = document.getElementById("shown");

  // Undefined values come last, and equal ones keep the recommended order.
  function sort() {
    const key = sorter.value;
    const sign = key === "net" || key === "rating" ? -1 : 1;
    const value = (line) => (line.dataset[key] === "" ? Infinity : sign * Number(line.dataset[key]));
    const number = (line) => Number(line.dataset.number);
    const order = (x, y) => (value(x) === value(y) ? number(x) - number(y) : value(x) - value(y));
    for (const [list, lines] of lists) list.append(...lines.sort(order));
  }

  function filter() {
    const wanted = Object.fromEntries(all("[data-filter]", tools).map((field) => [field.dataset.filter, field.value]));
    const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
    for (const line of lists.flatMap(([, lines]) => lines)) {
      const text = all(".t, .m", line).map((part) => part.textContent).join("\n").toLowerCase();
      const kept = ["direction", "where", "method", "category"].every(
        (key) => !wanted[key] || (line.dataset[key] ?? "").split("|").includes(wanted[key]));
      line.hidden = !(kept && words.every((word) => text.includes(word)));
    }
    const every = lists.flatMap(([, lines]) => lines);
    const left = every.filter((line) => !line.hidden).length;
    shown.textContent = left < every.length ? `${left} of ${every.length} shown` : "";
  }
  // A cell of the map leads to its line, among those that show on its kind of prompt.
  document.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-map] a[data-where]");
    if (!cell || !where) return;
    where.value = cell.dataset.where;
    filter();
    if (cell.getAttribute("href") === location.hash) openTarget();
  });
  tools.hidden = false;
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("input", filter);
  sorter.addEventListener("change", sort);
  filter();
})();
