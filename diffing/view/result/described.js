() => {
  // Gives plots a description, and makes their marks lead to what they stand for. The first plot takes a while to come.
  let tries = 60;
  function describe() {
    for (const plot of document.querySelectorAll(".diffing-plot .js-plotly-plot:not([role])")) {
      const square = plot.closest(".square") !== null;
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", square
        ? "Scatter plot of the features' rates in both models; the table below has the same numbers"
        : "Forest plot of the net differences; the list of findings has the same numbers");
      plot.on("plotly_click", ({ points: [point] }) => {
        const detail = square ? { feature: point.customdata } : { finding: point.y + 1 };
        if (!square || point.customdata !== undefined) document.dispatchEvent(new CustomEvent("diffing-mark", { detail }));
      });
    }
    tries -= 1;
    if (tries > 0) setTimeout(describe, 100);
  }
  describe();
}
