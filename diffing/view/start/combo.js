// Suggests model names, in the ARIA pattern of a combobox with a list. Names are inserted as text.
const WAIT = 180;
const combos = new WeakMap();

function listOf(input) {
  return element.querySelector(`#${CSS.escape(input.getAttribute("aria-controls"))}`);
}
function close(input) {
  const state = combos.get(input);
  if (state) {
    clearTimeout(state.timer);
    state.asked += 1; // an answer on its way comes too late
  }
  listOf(input).hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}
function mark(input, at) {
  const options = [...listOf(input).querySelectorAll("[role=option]")];
  options.forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
  if (at < 0 || !options[at]) {
    input.removeAttribute("aria-activedescendant");
    return;
  }
  input.setAttribute("aria-activedescendant", options[at].id);
  options[at].scrollIntoView({ block: "nearest" });
}
const marked = (input) => [...listOf(input).querySelectorAll("[role=option]")].findIndex((option) => option.ariaSelected === "true");

// Highlights the typed letters in each name.
function shownName(name, typed) {
  const at = name.toLowerCase().lastIndexOf(typed.toLowerCase());
  if (!typed || at < 0) return [name];
  const strong = document.createElement("b");
  strong.textContent = name.slice(at, at + typed.length);
  return [name.slice(0, at), strong, name.slice(at + typed.length)];
}
function offer(input, names, reason) {
  const list = listOf(input);
  const typed = input.value.trim().replace(/^.*[+:]/, "").split("@")[0];
  const rows = names.map((name, index) => {
    const row = document.createElement("li");
    row.id = `${list.id}-${index}`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    row.dataset.name = name;
    row.append(...shownName(name, typed));
    return row;
  });
  if (!rows.length && reason) {
    const row = document.createElement("li");
    row.className = "reason";
    row.setAttribute("role", "presentation");
    row.textContent = `No suggestions now: ${reason}`;
    rows.push(row);
  }
  list.replaceChildren(...rows);
  const open = rows.length > 0 && !(names.length === 1 && names[0] === input.value.trim());
  list.hidden = !open;
  input.setAttribute("aria-expanded", String(open && names.length > 0));
  input.removeAttribute("aria-activedescendant");
  list.scrollTop = 0;
}
async function suggest(input) {
  const state = combos.get(input);
  const mine = (state.asked += 1);
  const answer = await ask({ about: "names", name: input.value });
  if (mine !== state.asked || document.activeElement !== input) return;
  if (answer.names) offer(input, answer.names, answer.reason);
}
function typed(input) {
  const state = combos.get(input) ?? { asked: 0, timer: 0 };
  combos.set(input, state);
  clearTimeout(state.timer);
  state.asked += 1;
  mark(input, -1); // what was marked was for other letters
  if (input.value.trim().length < 2) close(input);
  else state.timer = setTimeout(() => suggest(input), WAIT);
}
function choose(input, name) {
  input.value = name;
  close(input);
  input.dispatchEvent(new CustomEvent("settled", { bubbles: true }));
}
// Returns whether the list handled the key.
function pressed(input, event) {
  const list = listOf(input);
  const count = list.querySelectorAll("[role=option]").length;
  const open = !list.hidden && count > 0;
  const at = marked(input);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (!open) {
      if (input.value.trim().length < 2) return false;
      typed(input);
    } else {
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark(input, at < 0 ? (step > 0 ? 0 : count - 1) : at + step >= count || at + step < 0 ? -1 : at + step);
    }
    event.preventDefault();
    return true;
  }
  if (event.key === "Escape" && !list.hidden) {
    close(input);
    event.preventDefault();
    return true;
  }
  if (event.key === "Enter") {
    event.preventDefault(); // never sends the form
    if (open && at >= 0) choose(input, list.querySelectorAll("[role=option]")[at].dataset.name);
    else {
      close(input);
      input.dispatchEvent(new CustomEvent("settled", { bubbles: true }));
    }
    return true;
  }
  return false;
}
