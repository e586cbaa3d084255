// Small behaviours every page shares. Elements say what they do by data-attributes; there is no inline script.

import { followLog } from "./log.js";
import { drawCharts } from "./charts.js";

const ticks = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function age(seconds) {
  for (const [unit, size] of UNITS) {
    if (seconds >= size || unit === "second") return ticks.format(-Math.floor(seconds / size), unit);
  }
}

function refreshAges() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const text = age(Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000));
    if (time.textContent !== text) time.textContent = text;
  }
}

function localTimes() {
  for (const time of document.querySelectorAll("time[data-clock]")) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString("en-GB");
  }
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    const label = copy.querySelector("span");
    const before = label.textContent;
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = before; }, 1500);
  }
  if (event.target.closest("[data-theme-switch]")) {
    const root = document.documentElement;
    const dark = getComputedStyle(root).colorScheme === "dark"
      || (root.dataset.theme === undefined && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    document.dispatchEvent(new Event("theme"));
  }
});

// Say so when the live stream is gone; htmx connects again by itself and falls back to asking every half minute.
const connection = document.querySelector("[data-connection]");
document.body.addEventListener("htmx:sseError", () => connection?.setAttribute("data-lost", ""));
document.body.addEventListener("htmx:sseOpen", () => connection?.removeAttribute("data-lost"));

function settle() {
  refreshAges();
  localTimes();
}
document.body.addEventListener("htmx:afterSwap", settle);
setInterval(refreshAges, 10_000);
settle();

const log = document.querySelector("[data-log]");
if (log) followLog(log);
const charts = document.querySelector("[data-charts]");
if (charts) drawCharts(charts);
