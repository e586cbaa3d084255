// The pictures of a job: an album that its run wrote, drawn over the photographs as the reader moves the threshold.

import { ORDERS, ordered } from "../pictures/album.js";
import { Card } from "../pictures/card.js";
import { html } from "../pictures/panel.js";
import { readSettings, settingsOf, writeAddress } from "../pictures/settings.js";

const sheet = document.querySelector("[data-album]");
if (sheet) open(sheet);

async function open(sheet) {
  const say = sheet.querySelector("[data-say]");
  let album;
  try {
    const response = await fetch(sheet.dataset.album);
    if (!response.ok) throw new Error(`the service answered ${response.status}`);
    album = await response.json();
    if (album.version !== 1) throw new Error(`they were written in version ${album.version}, which this page does not know`);
  } catch (error) {
    say.textContent = `The pictures could not be read: ${error.message}. Load the page again, or open the report.`;
    say.classList.remove("waiting");
    sheet.dataset.state = "failed";
    return;
  }
  new Viewer(sheet, album, say).begin();
}

class Viewer {
  constructor(sheet, album, say) {
    this.sheet = sheet;
    this.album = album;
    this.say = say;
    this.form = sheet.querySelector("form");
    this.list = sheet.querySelector("[data-pictures]");
    this.settings = { version: 0 };
    this.watch = new IntersectionObserver(
      (entries) => entries.forEach(({ target, isIntersecting }) => this.cardOf.get(target)?.show(isIntersecting)),
      { rootMargin: "600px 0px" },
    );
    const marks = Object.fromEntries([...sheet.querySelectorAll("[data-mark]")].map((mark) => [mark.dataset.mark, mark]));
    const mark = (role) => marks[role].firstElementChild.cloneNode(true);
    this.cardOf = new Map(album.pictures.map((picture) => {
      const card = new Card(album, picture, this.settings, mark);
      return [card.element, card];
    }));
  }

  begin() {
    this.offer();
    readSettings(this.form, this.album);
    this.form.addEventListener("input", (event) => {
      if (event.target.name === "score") this.form.elements.own.checked = false;
      this.change();
    });
    this.form.addEventListener("click", (event) => {
      const all = event.target.closest("[data-all]");
      if (!all) return;
      for (const box of this.form.querySelectorAll("[name=class]")) box.checked = all.dataset.all === "on";
      this.change();
    });
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.hidden = false;
    this.change();
    this.sheet.dataset.state = "ready";
    // A link from the evaluation names one picture.
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (named) { named.scrollIntoView(); named.focus({ preventScroll: true }); }
  }

  // What there is to choose from depends on the album.
  offer() {
    const { classes, pictures } = this.album;
    this.form.querySelector("[data-classes]").replaceChildren(...classes.map((name, index) =>
      html("label", { class: "toggle" }, html("input", { type: "checkbox", name: "class", value: index }), html("span", {}, name))));
    const region = pictures.find((picture) => picture.region.length)?.region ?? [];
    const maps = Math.max(0, ...pictures.flatMap((picture) => Object.values(picture.distances).map((levels) => levels.length)));
    const levels = Math.max(region.length, maps);
    for (const [name, there] of [["region", region.length > 0], ["distances", maps > 0], ["level", levels > 1]]) {
      if (!there) this.form.querySelector(`[data-offers="${name}"]`).remove();
    }
    for (let level = 0; levels > 1 && level < levels; level += 1) {
      const mask = region[level];
      this.form.elements.level.add(new Option(mask ? `${level + 1}: ${mask.width} × ${mask.height} cells` : `${level + 1}`, level));
    }
    for (const [order, { keep }] of Object.entries(ORDERS)) {
      const count = pictures.filter(keep).length;
      this.form.querySelector(`[data-count="${order}"]`).textContent = count;
      this.form.querySelector(`[name=order][value="${order}"]`).disabled = count === 0;
    }
  }

  change() {
    const version = this.settings.version + 1;
    const before = this.settings.order;
    Object.assign(this.settings, settingsOf(this.form, this.album), { version, imitatedColour: this.colour() });
    writeAddress(this.settings);
    this.form.elements.scoreShown.value = this.settings.own ? "each its best" : this.settings.score.toFixed(2);
    if (before !== this.settings.order) this.arrange();
    for (const card of this.cardOf.values()) card.settingsChanged();
  }

  arrange() {
    const shown = ordered(this.album, this.settings.order);
    const elements = new Map([...this.cardOf].map(([element, card]) => [card.picture, element]));
    this.watch.disconnect();
    this.list.replaceChildren(...shown.map((picture) => elements.get(picture)));
    for (const element of this.list.children) this.watch.observe(element);
    const { images } = this.album;
    this.say.classList.remove("waiting");
    this.say.textContent = shown.length === images ? `All ${images} images of the val split.` : `${shown.length} of the ${images} images of the val split.`;
  }

  colour() {
    const probe = this.sheet.querySelector("[data-mark=imitated] .on-photograph");
    return getComputedStyle(probe).color.match(/\d+(\.\d+)?/g).slice(0, 3).map(Number);
  }
}
