// A chart as a PNG that can stand alone: title, curves and legend on the page's own ground.

const EDGE = 16;

export function savePicture(chart, title) {
  const source = chart.plot.querySelector("canvas");
  const ratio = source.width / chart.plot.clientWidth;
  const style = getComputedStyle(chart.figure);
  const sheet = getComputedStyle(chart.sheet);
  const canvas = document.createElement("canvas");
  canvas.width = source.width + 2 * EDGE * ratio;
  canvas.height = source.height + (2 * EDGE + 60) * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.fillStyle = sheet.backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = style.color;
  pen.font = `600 14px ${style.fontFamily}`;
  pen.fillText(title, EDGE, EDGE + 12);
  pen.drawImage(source, EDGE, EDGE + 24, source.width / ratio, source.height / ratio);
  let left = EDGE;
  const low = EDGE + 48 + source.height / ratio;
  pen.font = `12px ${style.fontFamily}`;
  for (const entry of chart.legend.querySelectorAll(".role")) {
    const text = `${entry.textContent.trim()} ${entry.parentElement.querySelector("output").textContent}`;
    pen.fillStyle = getComputedStyle(entry).color;
    pen.fillRect(left, low - 6, 18, 3);
    pen.fillStyle = style.color;
    pen.fillText(text, left + 24, low);
    left += 44 + pen.measureText(text).width;
  }
  canvas.toBlob((blob) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${title.replace(/[^\w.-]+/g, "-")}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
