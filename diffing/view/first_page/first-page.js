const theme = new URLSearchParams(location.search).get("__theme");
const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.body.classList.toggle("dark", dark);
// Only Gradio's page answers this path with content. Between the two pages nothing answers for a moment.
async function follow() {
  const answered = await fetch("gradio_api/app_id", { cache: "no-store" }).catch(() => null);
  if (answered?.status === 200) location.reload();
  else setTimeout(follow, 250);
}
follow();
