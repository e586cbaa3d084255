// Curves of teacher, plain and imitated student over one another, drawn by uPlot and redrawn as metrics arrive.

import { lastValue, positive, table } from "./series.js";

const ROLES = ["teacher", "plain", "imitated"];
const DASHES = { teacher: [10, 5], plain: [2, 4], imitated: [] };
const MAP = "val/map50";

const show = {
  map: (value) => (value === null ? "" : (100 * value).toFixed(1)),
  loss: (value) => (value === null ? "" : Math.abs(value) >= 0.01 ? value.toFixed(3) : value.toExponential(1)),
};

export function drawCharts(sheet) {
  const figures = [...sheet.querySelectorAll("[data-chart]")].map((figure) => new Chart(figure, sheet));
  const tools = sheet.querySelector("[data-tools]");
  const settings = () => ({
    axis: tools.querySelector("[name=axis]:checked").value,
    log: tools.querySelector("[name=log]").checked,
    smoothing: Number(tools.querySelector("[name=smoothing]").value),
  });
  const draw = () => figures.forEach((figure) => figure.draw(settings()));

  let loading = false;
  let again = false;
  async function load() {
    if (loading) { again = true; return; }
    loading = true;
    try {
      const names = [...new Set(figures.map((figure) => figure.name))];
      const query = new URLSearchParams(names.map((name) => ["name", name]));
      const response = await fetch(`${sheet.dataset.source}?${query}`, { headers: { accept: "application/json" } });
      if (!response.ok) return;
      const { series, names: known } = await response.json();
      figures.forEach((figure) => figure.take(series, known));
      draw();
      sheet.dataset.drawn = series.reduce((sum, { values }) => sum + values.length, 0);
    } finally {
      loading = false;
      if (again) { again = false; load(); }
    }
  }

  tools.addEventListener("input", draw);
  figures.forEach((figure) => figure.choice?.addEventListener("change", load));
  document.addEventListener("theme", () => figures.forEach((figure) => figure.restart(settings())));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => figures.forEach((figure) => figure.restart(settings())));
  new ResizeObserver(() => figures.forEach((figure) => figure.fit())).observe(sheet);
  document.body.addEventListener("live:metrics", load);
  load();
}

class Chart {
  constructor(figure, sheet) {
    this.figure = figure;
    this.plot = figure.querySelector(".plot");
    this.none = figure.querySelector(".none");
    this.legend = figure.querySelector(".legend");
    this.choice = figure.querySelector("select");
    this.kind = figure.dataset.chart;
    this.sheet = sheet;
    this.series = [];
  }

  get name() {
    return this.choice ? this.choice.value : MAP;
  }

  take(series, known) {
    const rank = (one) => ROLES.indexOf(one.role);
    this.series = series.filter((one) => one.name === this.name).sort((a, b) => rank(a) - rank(b) || a.seed - b.seed);
    if (!this.choice) return;
    const offered = [...this.choice.options].map((option) => option.value);
    for (const name of known.filter((name) => !name.startsWith("val/") && !offered.includes(name))) {
      this.choice.add(new Option(name, name));
    }
  }

  draw(settings) {
    const key = JSON.stringify([settings.axis, this.kind === "loss" && settings.log, this.series.map((s) => [s.role, s.seed])]);
    // Validation points are few and exact: smoothing them would only mislead.
    let data = table(this.series, settings.axis, this.kind === "loss" ? settings.smoothing : 0);
    if (this.kind === "loss" && settings.log) data = positive(data);
    this.none.hidden = this.series.length > 0;
    this.say(data, null);
    if (this.series.length === 0) { this.stop(); return; }
    if (this.uplot && this.key === key) {
      this.uplot.setData(data);
    } else {
      this.stop();
      this.key = key;
      this.uplot = new uPlot(this.options(settings), data, this.plot);
    }
  }

  stop() {
    this.uplot?.destroy();
    this.uplot = undefined;
  }

  restart(settings) {
    this.stop();
    this.draw(settings);
  }

  fit() {
    if (this.uplot && this.uplot.width !== this.plot.clientWidth) {
      this.uplot.setSize({ width: this.plot.clientWidth, height: this.plot.clientHeight });
    }
  }

  colour(name) {
    const probe = this.legend.querySelector(`.role-${name}`) ?? this.legend;
    return getComputedStyle(probe).color;
  }

  options({ axis, log }) {
    const ink = getComputedStyle(this.sheet.querySelector("[data-axis-colour]")).color;
    const grid = getComputedStyle(this.sheet.querySelector("[data-axis-colour]")).borderTopColor;
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const look = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    const several = new Set(this.series.map((one) => one.seed)).size > 1;
    const format = show[this.kind];
    return {
      width: this.plot.clientWidth,
      height: this.plot.clientHeight,
      legend: { show: false },
      padding: [10, 14, 0, 0],
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
      scales: {
        x: { time: false },
        y: log && this.kind === "loss"
          ? { distr: 3 }
          : { range: (_, low, high) => (this.kind === "map" ? [0, Math.min(1, Math.max(high * 1.1, 0.1))] : [Math.min(0, low), high * 1.05]) },
      },
      axes: [
        { ...look, space: 60, size: 28, values: (_, ticks) => ticks.map((tick) => (axis === "steps" && tick >= 10000 ? `${tick / 1000}k` : tick)) },
        { ...look, size: 44, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : this.kind === "map" ? Math.round(100 * tick) : Number(tick.toPrecision(2)))) },
      ],
      series: [
        {},
        ...this.series.map((one) => ({
          label: one.role,
          stroke: this.colour(one.role),
          dash: DASHES[one.role],
          width: several ? 1.25 : 2,
          cap: one.role === "plain" ? "round" : "butt",
          spanGaps: true,
          points: { show: this.kind === "map", size: 5, fill: this.colour(one.role), stroke: this.colour(one.role) },
          value: (_, value) => format(value),
        })),
      ],
      hooks: { setCursor: [(plot) => this.say(plot.data, plot.cursor.idx)] },
    };
  }

  // The legend doubles as the read-out: values under the cursor, else the newest ones.
  say(data, index) {
    const format = show[this.kind];
    for (const role of ROLES) {
      const output = this.legend.querySelector(`[data-role="${role}"]`);
      if (!output) continue;
      const values = this.series
        .map((one, column) => (one.role === role ? nearest(data[column + 1] ?? [], index) : null))
        .filter((value) => value !== null);
      output.textContent = values.length ? format(values.reduce((sum, value) => sum + value, 0) / values.length) : "";
    }
  }
}

// The column's value at the index, or the last one before it: the roles are measured at different steps.
function nearest(values, index) {
  return lastValue(index === null || index === undefined ? values : values.slice(0, index + 1));
}
