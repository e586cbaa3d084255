// Curves of several jobs over one another, each in the ink of its letter.

import { positive, table, lastValue } from "../series.js";
import { csv, savePng, saveText } from "../save.js";

const MAP = "val/map50";
const sheet = document.querySelector("[data-compare]");
if (sheet) begin(sheet);

function begin(sheet) {
  const tools = sheet.querySelector("[data-tools]");
  const plot = sheet.querySelector(".plot");
  const none = sheet.querySelector("[data-none]");
  const jobs = [...sheet.querySelectorAll("[data-job]")].map((entry, index) => ({
    id: entry.dataset.job, letter: entry.dataset.letter, entry, output: entry.querySelector("output"), dash: index >= 5 ? [8, 5] : [],
  }));
  let lines = [];
  let uplot;
  let asked = 0;

  const chosen = () => ({
    role: tools.elements.role.value,
    name: tools.elements.name.value,
    axis: tools.querySelector("[name=axis]:checked").value,
    smoothing: Number(tools.elements.smoothing.value),
    log: tools.elements.log.checked,
  });

  async function load() {
    const turn = asked += 1;
    const query = new URLSearchParams({ name: chosen().name, max_points: 600 });
    const answers = await Promise.all(jobs.map(({ id }) => fetch(`/v1/jobs/${id}/metrics?${query}`).then((one) => (one.ok ? one.json() : null)).catch(() => null)));
    if (turn !== asked) return; // Another value was chosen meanwhile.
    const known = answers.flatMap((one) => one?.names ?? []).filter((name) => name === MAP || !name.startsWith("val/map"));
    const offered = new Set([...tools.elements.name.options].map((option) => option.value));
    for (const name of new Set(known)) if (!offered.has(name)) tools.elements.name.add(new Option(name, name));
    lines = jobs.flatMap((job, index) => (answers[index]?.series ?? []).map((series) => ({ ...series, job })));
    draw();
    sheet.dataset.drawn = lines.length;
  }

  const shown = () => lines.filter((line) => line.role === chosen().role && line.name === chosen().name);

  function draw() {
    uplot?.destroy();
    uplot = undefined;
    const { axis, smoothing, log } = chosen();
    const series = shown();
    none.hidden = series.length > 0;
    none.textContent = "None of these jobs has measured that.";
    if (!series.length) { say(null, []); return; }
    let data = table(series, axis, smoothing);
    if (log) data = positive(data);
    uplot = new uPlot(options(series, chosen()), data, plot);
    say(data, series);
  }

  function options(series, { name, axis, log }) {
    const { color, borderTopColor } = getComputedStyle(plot);
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const look = { stroke: color, font, grid: { stroke: borderTopColor, width: 1 }, ticks: { show: false } };
    const percent = name.startsWith("val/");
    return {
      width: plot.clientWidth,
      height: plot.clientHeight,
      legend: { show: false },
      padding: [10, 14, 0, 0],
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
      scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
      axes: [
        { ...look, size: 28, values: (_, ticks) => ticks.map((tick) => (axis === "steps" && tick >= 10000 ? `${tick / 1000}k` : tick)) },
        { ...look, size: 46, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : percent ? Math.round(100 * tick) : Number(tick.toPrecision(3)))) },
      ],
      series: [{}, ...series.map(({ job }) => ({
        label: job.letter,
        stroke: getComputedStyle(job.entry.querySelector(".letter")).color,
        dash: job.dash,
        width: 1.8,
        spanGaps: true,
        points: { show: false },
      }))],
      hooks: { setCursor: [(drawn) => say(drawn.data, series, drawn.cursor.idx)] },
    };
  }

  // The legend doubles as the read-out: values under the cursor, else the newest; means over seeds.
  function say(data, series, index) {
    const percent = chosen().name.startsWith("val/");
    for (const job of jobs) {
      const values = series
        .map((line, column) => (line.job === job ? lastValue(index === null || index === undefined ? data[column + 1] : data[column + 1].slice(0, index + 1)) : null))
        .filter((value) => value !== null);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      job.output.textContent = values.length ? (percent ? (100 * mean).toFixed(1) : mean.toPrecision(3)) : "";
    }
  }

  tools.addEventListener("input", ({ target }) => (target.name === "name" ? load() : draw()));
  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("click", (event) => {
    const kind = event.target.closest("[data-save]")?.dataset.save;
    if (!kind || !uplot) return;
    const { role, name } = chosen();
    const file = `compare-${role}-${name.replace(/[^\p{L}\p{N}]+/gu, "-")}`;
    if (kind === "png") { savePng(`${file}.png`, uplot, `${name}, ${role}: ${jobs.map(({ letter }) => letter).join(", ")}`); return; }
    const rows = shown().flatMap(({ job, seed, steps, epochs, values }) => steps.map((step, at) => [job.letter, job.id, seed, step, epochs[at], values[at]]));
    saveText(`${file}.csv`, csv([["job", "id", "seed", "step", "epoch", name], ...rows]));
  });
  document.addEventListener("theme", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    if (uplot && uplot.width !== plot.clientWidth) uplot.setSize({ width: plot.clientWidth, height: plot.clientHeight });
  }).observe(plot);
  load();
}
