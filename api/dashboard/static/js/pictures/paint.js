// Cells as a picture of one pixel each, to be laid over a photograph.

import { cells, distances } from "./album.js";

// From near to far; lightness rises all the way, so that it reads without hue as well.
export const STOPS = [[8, 8, 32], [66, 15, 117], [147, 38, 103], [221, 81, 58], [252, 165, 10], [252, 255, 164]];
const OUTSIDE = [10, 14, 18, 165];

// What is not imitated is darkened, what is keeps the photograph under a tint of the imitated student's colour.
export function regionPicture(mask, colour) {
  const inside = cells(mask);
  return painted(mask, (at) => (inside[at] ? [...colour, 105] : OUTSIDE));
}

export function distancePicture(map) {
  const values = distances(map);
  return painted(map, (at) => [...heat(values[at] / 255), 215]);
}

// The border between imitated cells and others, as an SVG path over width x height.
export function outline(mask, width, height) {
  const inside = cells(mask);
  const [dx, dy] = [width / mask.width, height / mask.height];
  const at = (x, y) => x >= 0 && y >= 0 && x < mask.width && y < mask.height && inside[y * mask.width + x];
  let path = "";
  for (let y = 0; y <= mask.height; y += 1) {
    for (let x = 0; x <= mask.width; x += 1) {
      if (x < mask.width && at(x, y) !== at(x, y - 1)) path += `M${(x * dx).toFixed(1)} ${(y * dy).toFixed(1)}h${dx.toFixed(1)}`;
      if (y < mask.height && at(x, y) !== at(x - 1, y)) path += `M${(x * dx).toFixed(1)} ${(y * dy).toFixed(1)}v${dy.toFixed(1)}`;
    }
  }
  return path;
}

function heat(place) {
  const scaled = Math.min(Math.max(place, 0), 1) * (STOPS.length - 1);
  const low = Math.min(Math.floor(scaled), STOPS.length - 2);
  return STOPS[low].map((part, channel) => Math.round(part + (STOPS[low + 1][channel] - part) * (scaled - low)));
}

function painted({ width, height }, colour) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let at = 0; at < width * height; at += 1) image.data.set(colour(at), 4 * at);
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
