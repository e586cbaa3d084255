// <button data-copy="TEXT"><span class="said"></span></button> copies TEXT and says so.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.querySelector(".said");
  const before = label.dataset.before ?? label.textContent;
  label.dataset.before = before;
  try {
    await write(button.dataset.copy);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Select and copy it by hand";
  }
  setTimeout(() => { label.textContent = before; delete label.dataset.before; }, 1500);
});

// Browsers lend the clipboard only to https and to this very machine; elsewhere the old way is left.
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("not copied");
}
