// Opens the sheet with one panel at a time, sends its forms, and shows the replies. Only HTML from the server's templates is inserted as markup.
const HERE = "https://here.invalid/";  // in texts of the server, which does not know its address
const PLACES = ["run", "diff", "example", "embed", "a", "b", "gallery"];
const root = () => element.querySelector("[data-share]");
const panel = () => element.querySelector("#share-panel");
const here = () => new URL(location.pathname, location.origin).href;
let latest = 0;

async function ask(about, more = {}) {
  const { key, diff, dataset } = root().dataset;
  let answer;
  try {
    answer = await server.ask({ key, diff, dataset, about, ...more });
  } catch {
    // said below
  }
  return answer ?? { problem: "The server did not answer. Try again, or reload the page." };
}

function say(kind, text) {
  const box = panel().querySelector(`:scope > [data-${kind}]`);
  if (box) box.textContent = text;
}

// The finding and the filters that the page shows, as its address names them.
function shown() {
  const named = [...new URLSearchParams(location.search)].filter(([name]) => !PLACES.includes(name) && !name.startsWith("__"));
  return { finding: named.find(([name]) => name === "finding")?.[1], filters: named.filter(([name]) => name !== "finding") };
}

// Fills in what only the browser knows: this app's address, the open finding, the filters.
function fill(place) {
  const { finding, filters } = shown();
  const keep = place.querySelector("[data-keep]");
  for (const field of place.querySelectorAll("[data-address]")) {
    field.dataset.given ??= field.value;
    let text = field.dataset.given.replaceAll(HERE, here());
    if (text.startsWith("?")) text = here() + text;
    const more = new URLSearchParams(field.dataset.kind === "finding" ? { finding } : []);
    if (keep?.checked && ["published", "here"].includes(field.dataset.kind)) for (const each of filters) more.append(...each);
    field.value = more.size ? `${text}&${more}` : text;
    if (finding) field.value = field.value.replace("?embed=1&amp;", () => `?embed=1&amp;finding=${encodeURIComponent(finding)}&amp;`);
  }
  place.querySelector("[data-this-finding]")?.toggleAttribute("hidden", !finding);
  place.querySelector("[data-filtered]")?.toggleAttribute("hidden", !filters.length);
}

// Inserts HTML from the server into an element, and moves the focus to its heading.
function put(place, html) {
  place.innerHTML = html;
  fill(place);
  for (const link of place.querySelectorAll("[data-login]")) {
    if (parent !== window) link.target = "_blank";  // the Hub's page of signing in is not shown in a frame
  }
  const title = place.querySelector("[data-title]");
  title?.focus({ preventScroll: true });
  title?.scrollIntoView({ block: "nearest" });
}

function closed() {
  latest += 1;
  root().removeAttribute("aria-busy");
  panel().replaceChildren();
}

async function open(about) {
  const mine = ++latest;
  root().setAttribute("aria-busy", "true");
  const answer = await ask(about);
  if (mine !== latest) return;
  root().removeAttribute("aria-busy");
  panel().dataset.about = about;
  panel().scrollTop = 0;
  if (!panel().open) panel().showModal();
  if (answer.panel !== undefined) put(panel(), answer.panel);
  else {
    panel().innerHTML = '<p class="problem" role="alert" data-problem></p><p><button type="button" class="quiet" data-close>Close</button></p>';
    say("problem", answer.problem);
    panel().querySelector("[data-close]").focus({ preventScroll: true });
  }
}

// Runs an action that takes a moment: disables the buttons meanwhile, and announces the outcome.
async function doing(text, about, more) {
  const mine = latest;
  const buttons = [...panel().querySelectorAll("button:not([data-close])")];
  const focused = document.activeElement;
  for (const button of buttons) button.disabled = true;
  say("problem", "");
  say("status", text);
  panel().setAttribute("aria-busy", "true");
  const answer = await ask(about, more);
  if (answer.dataset !== undefined) root().dataset.dataset = answer.dataset;
  if (mine !== latest) return {};
  panel().removeAttribute("aria-busy");
  for (const button of buttons) button.disabled = false;
  say("status", "");
  say("problem", answer.problem ?? "");
  if (answer.panel !== undefined) put(panel(), answer.panel);
  else if (answer.result !== undefined) put(panel().querySelector("[data-result]"), answer.result);
  else if (panel().contains(focused)) focused.focus({ preventScroll: true });
  return answer;
}

async function download(button) {
  const answer = await doing("Making the file…", "file", { format: button.dataset.format });
  if (answer.file === undefined) return;
  const link = document.createElement("a");
  const signed = new URLSearchParams(location.search).get("__sign");  // of a private Space
  link.href = `gradio_api/file=${answer.file.split("/").map(encodeURIComponent).join("/")}`;
  if (signed) link.search = new URLSearchParams({ __sign: signed });
  link.download = answer.name;
  link.click();
  say("status", `${answer.name} is on its way.`);
}

async function copy(button, field) {
  const hidden = field.hidden;
  field.hidden = false;
  field.select();
  let copied = true;
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    copied = document.execCommand("copy");
  }
  field.hidden = hidden;
  button.focus({ preventScroll: true });
  say("status", copied ? "Copied." : "The browser does not let this page copy: select it and press Ctrl+C.");
}

function write(button) {
  const { model, link, agreed } = button.closest("[data-agreed]").dataset;
  doing(button.dataset.doing, "write", { mode: button.dataset.write, model, link, agreed });
}

element.addEventListener("click", (event) => {
  if (event.target === panel()) panel().close();  // beside the sheet
  const button = event.target.closest("button");
  if (!button) return;
  const { panel: about, format, write: mode } = button.dataset;
  if (about) open(about);
  else if (format) download(button);
  else if (mode) write(button);
  else if (button.matches("[data-copy]")) copy(button, button.closest(".address").querySelector("[data-address]"));
  else if (button.matches("[data-copy-section]")) copy(button, panel().querySelector("[data-section]"));
  else if (button.matches("[data-close]")) panel().close();
  else if (button.matches("[data-again]")) open(panel().dataset.about);
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  doing(form.dataset.doing, form.dataset.ask, Object.fromEntries(new FormData(form)));
});
// A preview belongs to the options chosen for it, and is removed when they change.
element.addEventListener("change", (event) => {
  if (event.target.closest("[data-ask=preview]")) panel().querySelector("[data-result]").replaceChildren();
  if (event.target.matches("[data-keep]")) fill(panel());
});
element.addEventListener("close", closed, true);
// What the picture's address refuses, it refuses to everybody else too.
element.addEventListener("error", (event) => {
  if (!event.target.matches(".picture")) return;
  for (const part of panel().querySelectorAll("[data-seen]")) part.hidden = true;
  panel().querySelector("[data-unseen]").hidden = false;
}, true);
