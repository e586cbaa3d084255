// The controls of a spec's fields, read into a spec and filled from one. An empty control is a field left out.
//
// A control has the field's path as its id and says how it is read by data-control; data-default is what it shows.

export function get(spec, path) {
  return path.split(".").reduce((value, name) => value?.[name], spec);
}

// Sets a field, or leaves it out; a part that has nothing left goes as well.
export function set(spec, path, value) {
  const names = path.split(".");
  const last = names.pop();
  if (value === undefined && get(spec, path) === undefined) return;
  let part = spec;
  for (const name of names) {
    if (typeof part[name] !== "object" || part[name] === null || Array.isArray(part[name])) part[name] = {};
    part = part[name];
  }
  if (value === undefined) delete part[last];
  else part[last] = value;
  if (names.length && Object.keys(part).length === 0 && !KEPT.includes(names[0])) set(spec, names.join("."), undefined);
}

const KEPT = ["dataset", "teacher", "student"];

// What cannot be read stays as it is written: the server says what is wrong with it.
function scalar(text) {
  if (/^(none|null)$/i.test(text)) return null;
  if (/^(true|false)$/.test(text)) return text === "true";
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

const READ = {
  text: (control) => control.value.trim() || undefined,
  number: (control) => (control.value.trim() ? scalar(control.value.trim()) : undefined),
  choice: (control) => (control.value === (control.dataset.default ?? "") ? undefined : control.value || undefined),
  switch: (control) => (control.checked === (control.dataset.default === "true") ? undefined : control.checked),
  pair: (control) => {
    const text = control.value.trim();
    return text ? (/^[\d\s]+[x×,][\d\s]+$/i.test(text) ? text.split(/[x×,]/i).map(Number) : text) : undefined;
  },
  list: (control) => (control.value.trim() ? control.value.split(/[,\s]+/).filter(Boolean).map(scalar) : undefined),
  choices: (control) => {
    const chosen = [...control.querySelectorAll("input:checked")].map((one) => one.value);
    return chosen.join(", ") === control.dataset.default ? undefined : chosen;
  },
  entries: (control) => {
    const lines = control.value.split("\n").filter((line) => line.trim());
    if (lines.length === 0) return undefined;
    return Object.fromEntries(lines.map((line) => {
      const at = line.indexOf(":");
      return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), scalar(line.slice(at + 1).trim())];
    }));
  },
};

const WRITE = {
  text: (control, value) => { control.value = value === undefined || value === null ? "" : String(value); },
  number: (control, value) => { control.value = value === undefined ? "" : value === null ? "none" : String(value); },
  choice: (control, value) => {
    const wanted = value === undefined || value === null ? control.dataset.default ?? "" : String(value);
    // What was written by hand, or is one of too many to be listed, can be chosen still.
    if (![...control.options].some((option) => option.value === wanted)) control.add(new Option(wanted, wanted));
    control.value = wanted;
  },
  switch: (control, value) => { control.checked = value === undefined ? control.dataset.default === "true" : value === true; },
  pair: (control, value) => { control.value = Array.isArray(value) ? value.join("x") : value ?? ""; },
  list: (control, value) => { control.value = Array.isArray(value) ? value.join(", ") : value ?? ""; },
  choices: (control, value) => {
    const chosen = Array.isArray(value) ? value : control.dataset.default.split(", ");
    for (const box of control.querySelectorAll("input")) box.checked = chosen.includes(box.value);
  },
  entries: (control, value) => {
    control.value = Object.entries(value ?? {}).map(([name, entry]) => `${name}: ${entry}`).join("\n");
  },
};

export function read(control) {
  return READ[control.dataset.control](control);
}

export function fill(form, spec) {
  for (const control of form.querySelectorAll("[data-control]")) {
    if (!control.contains(document.activeElement)) WRITE[control.dataset.control](control, get(spec, control.id));
  }
}
