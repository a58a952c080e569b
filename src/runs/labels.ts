import type { PartialConfig } from '../config/schema.js';

/** How many images are labeled, as the settings say it: `250`, `4 a class`, `all`. */
export function describeLabels(data: PartialConfig['data']): string {
  const { labels, labelsPerClass } = data ?? {};
  if (typeof labelsPerClass === 'number') return `${labelsPerClass} a class`;
  return labels === null ? 'all' : String(labels ?? '–');
}
