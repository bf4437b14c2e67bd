// The form. Hidden fields are not sent; run options and the estimate are requested as it changes, and late replies are dropped.
// Only HTML from the server's templates is inserted as markup.
const form = () => element.querySelector("[data-form]");
const field = (name) => form().elements.namedItem(name);
const part = (selector) => element.querySelector(selector);
const wanted = new Map(); // where each side is to run, as chosen
const about = new Map(); // the newest question about each name

const LONGEST = 90_000; // milliseconds: a dataset's first prompts may take a while
async function ask(question) {
  const silent = { problem: "The server did not answer. Try again, or reload the page." };
  const late = new Promise((resolve) => setTimeout(resolve, LONGEST, silent));
  try {
    return (await Promise.race([server.ask(question), late])) ?? silent;
  } catch {
    return silent;
  }
}

// Shows the fields that belong to the current choices; hidden ones are disabled, so that they are not sent.
function fit() {
  for (const box of element.querySelectorAll("[data-when]")) {
    const data = new FormData(form());
    const met = box.dataset.when.split(",").every((each) => {
      const [name, value] = each.split("=");
      return data.getAll(name).includes(value);
    });
    box.hidden = !met;
    for (const inner of box.querySelectorAll("input, select, textarea")) {
      inner.disabled = [...parents(inner)].some((each) => each.dataset?.when !== undefined && each.hidden);
    }
  }
}
function* parents(node) {
  for (let at = node.parentElement; at && at !== element; at = at.parentElement) yield at;
}

function values() {
  const data = new FormData(form());
  const sent = Object.fromEntries(data);
  sent.method = data.getAll("method");
  sent.domain = data.getAll("domain");
  const [train, heldout] = sent.size === "own" ? [sent.train, sent.heldout] : sent.size.split("+");
  if (sent.reader_preset !== undefined && sent.reader_preset !== "own") sent.reader = sent.reader_preset;
  for (const side of ["a", "b"]) sent[`where_${side}`] ??= wanted.get(side) ?? "here";
  return { ...sent, train, heldout };
}

// After a model is named: reads a link, looks up where the model can run, and its base model.
async function settled(side) {
  const places = part(`[data-places=${side}]`);
  const name = fullName(side);
  if (about.get(side) === name) return;
  about.set(side, name);
  right(side);
  if (LINK.test(name)) {
    places.replaceChildren();
    return readLink(side, name);
  }
  published();
  if (side === "a") base(name);
  if (links.get(name)) told(side, links.get(name));
  if (!name) {
    places.replaceChildren();
    changed(0);
    return;
  }
  places.setAttribute("aria-busy", "true");
  if (!places.firstChild) places.append(line("Looking where it can run …"));
  const answer = await ask({ about: "model", name, side, where: wanted.get(side) });
  if (about.get(side) !== name) return;
  places.removeAttribute("aria-busy");
  places.innerHTML = answer.html ?? "";
  if (answer.problem !== undefined) wrong(side, bad(answer.problem).outerHTML);
  if (answer.wrong) wrong(side, answer.wrong);
  changed(0);
}

const LINK = /^(https?:\/\/|(www\.)?(huggingface\.co|hf\.co)(\/|$))/i;
const links = new Map(); // what to say of each name that was read from a link
async function readLink(side, text) {
  const input = field(`model_${side}`);
  const answer = await ask({ about: "link", name: input.value });
  if (!input.isConnected || fullName(side) !== text) return; // something else was typed meanwhile
  if (answer.name === undefined) {
    wrong(side, bad(answer.problem).outerHTML);
    changed(0);
    return;
  }
  links.set(answer.name, answer.told);
  input.value = answer.name;
  field(`revision_${side}`).value = "";
  settled(side);
}

// What is wrong with a model's name stands under its field, until the name is changed.
function wrong(side, html) {
  part(`[data-told=${side}]`).innerHTML = html;
  field(`model_${side}`).setAttribute("aria-invalid", "true");
}
function right(side) {
  part(`[data-told=${side}]`).replaceChildren();
  field(`model_${side}`).removeAttribute("aria-invalid");
}
function bad(text) {
  const paragraph = line(text);
  paragraph.className = "bad";
  return paragraph;
}
function take(button) {
  const side = button.closest("[data-told]").dataset.told;
  field(`model_${side}`).value = button.dataset.take;
  field(`model_${side}`).focus();
  settled(side);
}

// Both fields name the same model: B answers with other random samples.
function compareWithItself(button) {
  field("sample_b").value = "1";
  if (!(Number(field("temperature").value) > 0)) field("temperature").value = button.dataset.itself;
  part("[data-begin]").focus();
  changed(0);
}
function fullName(side) {
  const [name, revision] = [field(`model_${side}`).value.trim(), field(`revision_${side}`).value.trim()];
  return name && revision && !name.includes("@") ? `${name}@${revision}` : name;
}
function line(text) {
  const paragraph = document.createElement("p");
  paragraph.className = "range";
  paragraph.textContent = text;
  return paragraph;
}
function told(side, text) {
  part(`[data-told=${side}]`).replaceChildren(line(text));
}

// Shows finished diffs of the same two models as soon as both are named.
async function published() {
  const box = part("[data-published]");
  const names = ["a", "b"].map(fullName);
  const key = names.every(Boolean) ? JSON.stringify(names) : "";
  if (about.get("published") === key) return;
  about.set("published", key);
  box.replaceChildren();
  if (!key) return;
  const answer = await ask({ about: "published", form: values() });
  if (about.get("published") === key && answer.html) box.innerHTML = answer.html;
}

// Proposes the base model of A for an empty B, accepted by its button or by Enter in the empty field.
let proposed = null;
async function base(name) {
  proposed = null;
  showProposal();
  const answer = name ? await ask({ about: "base", name }) : {};
  if (about.get("a") !== name || !answer.base) return;
  if (answer.model !== name && !field("revision_a").value) {
    field("model_a").value = answer.model;
    settled("a");
    told("a", "An adapter: it is loaded on its base model.");
  }
  proposed = answer;
  showProposal();
}
function showProposal() {
  const box = part("[data-told=b]");
  if (proposed && !field("model_b").value.trim()) {
    box.innerHTML = proposed.html;
    field("model_b").placeholder = proposed.base;
  } else {
    if (box.querySelector("[data-accept]")) box.replaceChildren();
    field("model_b").placeholder = "org/name";
  }
}
function accept() {
  field("model_b").value = proposed.base;
  field("model_b").focus();
  showProposal();
  settled("b");
}

function swap() {
  for (const name of ["model", "revision", "system_prompt", "columns"]) {
    const [a, b] = [field(`${name}_a`), field(`${name}_b`)];
    [a.value, b.value] = [b.value, a.value];
  }
  forget();
  const [a, b] = ["a", "b"].map((side) => form().elements.namedItem(`where_${side}`)?.value || wanted.get(side));
  wanted.set("a", b).set("b", a);
  const [one, other] = ["a", "b"].map((side) => part(`[data-more=${side}]`));
  [one.open, other.open] = [other.open, one.open];
  about.clear();
  settled("a");
  settled("b");
}

async function place(role) {
  const box = part(`[data-place=${role}]`);
  const chosen = field("reader_preset")?.value;
  const used = new FormData(form()).getAll("method").includes(role === "llm" ? "llm" : "sae");
  const name = !used ? "" : role === "llm" ? field("llm").value.trim() : chosen === "own" ? field("reader").value.trim() : chosen;
  if (about.get(role) === name) return;
  about.set(role, name);
  if (!name) {
    box.replaceChildren();
    return;
  }
  box.setAttribute("aria-busy", "true");
  const answer = await ask({ about: role, name });
  if (about.get(role) !== name) return;
  box.removeAttribute("aria-busy");
  if (answer.problem !== undefined) box.textContent = answer.problem;
  else box.innerHTML = answer.html;
}

function filled() {
  if (!form()) return;
  restore(form().dataset.named === undefined ? [] : ["model", "revision", "system_prompt"].flatMap((name) => [`${name}_a`, `${name}_b`]));
  anew();
}
function anew() {
  wanted.clear();
  about.clear();
  proposed = null;
  fit();
  for (const side of ["a", "b"]) settled(side);
  for (const role of ["llm", "reader"]) place(role);
}

const PAUSE = 900;
let pause;
element.addEventListener("input", (event) => {
  const { target } = event;
  if (target.type === "file") return;
  if (target.getAttribute("role") === "combobox") {
    typed(target);
    showProposal();
    clearTimeout(pause);
    pause = setTimeout(() => target.isConnected && done(target), event.inputType === "insertFromPaste" ? 0 : PAUSE);
    keep();
    return;
  }
  if (/^where_[ab]$/.test(target.name)) wanted.set(target.name.at(-1), target.value);
  if (isChoice(target) || target.matches("select")) {
    fit();
    for (const role of ["llm", "reader"]) place(role);
    changed(0);
  } else if (!/^(prompts|reader|sae|revision_[ab])$/.test(target.name)) changed();
  else keep();
});
// Looks up a model once the visitor has finished typing its name.
function done(target) {
  clearTimeout(pause);
  const side = /^(?:model|revision)_([ab])$/.exec(target.name)?.[1];
  if (side) settled(side);
  else if (target.name === "llm" || target.name === "reader") place(target.name);
  if (!side) changed(0);
}
element.addEventListener("settled", (event) => done(event.target));
element.addEventListener("change", (event) => {
  if (event.target.dataset.file) {
    upload(event.target.dataset.file, [...event.target.files]);
    event.target.value = ""; // the same file can be chosen again
    return;
  }
  if (!isChoice(event.target) && !event.target.matches("select")) done(event.target);
});
element.addEventListener("keydown", (event) => {
  if (event.target.getAttribute("role") !== "combobox") return;
  if (event.key === "Enter" && event.target.name === "model_b" && proposed && !event.target.value.trim()) {
    event.preventDefault();
    accept();
    return;
  }
  pressed(event.target, event);
});
element.addEventListener("focusout", (event) => {
  if (event.target.getAttribute("role") === "combobox") close(event.target);
});
// The list never takes the focus: the field keeps it, and a phone keeps its keyboard open.
element.addEventListener("pointerdown", (event) => {
  if (event.target.closest("[role=listbox]")) event.preventDefault();
});
element.addEventListener("mousedown", (event) => {
  if (event.target.closest("[role=listbox]")) event.preventDefault();
});
element.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (option) choose(option.closest(".combo").querySelector("input"), option.dataset.name);
  else if (event.target.closest("[data-begin]")) begin();
  else if (event.target.closest("[data-swap]")) swap();
  else if (event.target.closest("[data-clear]")) {
    form().reset();
    for (const side of ["a", "b"]) field(`model_${side}`).value = "";
    forget();
    anew();
    field("model_a").focus();
  }
  else if (event.target.closest("[data-accept]")) accept();
  else if (event.target.closest("[data-take]")) take(event.target.closest("[data-take]"));
  else if (event.target.closest("[data-itself]")) compareWithItself(event.target.closest("[data-itself]"));
  else if (event.target.closest("[data-sign-in]")) {
    const login = document.querySelector(".site-login");
    if (login) {
      event.preventDefault();
      login.click();
    }
  }
});
element.addEventListener("submit", (event) => event.preventDefault()); // a key never starts what may cost money
watch("value", filled);
filled();
