// Filters the findings, fetches evidence when it is opened, and extends long texts.
// Only HTML from the server's templates is inserted as markup; long texts written by models are inserted as text.
const all = (selector, within) => [...within.querySelectorAll(selector)];
const key = () => element.querySelector("[data-key]")?.dataset.key ?? "";
let latest = 0;

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
  const domain = element.querySelector("[data-filters] [name=domain]")?.value ?? "";
  const filters = form ? Object.fromEntries(new FormData(form)) : { domain };
  const group = form?.querySelector("[aria-pressed=true]")?.dataset.group;
  const answer = await ask("evidence", { number: Number(details.dataset.finding), ...(group && { group }), ...filters, ...more });
  if (mine !== details.asked) return;
  put(box, answer);
  details.dataset.loaded = "";
}

function opened(details) {
  if (details.open && details.matches("[data-fold]:not([data-loaded])")) {
    details.dataset.loaded = "";
    part(details.querySelector("[data-part]"));
  }
  if (details.open && details.dataset.finding && details.dataset.loaded === undefined) evidence(details);
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
    if (around.matches("details")) around.open = true;
  }
  const details = target.querySelector("details");
  if (details) {
    details.open = true;
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
  wait = setTimeout(() => (details ? evidence(details) : list()), event.target.type === "search" ? 220 : 0);
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.matches(".more-text")) showMore(button);
  else if (button.matches("[data-group]")) evidence(button.closest("details"), { group: button.dataset.group });
  else if (button.matches("[data-clear]")) {
    element.querySelector("[data-filters]").reset();
    list();
  } else if (button.matches("[data-page]")) {
    const details = button.closest("[data-evidence]")?.closest("details[data-finding]");
    const page = Number(button.dataset.page);
    if (details) evidence(details, { page }).then(() => begin(details));
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
    else goTo(number);
  } else if (link.protocol === "https:") {
    link.target = "_blank";  // a Space is a frame within the Hub's page
  }
});
watch("value", status);
status();
