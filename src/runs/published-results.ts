/**
 * What FeatMatch's authors report (Kuo et al. 2020): test error in percent, mean and standard deviation over three runs;
 * in the paper, and with their published code.
 */
import type { PartialConfig } from '../config/schema.js';

export interface PublishedError {
  /** percent */
  readonly mean: number;
  /** percentage points */
  readonly deviation: number;
}

export interface PublishedResult {
  readonly paper: PublishedError;
  readonly code: PublishedError;
}

/** A setting, the paper's mean and deviation, the code's. */
type Row = readonly [setting: string, number, number, number, number];

const rows: readonly Row[] = [
  ['cifar-10, 250 labels', 7.5, 0.64, 7.38, 0.94],
  ['cifar-10, 1000 labels', 5.76, 0.07, 6.04, 0.24],
  ['cifar-10, 4000 labels', 4.91, 0.18, 5.19, 0.05],
  ['svhn, 250 labels', 3.34, 0.19, 3.62, 0.12],
  ['svhn, 1000 labels', 3.1, 0.06, 3.02, 0.04],
  ['svhn, 4000 labels', 2.62, 0.08, 2.61, 0.02],
  ['cifar-100, 4000 labels', 31.06, 0.41, 30.79, 0.35],
  ['cifar-100, 10000 labels', 26.83, 0.04, 26.88, 0.13],
  ['mini-imagenet, 4000 labels', 39.05, 0.06, 38.94, 0.19],
  ['mini-imagenet, 10000 labels', 34.79, 0.22, 34.84, 0.19],
  ['domainnet, target real, 5 % labeled, r_u 0', 40.66, 0.6, 40.47, 0.23],
  ['domainnet, target real, 5 % labeled, r_u 0.25', 46.11, 1.15, 43.4, 0.25],
  ['domainnet, target real, 5 % labeled, r_u 0.5', 54.01, 0.66, 52.49, 1.06],
  ['domainnet, target real, 5 % labeled, r_u 0.75', 58.3, 0.93, 56.2, 1.25],
];

const results = new Map<string, PublishedResult>(
  rows.map(([setting, paper, paperDeviation, code, codeDeviation]) => [
    setting,
    { paper: { mean: paper, deviation: paperDeviation }, code: { mean: code, deviation: codeDeviation } },
  ]),
);

/** The published results for the data and labels of a configuration; undefined where there are none. */
export function publishedResult({ data }: PartialConfig): PublishedResult | undefined {
  if (data?.name === 'domainnet') {
    const { target, labelShare, sourceRatio } = data;
    const share = `${100 * (labelShare ?? 0)} %`;
    return results.get(`domainnet, target ${target}, ${share} labeled, r_u ${sourceRatio}`);
  }
  const isCount = (data?.labelsPerClass ?? null) === null && (data?.labelShare ?? null) === null;
  return isCount ? results.get(`${data?.name}, ${data?.labels} labels`) : undefined;
}
