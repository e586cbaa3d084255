// The labels below the axis of gains stand where their ticks are.

function place() {
  for (const label of document.querySelectorAll("[data-at]")) label.style.setProperty("--at", `${label.dataset.at}%`);
}

document.body.addEventListener("htmx:afterSwap", place);
place();
