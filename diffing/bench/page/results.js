"use strict";
// Draws the pictures and switches the colours. Reads the page, never makes markup out of text.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 46rem)");
  const plots = [...document.querySelectorAll(".plot[data-figure]")];
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);

  function draw() {
    if (!window.Plotly || !plots.length) return;
    const figures = JSON.parse(document.getElementById("figures").textContent);
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    for (const plot of plots) {
      const { data, layout } = figures[plot.dataset.figure][narrow.matches ? "narrow" : "wide"];
      layout.font.color = colour("--ink");
      for (const axis of [layout.xaxis, layout.yaxis]) {
        axis.gridcolor = colour("--line");
        axis.zerolinecolor = colour("--muted");
      }
      layout.hoverlabel = { ...layout.hoverlabel, bgcolor: colour("--card"), font: { color: colour("--ink") } };
      for (const note of layout.annotations ?? []) {
        if (note.align === "left") note.bgcolor = colour("--paper");  // keeps lines out of the rows' texts
      }
      plot.style.height = `${layout.height}px`;
      window.Plotly.react(plot, data, layout, { displayModeBar: false, responsive: true });
    }
  }

  const toggle = document.getElementById("theme");
  function label() {
    toggle.textContent = isDark() ? "Light" : "Dark";
    toggle.setAttribute("aria-label", `Use the ${isDark() ? "light" : "dark"} colours`);
  }
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    label();
    draw();
  });
  dark.addEventListener("change", () => { label(); draw(); });
  narrow.addEventListener("change", draw);
  matchMedia("print").addEventListener("change", draw);  // paper has its own colours
  label();
  for (const plot of window.Plotly ? plots : []) plot.replaceChildren();
  draw();
})();
