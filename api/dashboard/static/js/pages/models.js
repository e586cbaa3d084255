// Registering a file of weights.

import { clearProblems, showProblem } from "../problems.js";
import { size } from "../sizes.js";

const form = document.querySelector("[data-model-form]");
const bar = form.querySelector("progress");
const button = form.querySelector("button[type=submit]");
const fields = form.elements;
const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

fields.weights.addEventListener("change", () => {
  const file = fields.weights.files[0];
  if (file && !fields.name.value) fields.name.value = file.name.replace(/\.safetensors$/i, "");
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearProblems(form);
  const file = fields.weights.files[0];
  const largest = Number(form.dataset.largest);
  if (file.size > largest) return refuse({ detail: `${file.name} has ${size(file.size)}; at most ${size(largest)} are taken.` });
  const query = new URLSearchParams({ name: fields.name.value });
  for (const name of ["detector", "image_size"]) if (fields[name].value) query.set(name, fields[name].value);
  for (const name of ["class", "anchor"]) for (const line of lines(fields[name].value)) query.append(name, line);
  send(`/v1/models?${query}`, file);
});

function send(path, file) {
  const request = new XMLHttpRequest();
  request.open("POST", path);
  request.setRequestHeader("content-type", "application/octet-stream");
  request.upload.onprogress = ({ loaded, total }) => { bar.value = loaded / total; };
  request.onloadend = () => {
    button.disabled = false;
    bar.hidden = true;
    let answer;
    try { answer = JSON.parse(request.responseText); } catch { answer = { detail: "The service does not answer; nothing was kept." }; }
    if (request.status === 201) location.assign(`/models/${answer.id}`);
    else refuse(answer);
  };
  button.disabled = true;
  bar.hidden = false;
  request.send(file);
}

function refuse(problem) {
  showProblem(form, problem)?.focus();
}
