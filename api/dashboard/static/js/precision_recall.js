// Precision over recall of the three roles for one class, drawn by uPlot. Zoom by dragging, back by a double click.

import { csv, savePng, saveText } from "./save.js";

const DASHES = { teacher: [10, 5], plain: [2, 4], imitated: [] };

export function drawPrecisionRecall(sheet) {
  const choice = sheet.querySelector("[name=class]");
  const plot = sheet.querySelector(".plot");
  const none = sheet.querySelector("[data-none]");
  let curves = [];
  let uplot;

  async function load() {
    const name = choice.value;
    const response = await fetch(`${sheet.dataset.pr}?${new URLSearchParams({ class: name })}`).catch(() => null);
    if (choice.value !== name) return; // Another class was chosen meanwhile.
    if (!response?.ok) { tell("The curves could not be read. Choose the class again."); return; }
    ({ curves } = await response.json());
    draw();
    sheet.dataset.drawn = name;
  }

  function draw() {
    uplot?.destroy();
    uplot = undefined;
    if (!curves.some(({ recall }) => recall.length)) { tell("Nobody found a box of this class."); say(null); return; }
    none.hidden = true;
    uplot = new uPlot(options(), columns(curves), plot);
    say(null);
  }

  function tell(text) {
    none.hidden = false;
    none.textContent = text;
  }

  function colour(role) {
    return getComputedStyle(sheet.querySelector(`.role-${role}`)).color;
  }

  function options() {
    const { color, borderTopColor } = getComputedStyle(plot);
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const look = { stroke: color, font, grid: { stroke: borderTopColor, width: 1 }, ticks: { show: false } };
    const percent = (_, ticks) => ticks.map((tick) => Math.round(100 * tick));
    return {
      width: plot.clientWidth,
      height: plot.clientHeight,
      legend: { show: false },
      padding: [10, 14, 0, 0],
      cursor: { y: false, points: { size: 7 } },
      scales: { x: { time: false, range: (_, low, high) => (low === high ? [0, 1] : [low, high]) }, y: { range: [0, 1.02] } },
      axes: [
        { ...look, size: 40, label: "Recall, %", labelSize: 16, labelFont: font, values: percent },
        { ...look, size: 44, label: "Precision, %", labelSize: 16, labelFont: font, values: percent },
      ],
      series: [{}, ...curves.map(({ role }) => ({
        label: role,
        stroke: colour(role),
        dash: DASHES[role],
        width: 2,
        cap: role === "plain" ? "round" : "butt",
        spanGaps: true,
        points: { show: false },
      }))],
      hooks: { setCursor: [(drawn) => say(drawn.cursor.idx)] },
    };
  }

  // The legend doubles as the read-out: precision and score under the cursor, else the AP.
  function say(index) {
    for (const one of curves) {
      const output = sheet.querySelector(`output[data-role="${one.role}"]`);
      if (!output) continue;
      if (index === null || index === undefined) {
        output.textContent = one.ap50 === null ? "" : `AP ${(100 * one.ap50).toFixed(1)}`;
        continue;
      }
      const at = one.recall.findIndex((recall) => recall >= uplot.data[0][index]);
      output.textContent = at < 0 ? "not reached" : `${(100 * one.precision[at]).toFixed(1)} at score ${one.scores[at].toFixed(2)}`;
    }
  }

  choice.addEventListener("change", load);
  document.addEventListener("theme", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => {
    if (uplot && uplot.width !== plot.clientWidth) uplot.setSize({ width: plot.clientWidth, height: plot.clientHeight });
  }).observe(plot);
  sheet.addEventListener("click", (event) => {
    const kind = event.target.closest("[data-save]")?.dataset.save;
    if (!kind || !uplot) return;
    const name = `precision-recall-${choice.value.replace(/[^\p{L}\p{N}]+/gu, "-")}`;
    if (kind === "png") savePng(`${name}.png`, uplot, `${choice.value}: precision over recall`);
    else saveText(`${name}.csv`, csv([["role", "recall", "precision", "score"], ...rows(curves)]));
  });
  load();
}

// One column of recalls for all, as uPlot wants it; a curve has a value only where it was measured.
export function columns(curves) {
  const xs = [...new Set(curves.flatMap(({ recall }) => recall))].sort((a, b) => a - b);
  return [xs, ...curves.map(({ recall, precision }) => {
    // At one recall several precisions: the first, of the highest score, is the best.
    const at = new Map();
    recall.forEach((x, index) => { if (!at.has(x)) at.set(x, precision[index]); });
    return xs.map((x) => at.get(x) ?? null);
  })];
}

export function rows(curves) {
  return curves.flatMap(({ role, recall, precision, scores }) => recall.map((x, index) => [role, x, precision[index], scores[index]]));
}
