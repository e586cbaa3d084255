// What a dry run tells, as HTML made of text alone.

import { duration, size } from "./sizes.js";

const ROLES = { teacher: "Teacher", plain: "Plain student", imitated: "Imitating student" };

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, attributes);
  made.append(...children);
  return made;
}

export function drawEstimate(place, answer) {
  const box = element("div", { className: "estimate" });
  if (answer.estimate) {
    const { total_seconds: total, low_seconds: low, high_seconds: high, seconds, around_seconds: around, note, disk_bytes: disk, steps } = answer.estimate;
    const parts = element("dl");
    for (const [role, value] of Object.entries(seconds)) parts.append(element("dt", {}, ROLES[role] ?? role), element("dd", {}, duration(value)));
    parts.append(element("dt", {}, "Around them"), element("dd", {}, duration(around)), element("dt", {}, "Steps"), element("dd", {}, String(steps)), element("dt", {}, "Disk"), element("dd", {}, size(disk)));
    box.append(
      element("p", { className: "total" }, `about ${duration(total)}`),
      element("p", { className: "quiet" }, `between ${duration(low)} and ${duration(high)}. ${note}`),
      parts,
    );
  } else {
    box.append(element("p", { className: "quiet" }, "No estimate: the data set's report does not say how many images it has."));
  }
  box.append(element("p", { className: "quiet" }, waits(answer.place)));
  if (answer.resolved.length) box.append(autos(answer.resolved));
  place.replaceChildren(box);
}

function waits({ ahead, workers, device_class: kind, device }) {
  const who = workers === 0 ? "no worker is there now" : `${workers} worker${workers === 1 ? "" : "s"}${device ? ` on ${device}` : ""}`;
  return `Waits among ${kind === "any" ? "all" : kind} workers (${who}); ${ahead === 0 ? "nothing is" : `${ahead} job${ahead === 1 ? " is" : "s are"}`} ahead.`;
}

function autos(resolved) {
  const list = element("dl", { className: "autos" });
  for (const { path, value, note } of resolved) {
    list.append(element("dt", {}, path), element("dd", {}, value === null ? "" : `${value} `, element("small", {}, note)));
  }
  const details = element("details", { id: "autos" }, element("summary", {}, "What auto becomes"), list);
  details.open = document.getElementById("autos")?.open ?? false;
  return details;
}
