// Requests the list when the gallery is shown and while a visitor types. Only HTML from the server is inserted as markup.
const find = (selector) => element.querySelector(selector);
let latest = 0;
let wait;

// Puts the search into the browser's address, so that links and the back button work.
function keep(words) {
  const query = `gallery=${encodeURIComponent(words)}`;
  const url = new URL(location.href);
  if (!url.searchParams.has("gallery") || url.searchParams.get("gallery") === words) return;
  url.search = query;
  history.replaceState({}, "", url);
  if (parent !== window) parent.postMessage({ queryString: query }, "https://huggingface.co");
}

async function load(page = 0) {
  const words = find("[name=words]")?.value.trim();
  if (words === undefined) return;
  const mine = ++latest;
  find("[data-found]").setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await server.ask({ words, page });
  } catch {
    answer = { html: '<p class="problem" role="alert">The server did not answer. Reload the page.</p>', told: "" };
  }
  const box = find("[data-found]");
  if (mine !== latest || !box) return;  // somebody typed on, or went elsewhere
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  box.innerHTML = answer.html;
  box.removeAttribute("aria-busy");
  find("[data-told]").textContent = answer.told;
  const again = focused && box.querySelector(`[data-focus="${focused}"]`);
  (again?.disabled ? box.querySelector("nav button:not([disabled])") : again)?.focus({ preventScroll: true });
}

element.addEventListener("input", () => {
  clearTimeout(wait);
  wait = setTimeout(() => {
    keep(find("[name=words]").value.trim());
    load();
  }, 300);
});
element.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(wait);
  keep(find("[name=words]").value.trim());
  load();
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.matches("[data-page]")) {
    load(Number(button.dataset.page)).then(() => find("[data-found]").scrollIntoView({ block: "start" }));
  } else if (button.matches("[data-clear]")) {
    find("[name=words]").value = "";
    find("[name=words]").focus();
    keep("");
    load();
  } else if (button.matches("[data-again]")) {
    load();
  }
});
function shown() {
  const words = find("[data-words]")?.dataset.words;
  if (words === undefined) return;
  keep(words);
  load();
}
watch("value", shown);
shown();
