// The form of a new job and its file beside it. `spec` is the truth; whichever side was edited last wrote it.

import { drawEstimate } from "../estimate.js";
import { clearProblems, showProblem } from "../problems.js";
import { fill, get, read, set } from "../specform.js";

const form = document.querySelector(".composer");
const file = document.getElementById("yaml");
const fileWrong = document.getElementById("yaml-wrong");
const estimate = form.querySelector("[data-estimate]");
const checked = form.querySelector("[data-checked]");
const methodFields = form.querySelector("[data-method-fields]");
const button = form.querySelector("button[type=submit]");
const byId = (id) => document.getElementById(id);
let spec = JSON.parse(form.dataset.spec);
let written = false; // The file was edited last: its comments are kept and it is what is sent.
let asked = 0;
let timer;

async function ask(path, type, body, signal) {
  const response = await fetch(path, { method: "POST", headers: { "content-type": type, accept: "application/json" }, body, signal });
  const text = await response.text();
  const json = (response.headers.get("content-type") ?? "").includes("json");
  return { ok: response.ok, status: response.status, text, answer: json && text ? JSON.parse(text) : null };
}

// ---- the form writes the file

form.addEventListener("input", (event) => {
  const control = event.target.closest("[data-control]");
  if (!control || event.target === file) return;
  written = false;
  take(control);
  soon(async () => {
    await writeFile();
    await check();
  });
});

function take(control) {
  set(spec, control.id, read(control));
  if (control.id === "method.name") {
    spec.method = { name: control.value };
    showMethod();
  }
  const side = /^(teacher|student)\.model$/.exec(control.id)?.[1];
  if (side && control.value) for (const name of ["detector", "init"]) set(spec, `${side}.${name}`, undefined);
  if (control.id === "dataset.id") takeSplits();
  showChosen();
}

function facts(id) {
  const option = byId(id).selectedOptions[0];
  return option?.dataset.facts ? JSON.parse(option.dataset.facts) : {};
}

function takeSplits() {
  const { guess } = facts("dataset.id");
  for (const role of ["train", "val"]) set(spec, `dataset.${role}`, guess?.[role]);
  fill(form, spec);
}

// What one choice makes of others: the splits to choose from; a model says its detector and its first weights.
function showChosen() {
  byId("splits").replaceChildren(...(facts("dataset.id").splits ?? []).map((name) => new Option(name, name)));
  for (const side of ["teacher", "student"]) {
    const isModel = Boolean(byId(`${side}.model`).value);
    for (const name of ["detector", "init"]) byId(`${side}.${name}`).disabled = isModel;
    if (isModel) byId(`${side}.detector`).value = facts(`${side}.model`).detector ?? "";
  }
}

function showMethod() {
  const name = get(spec, "method.name") ?? byId("method.name").dataset.default;
  const template = [...form.querySelectorAll("template[data-method]")].find((one) => one.dataset.method === name);
  methodFields.replaceChildren(...(template ? [template.content.cloneNode(true)] : []));
  fill(form, spec);
}

async function writeFile() {
  const { ok, text } = await ask("/jobs/new/yaml", "application/json", JSON.stringify(spec));
  if (ok && document.activeElement !== file) file.value = text;
  fileWrong.textContent = "";
}

// ---- the file fills the form

file.addEventListener("input", () => {
  written = true;
  soon(async () => {
    const { ok, answer } = await ask("/jobs/new/spec", "application/yaml", file.value);
    clearProblems(form);
    fileWrong.textContent = ok ? "" : answer?.detail ?? "";
    if (!ok) return;
    if (answer === null || typeof answer !== "object") return;
    spec = answer;
    showMethod();
    showChosen();
    await check();
  });
});

// ---- the server says what it makes of it

function soon(work) {
  clearTimeout(timer);
  timer = setTimeout(() => work().catch(unreachable), 250);
}

function body() {
  return written ? ["application/yaml", file.value] : ["application/json", JSON.stringify(spec)];
}

async function check() {
  const mine = asked += 1;
  checked.textContent = "checking";
  const { ok, answer } = await ask("/v1/jobs?dry_run=true", ...body());
  if (mine !== asked) return;
  checked.textContent = "";
  if (ok) {
    clearProblems(form);
    drawEstimate(estimate, answer);
  } else {
    // While a form is being filled, what is still empty is no news.
    const touched = answer.errors?.filter((error) => error.message !== "is required" && !(error.path === "name" && !spec.name));
    if (answer.errors?.length && !touched.length) clearProblems(form);
    else showProblem(form, { ...answer, errors: touched });
    estimate.replaceChildren(Object.assign(document.createElement("p"), { className: "quiet small", textContent: "Shows when the spec is complete." }));
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearTimeout(timer);
  asked += 1;
  button.disabled = true;
  try {
    const { ok, answer } = await ask("/v1/jobs", ...body());
    if (ok) { location.assign(`/jobs/${answer.id}`); return; }
    reveal(showProblem(form, answer));
  } catch (error) {
    unreachable(error);
  }
  button.disabled = false;
});

function reveal(control) {
  for (let part = control?.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  control?.focus();
}

function unreachable() {
  checked.textContent = "The service does not answer.";
}

form.querySelector("[data-copy-yaml]").addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(file.value);
  const label = event.target.closest("button").querySelector("span");
  label.textContent = "Copied";
  setTimeout(() => { label.textContent = "Copy"; }, 1500);
});

fill(form, spec);
showMethod();
showChosen();
writeFile().then(check).catch(unreachable);
