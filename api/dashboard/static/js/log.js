// The log keeps its newest line in sight until the reader scrolls up, and hides what is below the chosen level.

const SHOWN = { info: "li", warning: "[data-level=warning], [data-level=error]", error: "[data-level=error]" };

export function followLog(sheet) {
  const list = sheet.querySelector(".log");
  const follow = sheet.querySelector("[data-follow]");
  const level = sheet.querySelector("[data-level-choice]");
  const empty = sheet.querySelector(".log-empty");

  const toEnd = () => {
    empty.hidden = list.querySelector(SHOWN[level.value]) !== null;
    if (follow.checked) list.scrollTop = list.scrollHeight;
  };
  new MutationObserver(toEnd).observe(list, { childList: true });
  list.addEventListener("scroll", () => {
    follow.checked = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
  }, { passive: true });
  follow.addEventListener("change", toEnd);
  level.addEventListener("change", () => { list.dataset.level = level.value; toEnd(); });
  toEnd();
}
