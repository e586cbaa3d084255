// The upload on the page of data sets: choosing, dropping, and how far it is.

import { duration, size } from "../sizes.js";
import { mediaType, Refused, Upload } from "../upload.js";

const sheet = document.querySelector("[data-upload]");
const part = (name) => sheet.querySelector(`[data-${name}]`);
const form = part("upload-form");
const { archive, name } = form.elements;
const drop = part("drop");
const underWay = part("under-way");
const wrong = part("upload-wrong");
let upload;
let began;

function chosen() {
  const file = archive.files[0];
  wrong.textContent = file ? unfit(file) : "";
  if (file && !name.value) name.value = file.name.replace(/\.(zip|tar|tgz|tzst|tar\.gz|tar\.zst|gz|zst)$/i, "");
}

function unfit(file) {
  if (!mediaType(file.name)) return `${file.name} is no archive the service knows: pack the folder as .zip, .tar, .tar.gz or .tar.zst.`;
  if (file.size === 0) return `${file.name} is empty.`;
  if (file.size > Number(sheet.dataset.largest)) return `${file.name} has ${size(file.size)}; at most ${size(Number(sheet.dataset.largest))} are taken.`;
  return "";
}

async function send(event) {
  event.preventDefault();
  const file = archive.files[0];
  if (!file || upload) return;
  wrong.textContent = unfit(file);
  if (wrong.textContent) return;
  upload = new Upload(file, name.value.trim(), tell);
  began = undefined;
  show(true);
  try {
    const done = await upload.run();
    location.assign(`/datasets/${done.dataset_id}`);
  } catch (error) {
    if (error.name !== "AbortError") wrong.textContent = error instanceof Refused ? error.message : "The service does not answer. Upload the same file again, and it goes on where it was.";
    show(false);
  }
}

function tell({ state, sent, size: whole }) {
  part("upload-state").textContent = state;
  if (sent === undefined) return;
  const now = performance.now() / 1000;
  began ??= { at: now, sent };
  const rate = (sent - began.sent) / Math.max(now - began.at, 0.5);
  const left = rate > 0 ? `, ${size(rate)}/s, ${duration((whole - sent) / rate)} left` : "";
  part("upload-rate").textContent = `${size(sent)} of ${size(whole)}${state === "sending" ? left : ""}`;
  underWay.querySelector("progress").value = sent / whole;
}

function show(sending) {
  form.hidden = sending;
  underWay.hidden = !sending;
  part("upload-name").textContent = name.value;
  toggle(false);
  if (!sending) upload = undefined;
}

function toggle(paused) {
  part("upload-pause").hidden = paused;
  part("upload-resume").hidden = !paused;
}

archive.addEventListener("change", chosen);
if (archive.files.length) chosen(); // Chosen before this script came, or kept by the browser over a reload.
form.addEventListener("submit", send);
part("upload-pause").addEventListener("click", () => { upload.pause(); toggle(true); part("upload-resume").focus(); });
part("upload-resume").addEventListener("click", () => { began = undefined; upload.resume(); toggle(false); part("upload-pause").focus(); });
part("upload-abort").addEventListener("click", () => upload.abort());
for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.toggleAttribute("data-over", true); });
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.toggleAttribute("data-over", false));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length !== 1) return;
  archive.files = event.dataTransfer.files;
  chosen();
});
// Leaving takes the upload with it; it goes on when the same file is chosen again.
addEventListener("beforeunload", (event) => { if (upload && !upload.over && !underWay.hidden && part("upload-state").textContent === "sending") event.preventDefault(); });
