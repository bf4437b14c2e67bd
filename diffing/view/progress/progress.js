// Shows the progress of a run, polls it every second, and goes to the result in the end. Sends only the run's id.
// Only HTML from the server's templates is inserted as markup.
const EVERY = 1000;
const HIDDEN = 15000;  // nobody looks: now and then, for the tab's title
const plain = "diffing";
const one = (selector) => element.querySelector(selector);
const run = () => one("[data-run]")?.dataset.run ?? "";
let timer;
let turn = 0;  // of the loop that asks: an older one ends
let app;  // changes when the app was started anew
let last = {};
let lends = "";  // the run to which this tab lends, where the browser keeps nothing

async function appId() {
  try {
    const answer = await fetch(new URL("gradio_api/app_id", document.baseURI), { signal: AbortSignal.timeout(5000) });
    return answer.ok ? (await answer.json()).app_id : undefined;
  } catch {
    return undefined;
  }
}

// Updates a region if it has changed, and restores the focus, open lists and the bar's width.
function put(name, html) {
  const box = one(`[data-region="${name}"]`);
  if (!box || last[name] === html || (name === "answers" && held())) return;
  last[name] = html;
  const act = box.contains(document.activeElement) ? document.activeElement.dataset.act : undefined;
  const open = [...box.querySelectorAll("details[open]")].map((each) => each.dataset.keep);
  const width = box.querySelector("[role=progressbar] i")?.style.width;
  const step = box.querySelectorAll("li.done").length;
  box.innerHTML = html;
  for (const keep of open) box.querySelector(`details[data-keep="${keep}"]`)?.setAttribute("open", "");
  const bar = box.querySelector("[role=progressbar] i");
  if (bar && width && step === box.querySelectorAll("li.done").length) {
    const to = bar.style.width;
    bar.style.width = width;
    bar.getBoundingClientRect();
    bar.style.width = to;
  }
  if (act) (box.querySelector(`[data-act="${act}"]`) ?? box.querySelector("button"))?.focus({ preventScroll: true });
}

// Whether the visitor reads the answers and has asked that they are not replaced meanwhile.
const held = () => one("[data-act=hold]")?.getAttribute("aria-pressed") === "true";

function shown(answer) {
  for (const [name, html] of Object.entries(answer.regions)) put(name, html);
  const said = one("[data-said]");
  if (said && said.textContent !== answer.said) said.textContent = answer.said;
  document.title = answer.tab;
  if (answer.lend) document.dispatchEvent(new CustomEvent("diffing-lend", { detail: run() }));
}

function go(query) {
  stop();
  document.title = document.hidden ? `Done – ${plain}` : plain;
  document.dispatchEvent(new CustomEvent("diffing-go", { detail: query }));
  const mine = turn;
  timer = setTimeout(() => mine === turn && run() && look(mine), 5 * EVERY);  // nobody led on
}

function lost(is) {
  const line = one("[data-lost]");
  if (line && line.hidden === is) line.hidden = !is;
}

// Lends the visitor's GPU to a run that was started in this tab, and to other runs only if the visitor agrees.
function mayLend() {
  try {
    return lends === run() || sessionStorage.getItem(`diffing-lends ${run()}`) === "yes";
  } catch {
    return lends === run();
  }
}
function lend() {
  lends = run();
  try {
    sessionStorage.setItem(`diffing-lends ${run()}`, "yes");
  } catch {
    // remembered as long as this page is open
  }
}

// Sends one question; undefined if the server did not answer.
async function ask(act) {
  try {
    return await server.of_run({ run: run(), act, lends: mayLend() });
  } catch {
    return undefined;
  }
}

async function look(mine) {
  const answer = await ask("look");
  if (mine !== turn) return;
  if (answer === undefined || answer === null) {
    lost(true);
    const now = await appId();
    if (mine !== turn) return;
    // a restarted app under the same address: this page's connection to the old one is invalid
    if (now !== undefined && now !== app) return location.reload();
  } else {
    lost(false);
    if (answer.go !== undefined) return go(answer.go);
    if (answer.regions) shown(answer);
  }
  timer = setTimeout(() => look(mine), document.hidden ? HIDDEN : EVERY);
}

function stop() {
  turn += 1;
  clearTimeout(timer);
}

async function begin() {
  stop();
  last = {};
  const mine = turn;
  if (!run()) {
    if (document.title.endsWith(` – ${plain}`) && !document.title.startsWith("Done")) document.title = plain;
    return;
  }
  const base = one("[data-base]").dataset.base || location.origin + location.pathname;
  one("[data-link]").value = `${base}?run=${run()}`;
  app ??= await appId();
  if (mine === turn) look(mine);
}

async function act(button) {
  const what = button.dataset.act;
  if (what === "copy") return copy(button);
  if (what === "hold") return button.setAttribute("aria-pressed", String(!held()));
  if (what === "lend") lend();
  if (button.dataset.sure && !button.dataset.asked) return sure(button);
  const mine = (stop(), turn);
  button.disabled = true;
  const answer = await ask(what);
  if (mine !== turn) return;
  button.disabled = false;
  if (answer?.go !== undefined) return go(answer.go);
  if (answer?.regions) {
    shown(answer);
    if (!element.contains(document.activeElement)) one("[data-act]")?.focus({ preventScroll: true });
  } else {
    const line = one("[data-problem]");
    line.textContent = answer?.problem ?? "The server did not answer. Try again.";
    line.hidden = false;
  }
  timer = setTimeout(() => look(mine), EVERY);
}

// Actions that cannot be undone need a second click.
function sure(button) {
  const text = button.textContent;
  button.textContent = button.dataset.sure;
  button.dataset.asked = "";
  button.addEventListener("blur", () => {
    button.textContent = text;
    delete button.dataset.asked;
  }, { once: true });
}

async function copy(button) {
  const link = one("[data-link]");
  try {
    await navigator.clipboard.writeText(link.value);
  } catch {
    link.select();  // a frame may not write to the clipboard by itself
    document.execCommand("copy");
  }
  const text = button.textContent;
  if (text === "Copied") return;
  button.textContent = "Copied";
  one("[data-said]").textContent = "The link was copied.";
  setTimeout(() => (button.textContent = text), 2000);
}

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) act(button);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden || !element.isConnected) return;
  document.title = document.title.replace(/^Done – /, "");
  if (!run()) return;
  const mine = (stop(), turn);
  look(mine);
});
watch("value", begin);
begin();
