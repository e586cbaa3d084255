// One picture of the album: its panels side by side, drawn when it comes into sight and again when a setting changes.

import { ROLES, seen, share, truth, won } from "./album.js";
import { distancePicture, outline, regionPicture } from "./paint.js";
import { html, layer, outlined, panel, rectangle } from "./panel.js";

const TITLES = { teacher: "Teacher", plain: "Plain", imitated: "Imitated" };

export class Card {
  constructor(album, picture, settings, marks) {
    this.album = album;
    this.picture = picture;
    this.settings = settings;
    this.marks = marks;
    this.inSight = false;
    this.panels = html("div", { class: "panels" });
    const larger = html("button", { type: "button", class: "plainly", "aria-pressed": "false" }, "Larger");
    larger.addEventListener("click", () => {
      const large = this.element.classList.toggle("is-large");
      larger.setAttribute("aria-pressed", large);
      larger.textContent = large ? "Smaller" : "Larger";
    });
    const header = html("header", {}, html("h3", {}, picture.id), this.verdict(), larger);
    this.element = html("article", { class: "picture", id: `picture-${picture.id}`, tabindex: "-1" }, header, this.panels);
    this.element.style.setProperty("--shape", `${picture.width} / ${picture.height}`);
  }

  verdict() {
    const by = won(this.picture);
    if (!this.picture.change) return "";
    const { plain, imitated } = this.picture.change;
    const word = by > 0 ? `${by} fewer` : by < 0 ? `${-by} more` : "as many";
    return html("p", { class: "small quiet" }, `${plain} errors plain, ${imitated} imitated: `, html("b", { class: by > 0 ? "up" : by < 0 ? "down" : "" }, word));
  }

  show(inSight) {
    this.inSight = inSight;
    if (inSight && this.drawn !== this.settings.version) this.draw();
  }

  settingsChanged() {
    if (this.inSight) this.draw();
  }

  draw() {
    this.drawn = this.settings.version;
    const figures = [this.truthFigure(), ...ROLES.map((role) => this.roleFigure(role)), ...this.distanceFigures()];
    this.panels.replaceChildren(...figures.filter(Boolean));
  }

  truthFigure() {
    const { picture, settings } = this;
    const boxes = truth(picture, settings);
    const mask = picture.region[settings.level];
    const layers = [];
    let note = `${boxes.length} boxes`;
    if (mask && settings.region) {
      layers.push(layer(picture, regionPicture(mask, settings.imitatedColour), "cells"), outlined(outline(mask, picture.width, picture.height)));
      note = `${Math.round(100 * share(mask))} % of ${mask.width} × ${mask.height} cells imitated`;
    }
    for (const { box, label, difficult } of boxes) {
      layers.push(rectangle(box, difficult ? "truth difficult" : "truth", `${this.album.classes[label]}${difficult ? ", does not count" : ""}`));
    }
    return this.figure(html("span", { class: "truth-name" }, settings.region && mask ? "Labels and region" : "Labels"), note, `${boxes.length} labelled boxes`, layers);
  }

  roleFigure(role) {
    const own = seen(this.album, this.picture, role, this.settings);
    if (!own) return null;
    const { counts } = own;
    const layers = own.missed.map(({ box, label }) => rectangle(box, "missed", `missed: ${this.album.classes[label]}`));
    // Best last, so that it lies on top.
    for (const { box, score, label, verdict } of own.detections.reverse()) {
      const word = verdict === "false" ? "false: " : verdict === "ignored" ? "does not count: " : "";
      layers.push(rectangle(box, `found ${role} ${verdict}`, `${word}${this.album.classes[label]} ${score.toFixed(2)}`));
    }
    const note = `${counts.true} true, ${counts.false} false, ${counts.missed} missed`;
    return this.figure(this.marks(role), note, `${TITLES[role]}: ${note}`, layers);
  }

  distanceFigures() {
    const { picture, settings } = this;
    if (!settings.distances) return [];
    return ROLES.filter((role) => picture.distances[role]?.[settings.level]).map((role) => {
      const layers = [layer(picture, distancePicture(picture.distances[role][settings.level]), "cells")];
      const mask = picture.region[settings.level];
      if (mask) layers.push(outlined(outline(mask, picture.width, picture.height)));
      return this.figure(this.marks(role), "distance to the teacher", `${TITLES[role]}: distance to the teacher's map at each cell`, layers);
    });
  }

  figure(name, note, label, layers) {
    const frame = html("div", { class: "frame" }, panel(this.picture, label, layers));
    return html("figure", {}, frame, html("figcaption", {}, name, html("span", { class: "quiet" }, note)));
  }
}
