import type { PartialConfig } from '../config/schema.js';

/** How many images are labeled, as the settings say it: `250`, `4 a class`, `5 %`, `all`. */
export function describeLabels(data: PartialConfig['data']): string {
  const { labels, labelsPerClass, labelShare } = data ?? {};
  if (typeof labelShare === 'number') return `${100 * labelShare} %`;
  if (typeof labelsPerClass === 'number') return `${labelsPerClass} a class`;
  return labels === null ? 'all' : String(labels ?? '–');
}
