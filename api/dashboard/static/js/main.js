// What every page has: times, copy buttons, dialogs, the theme, and what is new. Elements say what they do by attributes.

import "./copy.js";
import "./dialogs.js";
import { live } from "./live.js";
import { showTimes } from "./times.js";

// New HTML is grown into the old: what the reader opened, chose or is typing stays; [data-keep] belongs to a script.
Idiomorph.defaults.ignoreActiveValue = true;
Object.assign(Idiomorph.defaults.callbacks, {
  beforeNodeMorphed: (old) => !(old instanceof Element && old.hasAttribute("data-keep")),
  beforeAttributeUpdated: (name, node) => !(name === "open" && (node.tagName === "DETAILS" || node.tagName === "DIALOG")),
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  const root = document.documentElement;
  const dark = root.dataset.theme === "dark"
    || (root.dataset.theme === undefined && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  document.dispatchEvent(new Event("theme"));
});

document.body.addEventListener("htmx:afterSwap", () => showTimes());
setInterval(showTimes, 10_000);
showTimes();
live();

// On a phone the bar may be longer than the screen: the section one is in is in sight.
const nav = document.querySelector(".bar nav");
const here = nav?.querySelector("[aria-current]");
if (here) nav.scrollLeft = here.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
