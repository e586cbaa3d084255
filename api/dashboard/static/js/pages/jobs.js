// The list of jobs: which of them are ticked, across filters, pages and renewals of the list.

const MOST = 10;
const KEY = "chosen-jobs";
const bar = document.querySelector("[data-compare-bar]");
if (bar) begin(bar);

function begin(bar) {
  const chosen = new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));
  const list = document.getElementById("list");
  const output = bar.querySelector("output");
  const submit = bar.querySelector("[type=submit]");
  const clear = bar.querySelector("[data-clear]");

  function show() {
    for (const box of list.querySelectorAll(".pick")) {
      box.checked = chosen.has(box.value);
      box.disabled = !box.checked && chosen.size >= MOST;
    }
    submit.disabled = chosen.size < 2;
    clear.hidden = chosen.size === 0;
    bar.toggleAttribute("data-chosen", chosen.size > 0);
    output.textContent = chosen.size === 0 ? "Tick two to ten jobs to compare them"
      : chosen.size === 1 ? "1 job chosen, one more to compare" : `${chosen.size} jobs chosen`;
    sessionStorage.setItem(KEY, JSON.stringify([...chosen]));
  }

  list.addEventListener("change", ({ target }) => {
    if (!target.matches(".pick")) return;
    if (target.checked) chosen.add(target.value); else chosen.delete(target.value);
    show();
  });
  clear.addEventListener("click", () => { chosen.clear(); show(); list.querySelector(".pick")?.focus(); });
  // Some that are ticked may stand on another page of the list: the address is made from all of them.
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(`${bar.action}?${new URLSearchParams([...chosen].map((id) => ["job", id]))}`);
  });
  document.body.addEventListener("htmx:afterSwap", show);
  addEventListener("pageshow", show);
  show();
}
