// One panel: a photograph with what belongs over it, as SVG. Names reach the page as text alone.

const SVG = "http://www.w3.org/2000/svg";

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function html(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// layers: elements over the photograph. label: for those who do not see it.
export function panel(picture, label, layers) {
  const photo = layer(picture, `data:image/jpeg;base64,${picture.photo}`);
  const drawn = svg("svg", { viewBox: `0 0 ${picture.width} ${picture.height}`, role: "img", "aria-label": label }, photo, ...layers);
  return drawn;
}

export function layer(picture, source, kind = "photo") {
  return svg("image", { class: kind, width: picture.width, height: picture.height, preserveAspectRatio: "none", href: source });
}

// A dark line below the coloured one keeps a box visible on any photograph.
export function rectangle([x1, y1, x2, y2], kind, title) {
  const place = { x: x1, y: y1, width: Math.max(x2 - x1, 0.5), height: Math.max(y2 - y1, 0.5) };
  const group = svg("g", { class: `box ${kind}` }, svg("rect", { class: "under", ...place }), svg("rect", place));
  if (title) group.prepend(svg("title", {}, title));
  return group;
}

export function outlined(path) {
  return svg("g", { class: "outline" }, svg("path", { class: "under", d: path }), svg("path", { d: path }));
}
