// What the server refused, beside the fields it is about, in its own words.
//
// A field named `schedule.epochs` has its place in #schedule.epochs-wrong; what belongs to no field of the form goes to [data-wrong].

export function clearProblems(form) {
  for (const place of form.querySelectorAll(".wrong")) place.textContent = "";
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  const rest = form.querySelector("[data-wrong]");
  if (rest) rest.textContent = "";
}

// Returns the first control that is wrong.
export function showProblem(form, problem) {
  clearProblems(form);
  const errors = problem.errors?.length ? problem.errors : [{ path: "", message: problem.detail, hint: problem.hint }];
  const left = [];
  let first;
  for (const error of errors) {
    const text = [sentence(error.message), error.hint].filter(Boolean).join(" ");
    const control = nearest(form, error.path);
    if (!control) { left.push(error.path ? `${error.path}: ${text}` : text); continue; }
    const [field, element] = control;
    const place = document.getElementById(`${field}-wrong`);
    const told = field === error.path ? text : `${error.path}: ${text}`;
    place.textContent = [place.textContent, told].filter(Boolean).join(" ");
    element.setAttribute("aria-invalid", "true");
    element.setAttribute("aria-describedby", `${field}-wrong`);
    if (!first || element.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING) first = element;
  }
  const rest = form.querySelector("[data-wrong]");
  if (rest) rest.textContent = left.join(" ");
  return first;
}

// `seeds[1]` is said at `seeds`, `teacher.image_size[0]` at `teacher.image_size`; what has no field of its own, at none.
function nearest(form, path) {
  for (let name = path; name; name = name.replace(/(\[\d+\]|\.[^.[]+|^[^.[]+)$/, "")) {
    const element = document.getElementById(name);
    if (element && form.contains(element) && document.getElementById(`${name}-wrong`)) return [name, element];
  }
  return undefined;
}

function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
