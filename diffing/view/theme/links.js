// Follows links within the page without reloading it, and updates the browser's address and history.
function go(query) {
  document.body.classList.add("going");
  props.value = query;
  trigger("submit");
}
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-go]");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(link.dataset.go);
});
// The colours follow the visitor's system until one of the two is chosen; the browser keeps the choice, if it may.
const paint = (dark) => document.body.classList.toggle("dark", dark);
function chosenTheme(choice) {
  try {
    if (choice) localStorage.setItem("diffing-theme", choice);
    return localStorage.getItem("diffing-theme");
  } catch {
    return choice;
  }
}
if (chosenTheme()) paint(chosenTheme() === "dark");
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-theme-switch]")) chosenTheme(paint(!document.body.classList.contains("dark")) ? "dark" : "light");
});
// Moves the focus to the heading of the visible part, as soon as there is one.
function read(tries = 20) {
  const heading = [...document.querySelectorAll(".part :is(h1, .problem)")].find((each) => each.checkVisibility());
  if (!heading) return tries > 0 && setTimeout(() => read(tries - 1), 50);
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("a.skip")) return;
  event.preventDefault();
  read();
});
// Clicks Gradio's hidden button, which opens its API page; that page takes the focus, and Escape closes it.
function enter(tries = 40) {
  const close = document.querySelector(".api-docs button");
  if (!close) return tries > 0 && setTimeout(() => enter(tries - 1), 50);
  close.ariaLabel = "Close";
  close.focus();
}
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("a[data-api]")) return;
  event.preventDefault();
  document.querySelector("button.show-api")?.click();
  enter();
});
document.addEventListener("keydown", (event) => {
  const close = event.key === "Escape" && document.querySelector(".api-docs button");
  if (!close) return;
  close.click();
  document.querySelector("a[data-api]")?.focus();
});
document.addEventListener("diffing-go", (event) => go(event.detail));
// Marks the site link that leads to the current place.
function mark(query) {
  const place = ["run", "diff", "example", "gallery"].find((each) => new URLSearchParams(query).has(each)) ?? "";
  for (const link of document.querySelectorAll(".site-header nav a")) {
    if (link.dataset.go.replace("=", "") === place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
// Gives the tab of each result its own title; the page of an unfinished run sets its title itself.
function entitle(query, tries = 20) {
  const asked = new URLSearchParams(query);
  const names = [...document.querySelectorAll(".part-result .models .name")].filter((each) => each.checkVisibility());
  const led = ["run", "diff", "example"].some((each) => asked.has(each));
  const done = document.hidden && document.title.startsWith("Done") ? "Done – " : "";
  if (led && names.length === 2) document.title = `${done}${names.map((each) => each.textContent.trim()).join(" and ")} – diffing`;
  else if (led && tries > 0) setTimeout(() => query === shown && entitle(query, tries - 1), 100);
  else if (!led) document.title = asked.has("gallery") ? "Gallery – diffing" : "diffing";
}
let shown = location.search.slice(1);
const place = (query) => {
  const asked = new URLSearchParams(query);
  return JSON.stringify(["run", "diff", "example", "gallery", "a", "b"].map((each) => asked.get(each)));
};
// Puts a query into the address, as a step of its own or in place of the last one.
function enterAddress(query, replace) {
  shown = query;
  const url = new URL(location.href);
  url.search = query;
  if (replace) history.replaceState({}, "", url);
  else history.pushState({}, "", url);
  // a Space is a frame: this has the Hub's page copy the query into its own address
  if (parent !== window) parent.postMessage({ queryString: query }, "https://huggingface.co");
}
// A part tells which of its filters and rows are shown, within the same place.
document.addEventListener("diffing-state", ({ detail: { query, replace } }) => {
  if (query !== shown) enterAddress(query, replace);
});
document.addEventListener("diffing-arrived", ({ detail: query }) => {
  document.body.classList.remove("going");
  mark(query);
  if (query === shown) return entitle(query);
  enterAddress(query);
  entitle(query);
  window.scrollTo({ top: 0 });
  // the element with the focus may have disappeared with its part
  setTimeout(() => document.activeElement === document.body && read(), 100);
});
window.addEventListener("popstate", () => {
  const before = shown;
  shown = location.search.slice(1);
  if (place(before) === place(shown)) document.dispatchEvent(new CustomEvent("diffing-returned", { detail: shown }));
  else go(shown);
});
