// What the reader chose, kept in the address so that it can be shared and reloaded.

export function readSettings(form, album) {
  const asked = new URLSearchParams(location.search);
  const order = form.querySelector(`[name=order][value="${CSS.escape(asked.get("order") ?? "worst")}"]`);
  if (order) order.checked = true;
  const score = Number(asked.get("score"));
  if (asked.has("score") && score >= 0 && score <= 1) {
    form.elements.score.value = score;
    form.elements.own.checked = false;
  }
  const hidden = new Set(asked.getAll("without"));
  for (const box of form.querySelectorAll("[name=class]")) box.checked = !hidden.has(album.classes[Number(box.value)]);
  if (form.elements.level && asked.has("level")) form.elements.level.value = asked.get("level");
  if (form.elements.region) form.elements.region.checked = asked.get("region") !== "off";
  if (form.elements.distances) form.elements.distances.checked = asked.get("distances") === "on";
}

export function settingsOf(form, album) {
  const boxes = [...form.querySelectorAll("[name=class]")];
  return {
    order: form.querySelector("[name=order]:checked")?.value ?? "worst",
    own: form.elements.own.checked,
    score: Number(form.elements.score.value),
    classes: new Set(boxes.filter((box) => box.checked).map((box) => Number(box.value))),
    without: boxes.filter((box) => !box.checked).map((box) => album.classes[Number(box.value)]),
    level: Number(form.elements.level?.value ?? 0),
    region: form.elements.region?.checked ?? false,
    distances: form.elements.distances?.checked ?? false,
  };
}

export function writeAddress(settings) {
  const kept = new URLSearchParams();
  if (settings.order !== "worst") kept.set("order", settings.order);
  if (!settings.own) kept.set("score", settings.score.toFixed(2));
  settings.without.forEach((name) => kept.append("without", name));
  if (settings.level) kept.set("level", settings.level);
  if (!settings.region) kept.set("region", "off");
  if (settings.distances) kept.set("distances", "on");
  const query = kept.toString();
  history.replaceState(null, "", `${location.pathname}${query ? `?${query}` : ""}${location.hash}`);
}
