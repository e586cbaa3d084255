// Pure functions on series of metrics: { role, seed, steps, epochs, values } as the API gives them.

// Exponential moving average without the pull towards the start (bias-corrected); keeps every point, the last included.
export function smooth(values, weight) {
  if (weight <= 0) return values;
  let sum = 0;
  let mass = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}

// Bring series with different x to one table of columns, as uPlot wants it: [x, y1, y2, ...], null where one has no point.
export function table(series, axis, weight) {
  const at = new Set();
  const columns = series.map(({ [axis]: xs, values }) => {
    const smoothed = smooth(values, weight);
    const points = new Map();
    xs.forEach((x, index) => { at.add(x); points.set(x, smoothed[index]); });
    return points;
  });
  const xs = [...at].sort((a, b) => a - b);
  return [xs, ...columns.map((points) => xs.map((x) => points.get(x) ?? null))];
}

// Logarithms know no zero and no negative number: those points are left out.
export function positive(columns) {
  const [xs, ...rest] = columns;
  return [xs, ...rest.map((values) => values.map((value) => (value !== null && value > 0 ? value : null)))];
}

export function lastValue(values) {
  for (let index = values.length - 1; index >= 0; index -= 1) {
    if (values[index] !== null && values[index] !== undefined) return values[index];
  }
  return null;
}
