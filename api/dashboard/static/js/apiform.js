// <form data-api="/v1/things" data-then="/things/{id}"> posts its fields as JSON; what is refused is said in the form.

import { clearProblems, showProblem } from "./problems.js";

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-api]");
  if (!form) return;
  event.preventDefault();
  clearProblems(form);
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    const body = JSON.stringify(Object.fromEntries(new FormData(form)));
    const response = await fetch(form.dataset.api, { method: "POST", headers: { "content-type": "application/json" }, body });
    const answer = await response.json();
    if (response.ok) { location.assign(form.dataset.then.replace("{id}", encodeURIComponent(answer.id))); return; }
    showProblem(form, answer)?.focus();
  } catch {
    showProblem(form, { detail: "The service does not answer; nothing was changed." });
  }
  button.disabled = false;
});
