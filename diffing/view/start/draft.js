// Saves the form in this tab's session storage, so that signing in, or returning from a run, loses nothing.
const KEPT = "diffing-draft";
function fields() {
  return [...element.querySelectorAll("[data-form] :is(input, select, textarea)[name]")];
}
const isChoice = (field) => field.type === "radio" || field.type === "checkbox";
function keep() {
  const kept = fields().map((field) => [field.name, isChoice(field) ? field.value : "", isChoice(field) ? field.checked : field.value]);
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // browsers may forbid storage in frames
  }
}
function restore(leave) {
  let kept;
  try {
    kept = JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return;
  }
  const known = new Map(kept.map(([name, choice, value]) => [`${name} ${choice}`, value]));
  for (const field of fields()) {
    if (leave.includes(field.name)) continue;
    const value = known.get(`${field.name} ${isChoice(field) ? field.value : ""}`);
    if (value === undefined) continue;
    if (isChoice(field)) field.checked = value === true;
    else field.value = String(value);
  }
}
// A visitor who starts a run in this tab agrees to lend it a GPU, so the run's page does not ask again in this tab.
function begun(query) {
  try {
    sessionStorage.setItem(`diffing-lends ${new URLSearchParams(query).get("run")}`, "yes");
  } catch {
    // then the run's page asks
  }
}
