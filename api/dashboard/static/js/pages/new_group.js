// The form of a new group: ready-made variants are added as lines, and the jobs are counted.

const text = document.getElementById("variants");
const counted = document.querySelector("[data-counted]");

function count() {
  const lines = text.value.split("\n").filter((line) => line.trim()).length;
  counted.textContent = lines ? `${lines} ${lines === 1 ? "job" : "jobs"}` : "";
}

for (const button of document.querySelectorAll("[data-lines]")) {
  button.addEventListener("click", () => {
    const there = new Set(text.value.split("\n"));
    const added = button.dataset.lines.split("\n").filter((line) => !there.has(line));
    text.value = [text.value.trimEnd(), ...added].filter(Boolean).join("\n");
    count();
  });
}
text.addEventListener("input", count);
count();
