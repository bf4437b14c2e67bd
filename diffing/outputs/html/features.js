"use strict";
// Draws the scatter of the features and opens the feature that a link leads to. Never makes markup out of text.
(() => {
  const root = document.documentElement;
  const plot = document.getElementById("feature-scatter");

  function openTarget() {
    const target = /^#feature-\d+$/.test(location.hash) && document.querySelector(location.hash);
    const details = target && target.querySelector("details");
    if (details) details.open = true;
    if (target) target.scrollIntoView();
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();

  if (!window.Plotly) return;
  function draw() {
    const figure = JSON.parse(document.getElementById("feature-figure").textContent);
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const { layout } = figure;
    layout.font.color = colour("--ink");
    for (const axis of [layout.xaxis, layout.yaxis]) axis.gridcolor = colour("--line");
    for (const shape of layout.shapes) shape.line.color = colour("--muted");
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: colour("--card"), font: { color: colour("--ink") } };
    layout.height = plot.clientWidth + 32;  // a square within the margins
    plot.style.height = `${layout.height}px`;
    window.Plotly.react(plot, figure.data, layout, { displayModeBar: false, responsive: true });
  }
  plot.replaceChildren();
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", "Scatter plot of the features' rates in both models; the table below has the same numbers");
  draw();
  plot.on("plotly_click", (event) => {
    const index = event.points[0].customdata;
    if (index !== undefined && document.getElementById(`feature-${index}`)) location.hash = `feature-${index}`;
  });
  new MutationObserver(draw).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  for (const query of ["(prefers-color-scheme: dark)", "(max-width: 46rem)", "print"]) {
    matchMedia(query).addEventListener("change", draw);
  }
})();
