// The estimate of the run, and its start button.
// Only one estimate is requested at a time; after that, only the latest state of the form.
let timer, asking = false, again = false;
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
  const [first, button] = [part("[data-said]"), part("[data-begin]")];
  first.textContent = answer.problem ?? answer.first.replace(/^./, (letter) => letter.toUpperCase());
  first.classList.toggle("lacks", !ready);
  can(button, ready);
  part("[data-takes]").textContent = ready ? answer.first : "";
  arrived();
}

// Marks the displayed estimate as out of date.
function waits() {
  part("[data-said]").textContent = "Estimating …";
  part("[data-said]").classList.add("lacks");
  can(part("[data-begin]"), false);
}

// The button stays in reach of the keyboard, and says what is missing when it is pressed.
function can(button, ready) {
  button.setAttribute("aria-disabled", String(!ready));
}
const cannot = (button) => button.getAttribute("aria-disabled") === "true";

async function begin() {
  const [button, takes] = [part("[data-begin]"), part("[data-takes]")];
  if (cannot(button)) {
    await current;
    if (!cannot(button)) return;
    refuse(part("[data-said]").textContent);
    ["a", "b"].map((side) => field(`model_${side}`)).find((each) => !each.value.trim())?.focus();
    return;
  }
  const cost = takes.textContent.split(", ").at(-1);
  for (let seen = null; seen !== current; ) await (seen = current);
  if (cannot(button)) return;
  if (takes.textContent.split(", ").at(-1) !== cost) {
    refuse("The cost has just changed with the settings: check it, and start again.");
    return;
  }
  can(button, false);
  takes.textContent = "starting …";
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
