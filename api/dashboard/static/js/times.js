// Moments in the viewer's own zone; how long ago, in the same words as the server says it.

const UNITS = [["d", 86_400], ["h", 3600], ["min", 60]];
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

export function age(seconds) {
  for (const [unit, size] of UNITS) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit} ago`;
  }
  return "just now";
}

const SAY = {
  age: (moment) => age((Date.now() - moment) / 1000),
  clock: (moment) => clock.format(moment),
  date: (moment) => day.format(moment),
};

export function showTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-time]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const text = SAY[time.dataset.time](moment);
    if (time.textContent !== text) time.textContent = text;
    const title = whole.format(moment);
    if (time.title !== title) time.title = title;
  }
}
