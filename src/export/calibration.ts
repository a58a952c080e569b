/**
 * How sure a model may be, and of which images: from images that training did not learn from, where there are any.
 */

/**
 * Temperature scaling (Guo et al., On calibration of modern neural networks, ICML 2017): the T for which probabilities
 * p^(1/T), normalized, have the least cross-entropy. Between 1/20 and 20.
 * @param probabilities one row for each image @param labels their classes
 */
export function fitTemperature(probabilities: readonly Float32Array[], labels: ArrayLike<number>): number {
  const logits = probabilities.map((row) => Array.from(row, (p) => Math.log(Math.max(p, 1e-30))));
  const loss = (logT: number) => {
    const scale = Math.exp(-logT);
    let sum = 0;
    logits.forEach((row, i) => {
      const greatest = Math.max(...row);
      const total = row.reduce((rest, logit) => rest + Math.exp((logit - greatest) * scale), 0);
      sum += Math.log(total) - (row[labels[i]] - greatest) * scale;
    });
    return sum;
  };
  return Math.exp(minimize(loss, -Math.log(20), Math.log(20)));
}

/** The minimum of a function with one valley, by golden-section search, to 10⁻⁴. */
function minimize(f: (x: number) => number, low: number, high: number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [low, high];
  let [left, right] = [b - ratio * (b - a), a + ratio * (b - a)];
  let [atLeft, atRight] = [f(left), f(right)];
  while (b - a > 1e-4) {
    if (atLeft < atRight) {
      [b, right, atRight] = [right, left, atLeft];
      left = b - ratio * (b - a);
      atLeft = f(left);
    } else {
      [a, left, atLeft] = [left, right, atRight];
      right = a + ratio * (b - a);
      atRight = f(right);
    }
  }
  return (a + b) / 2;
}

/** The value below which a share of the values lie. @param values one or more */
export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))];
}
