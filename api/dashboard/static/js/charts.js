// Curves of teacher, plain and imitated student over one another: loading, tools, zoom for all at once.

import { Chart } from "./chart.js";

export function drawCharts(sheet) {
  const tools = sheet.querySelector("[data-tools]");
  const whole = tools.querySelector("[data-whole]");
  const settings = () => ({
    axis: tools.querySelector("[name=axis]:checked").value,
    log: tools.querySelector("[name=log]").checked,
    smoothing: Number(tools.querySelector("[name=smoothing]").value),
  });
  const figures = [...sheet.querySelectorAll("[data-chart]")].map((figure) => new Chart(figure, sheet, zoom));
  const draw = () => figures.forEach((figure) => figure.draw(settings()));
  let range = null; // Of steps, while zoomed.
  let loading = false;
  let again = false;

  async function load() {
    if (loading) { again = true; return; }
    loading = true;
    const began = performance.now();
    try {
      const query = new URLSearchParams([...new Set(figures.map((figure) => figure.name))].map((name) => ["name", name]));
      if (range) { query.set("from_step", range[0]); query.set("to_step", range[1]); }
      const response = await fetch(`${sheet.dataset.source}?${query}`, { headers: { accept: "application/json" } });
      if (!response.ok) return;
      const { series, names } = await response.json();
      figures.forEach((figure) => figure.take(series, names));
      draw();
      sheet.dataset.drawn = series.reduce((sum, { values }) => sum + values.length, 0);
    } catch {
      // Said by the banner; the next hint asks again.
    } finally {
      // What took long is not asked for again at once: a page leaves the server and itself room for other things.
      setTimeout(() => { loading = false; if (again) { again = false; load(); } }, 2 * (performance.now() - began));
    }
  }

  // Zooming asks for the stretch anew: between two points that were thinned out there may be many.
  function zoom(steps) {
    range = steps;
    whole.hidden = !steps;
    load();
  }

  tools.addEventListener("input", draw);
  tools.addEventListener("submit", (event) => event.preventDefault());
  whole.addEventListener("click", () => zoom(null));
  figures.forEach((figure) => figure.choice?.addEventListener("change", load));
  const restart = () => figures.forEach((figure) => figure.restart(settings()));
  document.addEventListener("theme", restart);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restart);
  new ResizeObserver(() => figures.forEach((figure) => figure.fit())).observe(sheet);
  document.body.addEventListener("live:metrics", load);
  load();
}
