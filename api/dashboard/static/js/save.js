// Files made in the browser.

export function save(name, href) {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}

export function saveText(name, text, type = "text/csv") {
  const href = URL.createObjectURL(new Blob([text], { type }));
  save(name, href);
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

// Rows of cells; text that a spreadsheet would run as a formula, or that breaks a row, is quoted.
export function csv(rows) {
  return rows.map((row) => row.map(cell).join(",")).join("\r\n");
}

function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// What uPlot drew, on the ground of its sheet and with a title.
export function savePng(name, uplot, title) {
  const { canvas } = uplot.ctx;
  const ratio = devicePixelRatio || 1;
  const head = 34 * ratio;
  const whole = document.createElement("canvas");
  whole.width = canvas.width;
  whole.height = canvas.height + head;
  const context = whole.getContext("2d");
  const styles = getComputedStyle(uplot.root.closest(".sheet") ?? document.body);
  context.fillStyle = styles.backgroundColor;
  context.fillRect(0, 0, whole.width, whole.height);
  context.fillStyle = styles.color;
  context.font = `600 ${13 * ratio}px ${styles.fontFamily}`;
  context.fillText(title, 12 * ratio, 22 * ratio);
  context.drawImage(canvas, 0, head);
  save(name, whole.toDataURL("image/png"));
}
