// Filters the findings, fetches evidence when it is opened, extends long texts, and keeps in the address what is shown.
// Only HTML from the server's templates is inserted as markup; long texts written by models are inserted as text.
const all = (selector, within) => [...within.querySelectorAll(selector)];
const key = () => element.querySelector("[data-key]")?.dataset.key ?? "";
let latest = 0;
// The names of the filters in an address, and in the form.
const FIELDS = { side: "direction", where: "where", kind: "category", method: "method", q: "words", sort: "sort" };
const BY_LABEL = ["where", "kind", "method"];
const filtersForm = () => element.querySelector("[data-filters]");
const field = (name) => filtersForm()?.querySelector(`[name="${FIELDS[name]}"]`);
const openedByScript = new WeakSet();

async function ask(about, more) {
  const silent = { problem: "The server did not answer. Try again, or reload the page." };
  try {
    return (await server.ask({ key: key(), about, ...more })) ?? silent;  // nothing after an error of the server
  } catch {
    return silent;
  }
}

// Shows the reply in a box and restores the focus.
function put(box, answer) {
  const focused = box.contains(document.activeElement) ? document.activeElement : null;
  const again = focused?.dataset.focus;
  const caret = focused?.matches("input") ? focused.selectionStart : null;
  if (answer.problem !== undefined) {
    const text = document.createElement("p");
    text.className = "problem";
    text.setAttribute("role", "alert");
    text.textContent = answer.problem;
    box.replaceChildren(text);
  } else {
    box.innerHTML = answer.html;
  }
  const target = again && box.querySelector(`[data-focus="${again}"]`);
  if (target) {
    (target.disabled ? target.closest("nav").querySelector("button:not([disabled])") : target)?.focus({ preventScroll: true });
    if (caret !== null) target.setSelectionRange(caret, caret);
  }
  box.removeAttribute("aria-busy");
  fold(box);
}

// Folds long texts once they are visible, because only then do they have a height.
function fold(within) {
  for (const text of all(".clip:not([data-seen])", within)) {
    if (!text.offsetParent) continue;
    text.dataset.seen = "";
    if (text.scrollHeight < 300) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet unfold";
    const set = (folded) => {
      text.classList.toggle("folded", folded);
      text.inert = folded && text.querySelector("button") !== null;  // nothing hidden can be reached by keyboard
      button.textContent = folded ? "Show all" : "Show less";
      button.setAttribute("aria-expanded", String(!folded));
    };
    button.addEventListener("click", () => set(!text.classList.contains("folded")));
    set(true);
    text.after(button);
  }
}

function status() {
  const box = element.querySelector("[data-status]");
  if (box) box.textContent = element.querySelector("[data-list] [data-shown]")?.dataset.shown ?? "";
  const chosen = field("where")?.value;
  all("[data-map] thead th:not(.what)", element).forEach((head, at) => head.classList.toggle("chosen", chosen === String(at)));
}

// The query of an address that shows the list as it stands, with an open finding if one is given.
function queryWith(finding) {
  const query = new URLSearchParams(location.search);
  for (const name of Object.keys(FIELDS)) {
    const input = field(name);
    const value = input?.value && BY_LABEL.includes(name) ? input.selectedOptions[0].textContent : input?.value;
    if (value) query.set(name, value);
    else query.delete(name);
  }
  if (finding) query.set("finding", finding);
  else query.delete("finding");
  return String(query).replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%40", "@");
}

function remember(finding, { replace = false } = {}) {
  document.dispatchEvent(new CustomEvent("diffing-state", { detail: { query: queryWith(finding), replace } }));
}

// Shows what an address asks for: filters, and an open finding.
async function restore(query, tries = 60) {
  if (!element.isConnected) return;
  if (!filtersForm()) return void (tries > 0 && setTimeout(() => restore(query, tries - 1), 60));
  const asked = new URLSearchParams(query);
  let changed = false;
  for (const name of Object.keys(FIELDS)) {
    const input = field(name);
    if (!input) continue;
    const wanted = asked.get(name) ?? "";
    const options = all("option", input);
    const option = options.find((each) => wanted && (BY_LABEL.includes(name) ? each.textContent : each.value) === wanted);
    const value = options.length ? (option?.value ?? "") : wanted;
    changed ||= input.value !== value;
    input.value = value;
  }
  if (changed) await list();
  const id = asked.get("finding");
  for (const row of all("details.row[open]", element)) if (row.dataset.id !== id) row.open = false;
  if (id && !all("details.row[open]", element).some((row) => row.dataset.id === id)) await openFinding(id);
}

async function openFinding(id) {
  let row = all("details.row", element).find((each) => each.dataset.id === id);
  let number = row?.dataset.finding;
  if (!row) {
    const answer = await ask("findings", { finding: id });
    if (answer.problem !== undefined) {
      const box = element.querySelector("[data-status]");
      if (box) box.textContent = answer.problem;
      filtersForm().hidden = false;
      return;
    }
    filtersForm().reset();
    put(element.querySelector("[data-list]"), answer);
    status();
    number = answer.number;
  }
  show(`#f${number}`);
}

async function copyLink(button) {
  const url = new URL(location.href);
  url.search = queryWith(button.dataset.link);
  url.hash = "";
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(url.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = url.href;  // without permission to copy, it can be selected
    return;
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

async function list(more = {}) {
  const box = element.querySelector("[data-list]");
  if (!box) return;
  const mine = ++latest;
  box.setAttribute("aria-busy", "true");
  const filters = Object.fromEntries(new FormData(element.querySelector("[data-filters]")));
  const answer = await ask("findings", { ...filters, ...more });
  if (mine !== latest) return;  // somebody typed on
  put(box, answer);
  status();
}

// Fetches one page of one part of the list, with the filters of the whole list.
async function part(box, more = {}) {
  const mine = (box.asked = (box.asked ?? 0) + 1);
  box.setAttribute("aria-busy", "true");
  const filters = Object.fromEntries(new FormData(element.querySelector("[data-filters]")));
  const answer = await ask("findings", { ...filters, block: box.dataset.part, ...more });
  if (mine === box.asked) put(box, answer);
}

async function evidence(details, more = {}) {
  const box = details.querySelector("[data-evidence]");  // its own comes before those of further findings in it
  const form = box.querySelector("[data-pairs]");
  const mine = (details.asked = (details.asked ?? 0) + 1);
  box.setAttribute("aria-busy", "true");
  // a place that is no kind of prompt has a larger index than all kinds, and counts as none
  const filters = form ? Object.fromEntries(new FormData(form)) : { kind: field("where")?.value ?? "" };
  const view = box.querySelector(".pair")?.dataset.view;
  const group = form?.querySelector("[aria-pressed=true]")?.dataset.group;
  const answer = await ask("evidence", { number: Number(details.dataset.finding), ...(group && { group }), ...filters, ...more });
  if (mine !== details.asked) return;
  put(box, answer);
  details.dataset.loaded = "";
  if (view) box.querySelector(`.pair [role=tab][data-view="${view}"]`)?.click();
}

function opened(details) {
  if (details.open && details.matches("[data-fold]:not([data-loaded])")) {
    details.dataset.loaded = "";
    part(details.querySelector("[data-part]"));
  }
  if (details.open && details.dataset.finding && details.dataset.loaded === undefined) evidence(details);
  if (!details.matches(".row[data-id]")) return;
  const { id } = details.dataset;
  if (details.open && !openedByScript.delete(details)) remember(id);
  else if (!details.open && new URLSearchParams(location.search).get("finding") === id) remember("");
}

function openByScript(details) {
  if (details.open) return;
  openedByScript.add(details);
  details.open = true;
}

const tabs = () => element.closest(".diffing-tabs");
// Gradio renders several buttons per tab (row, overflow menu, and one for measuring); clicks all with this name.
const choose = (name) => {
  for (const button of all("button", tabs())) if (button.textContent.trim() === name) button.click();
};

async function goTo(number) {
  choose("Findings");
  if (!element.querySelector(`#f${number}`)) {
    element.querySelector("[data-filters]")?.reset();
    await list({ number });
  }
  show(`#f${number}`);
  const row = element.querySelector(`#f${number} > details.row`);
  if (row) remember(row.dataset.id);
}

// A cell of the map leads to its line, among those that show on its kind of prompt.
async function goToCell(number, where) {
  field("where").value = where;
  await list();
  await goTo(number);
}

function goToFeature(index) {
  choose("Features");
  show(`#feature-${index}`);
}

// A tab takes a moment to appear, and the features tab to be filled.
function show(selector, tries = 80) {
  const target = tabs().querySelector(selector);
  if (!target?.closest(".diffing").offsetParent) {
    if (tries > 0) setTimeout(() => show(selector, tries - 1), 60);
    return;
  }
  for (let around = target.parentElement; around && around !== element; around = around.parentElement) {
    if (around.matches("details")) openByScript(around);
  }
  const details = target.querySelector("details");
  if (details) {
    openByScript(details);
    opened(details);
  }
  target.scrollIntoView({ block: "start" });
  details?.querySelector("summary").focus({ preventScroll: true });
}

async function showMore(button) {
  const { place, of, at, end } = button.dataset;
  button.disabled = true;
  const answer = await ask("text", { place, of, at, end });
  button.disabled = false;
  if (answer.problem !== undefined) {
    button.textContent = answer.problem;
    return;
  }
  button.before(document.createTextNode(answer.text));
  button.dataset.at = String(Number(end) - answer.left);
  if (answer.left > 0) button.textContent = `Show ${answer.left.toLocaleString("en")}\u00a0more characters`;
  else button.remove();
}

// Scrolls to the top of a new page, but keeps the focus visible for keyboard users.
function begin(box) {
  box.scrollIntoView({ block: "start" });
  if (document.activeElement.matches(":focus-visible")) document.activeElement.scrollIntoView({ block: "nearest" });
}

element.addEventListener("toggle", (event) => opened(event.target), true);
element.addEventListener("submit", (event) => event.preventDefault());
let wait;
element.addEventListener("input", (event) => {
  const form = event.target.closest("form");
  if (!form) return;
  const details = form.matches("[data-pairs]") ? form.closest("details") : null;
  clearTimeout(wait);
  const typed = event.target.type === "search";
  wait = setTimeout(() => (details ? evidence(details) : list().then(() => remember("", { replace: typed }))), typed ? 220 : 0);
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.matches(".more-text")) showMore(button);
  else if (button.matches("[data-group]")) evidence(button.closest("details"), { group: button.dataset.group });
  else if (button.matches("[data-clear]")) {
    filtersForm().reset();
    list().then(() => remember(""));
  } else if (button.matches("[data-link]")) copyLink(button);
  else if (button.matches("[data-page]")) {
    const details = button.closest("[data-evidence]")?.closest("details[data-finding]");
    const page = Number(button.dataset.page);
    if (details) evidence(details, { page });
    else {
      const box = button.closest("[data-part]");
      part(box, { page }).then(() => begin(box));
    }
  }
});
document.addEventListener("click", (event) => {
  if (!element.isConnected) return;
  const link = event.target.closest?.(".diffing a[href]");
  if (!link) return;
  const [, feature, number] = /^#f(eature-)?(\d+)$/.exec(link.getAttribute("href")) ?? [];
  if (number !== undefined) {
    event.preventDefault();
    if (feature) goToFeature(number);
    else if (link.dataset.where !== undefined && field("where")) goToCell(number, link.dataset.where);
    else goTo(number);
  } else if (link.protocol === "https:") {
    link.target = "_blank";  // a Space is a frame within the Hub's page
  }
});
for (const name of ["diffing-arrived", "diffing-returned"]) document.addEventListener(name, ({ detail }) => restore(detail));
watch("value", status);
restore(location.search.slice(1));  // this may come to be after the address was announced
status();
