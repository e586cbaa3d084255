// One chart: the series of one metric, drawn by uPlot, with a legend that reads out what is under the cursor.

import { savePicture } from "./picture.js";
import { lastValue, positive, table } from "./series.js";
import { duration } from "./sizes.js";

export const ROLES = ["teacher", "plain", "imitated"];
const DASHES = { teacher: [10, 5], plain: [2, 4], imitated: [] };
const MAP = "val/map50";

const SHOW = {
  map: (value) => (value === null ? "" : `${(100 * value).toFixed(1)} %`),
  loss: (value) => (value === null ? "" : Math.abs(value) >= 0.01 ? value.toFixed(3) : value.toExponential(1)),
};
const AT = {
  epochs: (x) => `epoch ${Number(x.toFixed(2))}`,
  steps: (x) => `step ${x}`,
  seconds: (x) => `after ${duration(x)}`,
};
const TICK = {
  epochs: (tick) => tick,
  steps: (tick) => (tick >= 10_000 ? `${tick / 1000}k` : tick),
  seconds: (tick) => (tick >= 3600 ? `${Number((tick / 3600).toFixed(1))} h` : tick >= 60 ? `${Math.round(tick / 60)} min` : `${tick} s`),
};

export class Chart {
  constructor(figure, sheet, zoom) {
    Object.assign(this, { figure, sheet, zoom, series: [], kind: figure.dataset.chart });
    this.plot = figure.querySelector(".plot");
    this.none = figure.querySelector(".none");
    this.legend = figure.querySelector(".legend");
    this.where = figure.querySelector("[data-where]");
    this.choice = figure.querySelector("select");
    this.plot.addEventListener("keydown", (event) => this.key(event));
    figure.querySelector("[data-png]").addEventListener("click", () => {
      if (this.uplot) savePicture(this, `${this.sheet.dataset.name} ${this.name}`);
    });
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
    this.settings = settings;
    const log = this.kind === "loss" && settings.log;
    const shape = JSON.stringify([settings.axis, log, this.series.map((one) => [one.role, one.seed])]);
    // Validation points are few and exact: smoothing them would only mislead.
    this.data = table(this.series, settings.axis, this.kind === "loss" ? settings.smoothing : 0);
    if (log) this.data = positive(this.data);
    this.none.hidden = this.series.length > 0;
    if (this.series.length === 0) {
      this.stop();
    } else if (this.uplot && this.shape === shape) {
      this.uplot.setData(this.data);
    } else {
      this.stop();
      this.shape = shape;
      this.uplot = new uPlot(this.options(settings.axis, log), this.data, this.plot);
    }
    this.say(this.uplot?.cursor.idx ?? null);
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
    if (this.uplot && this.plot.clientWidth && this.uplot.width !== this.plot.clientWidth) {
      this.uplot.setSize({ width: this.plot.clientWidth, height: this.plot.clientHeight });
    }
  }

  colour(role) {
    return getComputedStyle(this.legend.querySelector(`.role-${role}`) ?? this.legend).color;
  }

  options(axis, log) {
    const { color: ink, borderTopColor: grid } = getComputedStyle(this.plot);
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const look = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    const several = new Set(this.series.map((one) => one.seed)).size > 1;
    const bounds = this.kind === "map"
      ? (low, high) => [0, Math.min(1, Math.max(high * 1.1, 0.1))]
      : (low, high) => [Math.min(0, low), high * 1.05 || 1];
    return {
      width: this.plot.clientWidth,
      height: this.plot.clientHeight,
      legend: { show: false },
      padding: [10, 14, 0, 0],
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => () => this.zoom(null) } },
      scales: { x: { time: false }, y: log ? { distr: 3 } : { range: (_, low, high) => bounds(low, high) } },
      axes: [
        { ...look, space: 60, size: 28, values: (_, ticks) => ticks.map(TICK[axis]) },
        { ...look, size: 44, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : this.kind === "map" ? Math.round(100 * tick) : Number(tick.toPrecision(2)))) },
      ],
      series: [{}, ...this.series.map(({ role }) => ({
        label: role,
        stroke: this.colour(role),
        dash: DASHES[role],
        width: several ? 1.25 : 2,
        cap: role === "plain" ? "round" : "butt",
        spanGaps: true,
        points: { show: this.kind === "map", size: 5, fill: this.colour(role), stroke: this.colour(role) },
      }))],
      hooks: {
        setCursor: [(plot) => this.say(plot.cursor.idx)],
        setSelect: [(plot) => this.select(plot)],
      },
    };
  }

  // A stretch that was drawn with the mouse, in steps: those of the points inside it.
  select(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [low, high] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.zoomTo(low, high);
  }

  zoomTo(low, high) {
    const { axis } = this.settings;
    const inside = this.series.flatMap((one) => one.steps.filter((_, index) => one[axis][index] >= low && one[axis][index] <= high));
    if (inside.length > 1) this.zoom([Math.min(...inside), Math.max(...inside)]);
  }

  // By keyboard: arrows walk from point to point, + goes nearer to it, - and 0 show the whole again.
  key(event) {
    const xs = this.data?.[0] ?? [];
    const at = this.uplot?.cursor.idx ?? xs.length - 1;
    const walk = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -xs.length, End: xs.length }[event.key];
    if (!this.uplot || event.ctrlKey || event.metaKey) return;
    if (walk !== undefined) {
      const next = Math.max(0, Math.min(xs.length - 1, at + walk));
      this.uplot.setCursor({ left: this.uplot.valToPos(xs[next], "x"), top: 0 });
    } else if (event.key === "+") {
      const reach = (xs[xs.length - 1] - xs[0]) / 4;
      this.zoomTo(xs[at] - reach, xs[at] + reach);
    } else if (event.key === "-" || event.key === "0") {
      this.zoom(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  // The legend doubles as the read-out: values under the cursor, else the newest ones.
  say(index) {
    const known = index !== null && index !== undefined;
    for (const role of ROLES) {
      const values = this.series
        .map((one, column) => (one.role === role ? lastValue(known ? (this.data[column + 1] ?? []).slice(0, index + 1) : this.data[column + 1] ?? []) : null))
        .filter((value) => value !== null);
      const mean = values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
      this.legend.querySelector(`[data-role="${role}"]`).textContent = SHOW[this.kind](mean);
    }
    this.where.textContent = known && this.series.length ? AT[this.settings.axis](this.data[0][index]) : "";
  }
}
