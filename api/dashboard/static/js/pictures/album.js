// Pure functions on the album that a run wrote (pictures.json): what is seen at a threshold, and cells as pixels.

export const ROLES = ["teacher", "plain", "imitated"];

// settings: { own: each role its own threshold, score: else this one, classes: Set of indices that are shown }
export function isSeen(album, role, settings, label, score) {
  if (!settings.classes.has(label)) return false;
  return score >= (settings.own ? album.thresholds[role][label] : settings.score);
}

// What one role shows of a picture: its detections from the threshold on, and the boxes that it misses.
// The best scored detection of a box is the true one, so a threshold changes no verdict of those that stay.
export function seen(album, picture, role, settings) {
  const found = picture.roles[role];
  if (!found) return null;
  const detections = [];
  const owned = new Set();
  const counts = { true: 0, false: 0, ignored: 0 };
  found.scores.forEach((score, index) => {
    const label = found.labels[index];
    if (!isSeen(album, role, settings, label, score)) return;
    counts[found.verdicts[index]] += 1;
    owned.add(found.owners[index]);
    detections.push({ box: found.boxes[index], score, label, verdict: found.verdicts[index] });
  });
  const missed = picture.truth.boxes
    .map((box, index) => ({ box, label: picture.truth.labels[index], index }))
    .filter(({ label, index }) => settings.classes.has(label) && !picture.truth.difficult[index] && !owned.has(index));
  return { detections, missed, counts: { ...counts, missed: missed.length } };
}

export function truth(picture, settings) {
  return picture.truth.boxes
    .map((box, index) => ({ box, label: picture.truth.labels[index], difficult: picture.truth.difficult[index] }))
    .filter(({ label }) => settings.classes.has(label));
}

// How many errors the student made less through imitation, at the thresholds that suit each best.
export function won(picture) {
  return picture.change ? picture.change.plain - picture.change.imitated : 0;
}

export const ORDERS = {
  worst: { keep: () => true, by: null },
  gained: { keep: (picture) => won(picture) > 0, by: (a, b) => won(b) - won(a) },
  lost: { keep: (picture) => won(picture) < 0, by: (a, b) => won(a) - won(b) },
};

export function ordered(album, order) {
  const { keep, by } = ORDERS[order] ?? ORDERS.worst;
  const chosen = album.pictures.filter(keep);
  return by ? chosen.sort(by) : chosen;
}

function bytes(text) {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
}

// Which cells are imitated, row by row.
export function cells({ width, height, bits }) {
  const packed = bytes(bits);
  return Array.from({ length: width * height }, (_, at) => Boolean((packed[at >> 3] >> (7 - (at & 7))) & 1));
}

export function share(mask) {
  const inside = cells(mask);
  return inside.length ? inside.filter(Boolean).length / inside.length : 0;
}

export function distances({ values }) {
  return bytes(values);
}
