// Follows links within the page without loading it anew, and keeps the browser's address and its back button true.
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
// To the heading of whatever part is shown, as soon as it is.
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
// Gradio's own button, which is not shown, opens its page for programs; that takes the focus, and Escape closes it.
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
// Which of the site's links leads to where one is.
function mark(query) {
  const place = ["run", "diff", "example", "gallery"].find((each) => new URLSearchParams(query).has(each)) ?? "";
  for (const link of document.querySelectorAll(".site-header nav a")) {
    if (link.dataset.go.replace("=", "") === place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
// Tabs of several results are told apart by their titles; a run that is not done names itself.
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
document.addEventListener("diffing-arrived", ({ detail: query }) => {
  document.body.classList.remove("going");
  mark(query);
  if (query === shown) return entitle(query);
  shown = query;
  entitle(query);
  const url = new URL(location.href);
  url.search = query;
  history.pushState({}, "", url);
  // a Space is a frame: the Hub's page puts the query into its own address
  if (parent !== window) parent.postMessage({ queryString: query }, "https://huggingface.co");
  window.scrollTo({ top: 0 });
  // what had the focus may have gone with the part it was in
  setTimeout(() => document.activeElement === document.body && read(), 100);
});
window.addEventListener("popstate", () => {
  shown = location.search.slice(1);
  go(shown);
});
