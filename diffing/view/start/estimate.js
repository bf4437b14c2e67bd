// The estimate of the run, and its start button.
// Only one estimate is requested at a time; after that, only the latest state of the form.
let timer, asking = false, again = false;
let cost = "", blamed = ""; // of the estimate on the page, and the field in which its problem can be solved
let current = Promise.resolve(), arrived = () => {}; // settles when the estimate is that of the form
function changed(wait = 250) {
  if (!form()) return; // another part of the page is shown by now
  keep();
  arrived();
  current = new Promise((resolve) => (arrived = resolve));
  clearTimeout(timer);
  part("[data-problem]").hidden = true;
  timer = setTimeout(estimate, wait);
}
async function estimate() {
  if (!form()) return;
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  const box = part("[data-before]");
  part("[data-estimate]").setAttribute("aria-busy", "true");
  const slow = setTimeout(() => box.isConnected && waits(), 600);
  const answer = await ask({ about: "estimate", form: values() });
  clearTimeout(slow);
  asking = false;
  if (again) {
    again = false;
    estimate();
    return;
  }
  if (!box.isConnected) return;
  part("[data-estimate]").removeAttribute("aria-busy");
  box.innerHTML = answer.html ?? "";
  part("[data-estimate]").innerHTML = answer.stages ?? "";
  const ready = answer.ready === true;
  const text = answer.problem ?? answer.first;
  say(text.replace(/([^.?!])$/, "$1."), answer.where ?? "", !ready);
  can(part("[data-begin]"), ready);
  cost = ready ? text.split(", ")[0] : "";
  blame(answer.field ?? "", ready ? "" : text);
  arrived();
}

function say(text, where, lacks) {
  part("[data-said]").textContent = text;
  part("[data-where]").textContent = where;
  part(".takes").classList.toggle("lacks", lacks);
}
// Marks the displayed estimate as out of date.
function waits() {
  say("Estimating …", "", true);
  can(part("[data-begin]"), false);
}

// Shows a problem also under the field that causes it, unless that is still empty. Names of models have lines of their own.
function blame(name, text) {
  blamed = name;
  for (const old of element.querySelectorAll("[data-blamed]")) {
    const input = old.parentElement.querySelector("[aria-invalid]");
    input?.removeAttribute("aria-invalid");
    input?.setAttribute("aria-describedby", input.getAttribute("aria-describedby").replace(" start-blamed", ""));
    old.remove();
  }
  const input = blamedField();
  const box = input?.closest(".field");
  if (!box || !text || !input.value.trim()) return;
  const under = line(text);
  under.className = "bad";
  under.id = "start-blamed";
  under.dataset.blamed = "";
  box.append(under);
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") ?? ""} start-blamed`);
}
function blamedField() {
  if (!blamed) return null;
  const within = blamed.includes("=") ? `[data-when="${CSS.escape(blamed)}"] :is(input, select)` : `[name="${CSS.escape(blamed)}"]`;
  return element.querySelector(within);
}
function goToBlamed() {
  const input = blamedField();
  for (const each of input ? parents(input) : []) if (each.tagName === "DETAILS") each.open = true;
  input?.focus();
}

// The button stays in reach of the keyboard, and says what is missing when it is pressed.
function can(button, ready) {
  button.setAttribute("aria-disabled", String(!ready));
}
const cannot = (button) => button.getAttribute("aria-disabled") === "true";

async function begin() {
  const button = part("[data-begin]");
  if (cannot(button)) {
    await current;
    if (!cannot(button)) return;
    refuse(part("[data-said]").textContent);
    goToBlamed();
    return;
  }
  const seenCost = cost;
  for (let seen = null; seen !== current; ) await (seen = current);
  if (cannot(button)) return;
  if (cost !== seenCost) {
    refuse("The cost has just changed with the settings: check it, and start again.");
    return;
  }
  can(button, false);
  say("Starting …", "", false);
  const answer = await ask({ about: "begin", form: values() });
  if (answer.go) {
    begun(answer.go);
    document.dispatchEvent(new CustomEvent("diffing-go", { detail: answer.go }));
    return;
  }
  refuse(answer.problem);
  estimate();
}
function refuse(text) {
  const problem = part("[data-problem]");
  problem.textContent = text;
  problem.hidden = false;
}
